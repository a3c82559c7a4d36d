import { placeOf } from "../changes.ts";
import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { requireQueue } from "../targets.ts";
import { printUpcoming } from "../upcoming.ts";

export const run: Run = async (input, context) => {
  const api = connect(context);
  const queue = await requireQueue(api, placeOf(input), ({ pool, name }) => api.workQueues.get(pool, name));
  const runs = await api.workQueues.peek(queue.id, { limit: input.number("limit") ?? 10 });
  await printUpcoming(`What work queue '${queue.name}' would hand out`, runs, context);
};
