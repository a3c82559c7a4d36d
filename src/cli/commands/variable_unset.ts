import type { Run } from "../command.ts";
import { connect, requireYes } from "../context.ts";
import { requireVariable } from "../targets.ts";

export const run: Run = async (input, context) => {
  const api = connect(context);
  const { name } = await requireVariable(api, input.argument("NAME"));
  requireYes(`delete variable '${name}'`, input, context);
  await api.variables.delete(name);
  context.screen.line(`Deleted variable '${name}'.`);
};
