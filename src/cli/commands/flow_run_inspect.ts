import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { printObject } from "../screen/values.ts";
import { requireFlowRun } from "../targets.ts";

export const run: Run = async (input, context) => {
  await printObject("FlowRun", await requireFlowRun(connect(context), input.argument("RUN")), context);
};
