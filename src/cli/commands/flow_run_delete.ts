import type { Run } from "../command.ts";
import { connect, requireYes } from "../context.ts";
import { requireFlowRun } from "../targets.ts";

export const run: Run = async (input, context) => {
  const api = connect(context);
  const { id, name, state_name: state } = await requireFlowRun(api, input.argument("RUN"));
  requireYes(`delete flow run '${name}' (${state ?? "without a state"}) and its logs`, input, context);
  await api.flowRuns.delete(id);
  context.screen.line(`Deleted flow run '${name}'.`);
};
