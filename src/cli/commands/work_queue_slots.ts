import { placeOf } from "../changes.ts";
import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { printJson } from "../screen/json.ts";
import { limitText } from "../screen/values.ts";
import { printSlots } from "../slots.ts";
import { requireQueue } from "../targets.ts";

export const run: Run = async (input, context) => {
  const api = connect(context);
  const queue = await requireQueue(api, placeOf(input), ({ pool, name }) => api.workQueues.get(pool, name));
  const slots = await api.workQueues.slots(queue.id);
  for (let page = 2; page <= slots.pages; page++) {
    slots.flow_runs.push(...(await api.workQueues.slots(queue.id, { page })).flow_runs);
  }
  if (context.isJson) return printJson(slots, context);
  const holders = slots.flow_runs.map((run) => ({ queue: queue.name, ...run }));
  await printSlots(`Slots of work queue '${queue.name}'`, holders, context);
  context.screen.line(`${slots.active_slots} of ${limitText(slots.concurrency_limit)} taken`);
};
