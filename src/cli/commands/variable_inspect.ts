import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { printObject } from "../screen/values.ts";
import { requireVariable } from "../targets.ts";

export const run: Run = async (input, context) => {
  await printObject("Variable", await requireVariable(connect(context), input.argument("NAME")), context);
};
