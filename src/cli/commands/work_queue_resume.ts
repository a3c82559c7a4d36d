import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { DEFAULT_POOL } from "../defaults.ts";
import { requireQueue } from "../targets.ts";

export const run: Run = async (input, context) => {
  const api = connect(context);
  const name = input.argument("NAME");
  const pool = input.text("pool") ?? DEFAULT_POOL;
  await requireQueue(api, pool, name, api.workQueues.update(pool, name, { is_paused: false }));
  context.screen.line(`Resumed work queue '${name}' of work pool '${pool}'.`);
};
