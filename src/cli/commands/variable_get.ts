import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { printJson } from "../screen/json.ts";
import { requireVariable } from "../targets.ts";

export const run: Run = async (input, context) => {
  const { value } = await requireVariable(connect(context), input.argument("NAME"));
  if (context.isJson || typeof value !== "string") return printJson(value, context);
  context.screen.line(value);
};
