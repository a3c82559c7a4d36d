import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { printJson } from "../screen/json.ts";
import { describe } from "../screen/values.ts";
import { requireFlowRun } from "../targets.ts";

export const run: Run = async (input, context) => {
  const flowRun = await requireFlowRun(connect(context), input.argument("RUN"));
  if (context.isJson) return printJson(flowRun, context);
  const now = context.world.deps.clock.now();
  for (const line of describe("FlowRun", flowRun, now)) context.screen.line(line);
};
