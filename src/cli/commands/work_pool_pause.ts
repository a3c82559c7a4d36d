import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { requirePool } from "../targets.ts";

export const run: Run = async (input, context) => {
  const api = connect(context);
  const name = input.argument("NAME");
  await requirePool(api, name, api.workPools.update(name, { is_paused: true }));
  context.screen.line(`Paused work pool '${name}'.`);
};
