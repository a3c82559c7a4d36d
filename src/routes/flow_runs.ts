import { FlowRun, FlowRunCreate, FlowRunUpdate } from "../schemas/flow_run.ts";
import {
  FlowRunBulkDeleteBody,
  FlowRunBulkDeleteResponse,
  FlowRunBulkSetStateBody,
  FlowRunBulkSetStateResponse,
} from "../schemas/flow_run_bulk.ts";
import { ResumeBody } from "../schemas/flow_run_input.ts";
import type { Instant } from "../schemas/records.ts";
import { OrchestrationResult, SetStateBody } from "../schemas/state.ts";
import * as wire from "../schemas/wire.ts";
import type { Services } from "../services/services.ts";
import { created, createdOrFound, type Endpoint, endpoint, noContent, ok } from "./endpoint.ts";
import { toBulkStateResult, toOrchestrationResult, toResumeResult } from "./run_shapes.ts";
import { toFlowRun } from "./shapes.ts";

export function flowRunEndpoints(
  { flowRuns, flowRunBulk, setState, resume }: Pick<
    Services,
    "flowRuns" | "flowRunBulk" | "setState" | "resume"
  >,
  now: () => Instant,
): Endpoint[] {
  return [
    endpoint(
      {
        method: "POST",
        path: "/flow_runs",
        summary: "Create a run",
        body: FlowRunCreate,
        answers: { 200: FlowRun, 201: FlowRun },
      },
      async ({ body }) => {
        const { view, isNew } = await flowRuns.create(body);
        return createdOrFound(isNew, toFlowRun(view, now()));
      },
    ),
    endpoint({
      method: "GET",
      path: "/flow_runs/:id",
      summary: "Get a run",
      answers: { 200: FlowRun },
    }, async ({ param }) => ok(toFlowRun(await flowRuns.get(param("id")), now()))),
    endpoint({
      method: "PATCH",
      path: "/flow_runs/:id",
      summary: "Change a run's description",
      body: FlowRunUpdate,
      answers: { 204: null },
    }, async ({ param, body }) => {
      await flowRuns.update(param("id"), body);
      return noContent();
    }),
    endpoint({
      method: "PATCH",
      path: "/flow_runs/:id/labels",
      summary: "Add labels to a run",
      body: wire.labels(),
      answers: { 204: null },
    }, async ({ param, body }) => {
      await flowRuns.updateLabels(param("id"), body);
      return noContent();
    }),
    endpoint({
      method: "DELETE",
      path: "/flow_runs/:id",
      summary: "Delete a run",
      answers: { 204: null },
    }, async ({ param }) => {
      await flowRuns.delete(param("id"));
      return noContent();
    }),
    endpoint({
      method: "POST",
      path: "/flow_runs/:id/set_state",
      summary: "Propose a state",
      body: SetStateBody,
      answers: { 200: OrchestrationResult, 201: OrchestrationResult },
    }, async ({ param, body, token }) => {
      const view = await setState.propose({ run: param("id"), state: body.state, force: body.force, token });
      const result = toOrchestrationResult(view);
      return view.isWritten ? created(result) : ok(result);
    }),
    endpoint({
      method: "POST",
      path: "/flow_runs/:id/resume",
      summary: "Resume a paused run",
      body: ResumeBody,
      answers: { 200: OrchestrationResult, 201: OrchestrationResult },
    }, async ({ param, body }) => {
      const view = await resume.resume(param("id"), body.run_input ?? null);
      const result = toResumeResult(view);
      return view.isWritten ? created(result) : ok(result);
    }),
    endpoint({
      method: "POST",
      path: "/flow_runs/bulk_delete",
      summary: "Delete runs",
      body: FlowRunBulkDeleteBody,
      answers: { 200: FlowRunBulkDeleteResponse },
    }, async ({ body }) => {
      return ok({ deleted: await flowRunBulk.delete({ filter: body.flow_runs, limit: body.limit }) });
    }),
    endpoint({
      method: "POST",
      path: "/flow_runs/bulk_set_state",
      summary: "Propose a state for runs",
      body: FlowRunBulkSetStateBody,
      answers: { 200: FlowRunBulkSetStateResponse },
    }, async ({ body }) => {
      const { flow_runs: filter, limit, ...proposal } = body;
      return ok({
        results: (await flowRunBulk.setState({ filter, limit }, proposal)).map(toBulkStateResult),
      });
    }),
  ];
}
