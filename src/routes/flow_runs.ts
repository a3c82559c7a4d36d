import { FlowRunListBody } from "../schemas/filter.ts";
import { FlowRunCreate, FlowRunUpdate } from "../schemas/flow_run.ts";
import type { Instant } from "../schemas/records.ts";
import { SetStateBody } from "../schemas/state.ts";
import type { Services } from "../services/services.ts";
import { created, createdOrFound, type Endpoint, endpoint, noContent, ok } from "./endpoint.ts";
import { toFlowRun, toOrchestrationResult } from "./shapes.ts";

export function flowRunEndpoints(
  { flowRuns, flowRunList, setState }: Pick<Services, "flowRuns" | "flowRunList" | "setState">,
  now: () => Instant,
): Endpoint[] {
  return [
    endpoint(
      { method: "POST", path: "/flow_runs", summary: "Create a run", body: FlowRunCreate },
      async ({ body }) => {
        const { view, isNew } = await flowRuns.create(body);
        return createdOrFound(isNew, toFlowRun(view, now()));
      },
    ),
    endpoint(
      { method: "POST", path: "/flow_runs/filter", summary: "List runs", body: FlowRunListBody },
      async ({ body }) => ok((await flowRunList.list(body)).map((view) => toFlowRun(view, now()))),
    ),
    endpoint(
      { method: "POST", path: "/flow_runs/count", summary: "Count runs", body: FlowRunListBody },
      async ({ body }) => ok(await flowRunList.count(body)),
    ),
    endpoint(
      { method: "GET", path: "/flow_runs/:id", summary: "Get a run" },
      async ({ param }) => ok(toFlowRun(await flowRuns.get(param("id")), now())),
    ),
    endpoint({
      method: "PATCH",
      path: "/flow_runs/:id",
      summary: "Change a run's description",
      body: FlowRunUpdate,
    }, async ({ param, body }) => {
      await flowRuns.update(param("id"), body);
      return noContent();
    }),
    endpoint({ method: "DELETE", path: "/flow_runs/:id", summary: "Delete a run" }, async ({ param }) => {
      await flowRuns.delete(param("id"));
      return noContent();
    }),
    endpoint({
      method: "POST",
      path: "/flow_runs/:id/set_state",
      summary: "Propose a state",
      body: SetStateBody,
    }, async ({ param, body, token }) => {
      const view = await setState.propose({ run: param("id"), state: body.state, force: body.force, token });
      const result = toOrchestrationResult(view);
      return view.isWritten ? created(result) : ok(result);
    }),
  ];
}
