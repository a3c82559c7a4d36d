import { Explanation } from "../schemas/explanation.ts";
import type { Explain } from "../services/explain.ts";
import { type Endpoint, endpoint, ok } from "./endpoint.ts";

/** Ours: the reference does not say why a run waits. */
export function explainEndpoints(explain: Explain): Endpoint[] {
  return [
    endpoint({
      method: "GET",
      path: "/flow_runs/:id/explain",
      summary: "Tell why a run has not started",
      answers: { 200: Explanation },
    }, async ({ param }) => {
      const { run, startable, reasons } = await explain.explain(param("id"));
      return ok({
        flow_run_id: run.id,
        state_type: run.state.type,
        state_name: run.state.name,
        startable,
        reasons,
      });
    }),
  ];
}
