import { placeOf, removalOf } from "../changes.ts";
import type { Run } from "../command.ts";
import { connect, requireYes } from "../context.ts";
import { requireQueue } from "../targets.ts";

export const run: Run = async (input, context) => {
  const api = connect(context);
  const queue = await requireQueue(api, placeOf(input), ({ pool, name }) => api.workQueues.get(pool, name));
  const title = `work queue '${queue.name}' of work pool '${queue.work_pool_name}'`;
  requireYes(`delete ${title}`, input, context);
  await api.workQueues.delete(queue.work_pool_name, queue.name, removalOf(input));
  context.screen.line(`Deleted ${title}.`);
};
