import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { requirePool } from "../targets.ts";
import { findUpcoming, printUpcoming } from "../upcoming.ts";

export const run: Run = async (input, context) => {
  const api = connect(context);
  const pool = await requirePool(api, input.argument("NAME"), api.workPools.get);
  const hours = input.number("hours") ?? 1;
  const upcoming = await findUpcoming({ pool: pool.name, hours }, api, context);
  await printUpcoming(`Runs of work pool '${pool.name}'`, upcoming, context);
  if (pool.is_paused) context.screen.note(`Work pool '${pool.name}' is paused: it hands out none of them.`);
};
