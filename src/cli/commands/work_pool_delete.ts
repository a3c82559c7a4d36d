import { removalOf } from "../changes.ts";
import type { Run } from "../command.ts";
import { connect, requireYes } from "../context.ts";
import { requirePool } from "../targets.ts";

export const run: Run = async (input, context) => {
  const api = connect(context);
  const { name } = await requirePool(api, input.argument("NAME"), api.workPools.get);
  requireYes(`delete work pool '${name}' and its queues`, input, context);
  await requirePool(api, name, (name) => api.workPools.delete(name, removalOf(input)));
  context.screen.line(`Deleted work pool '${name}'.`);
};
