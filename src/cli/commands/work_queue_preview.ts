import { placeOf } from "../changes.ts";
import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { requireQueue } from "../targets.ts";
import { findUpcoming, printUpcoming } from "../upcoming.ts";

export const run: Run = async (input, context) => {
  const api = connect(context);
  const queue = await requireQueue(api, placeOf(input), ({ pool, name }) => api.workQueues.get(pool, name));
  const { name, work_pool_name: pool } = queue;
  const hours = input.number("hours") ?? 1;
  const upcoming = await findUpcoming({ pool, queue: name, hours }, api, context);
  await printUpcoming(`Runs of work queue '${name}' of '${pool}'`, upcoming, context);
  if (queue.is_paused) context.screen.note(`Work queue '${name}' is paused: it hands out none of them.`);
};
