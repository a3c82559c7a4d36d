import { connect } from "../context.ts";
import type { Run } from "../command.ts";
import { printJson } from "../screen/json.ts";
import { limitText } from "../screen/values.ts";
import { printSlots } from "../slots.ts";
import { requirePool } from "../targets.ts";

/** Runs that are shown of each queue; the reference's most. */
const RUNS_OF_QUEUE = 200;

export const run: Run = async (input, context) => {
  const api = connect(context);
  const { name, slots } = await requirePool(api, input.argument("NAME"), async (name) => {
    const first = await api.workPools.slots(name, { page: 1, flow_run_limit: RUNS_OF_QUEUE });
    for (let page = 2; page <= first.pages; page++) {
      const more = await api.workPools.slots(name, { page, flow_run_limit: RUNS_OF_QUEUE });
      first.queues.push(...more.queues);
    }
    return { name, slots: first };
  });
  if (context.isJson) return printJson(slots, context);
  const holders = slots.queues.flatMap(({ queue_name: queue, flow_runs: runs }) =>
    runs.map((run) => ({ queue, ...run }))
  );
  await printSlots(`Slots of work pool '${name}'`, holders, context);
  context.screen.line(`${slots.active_slots} of ${limitText(slots.concurrency_limit)} taken`);
};
