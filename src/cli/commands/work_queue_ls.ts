import type { Api } from "../../client/api.ts";
import type { WorkQueue } from "../../schemas/work_queue.ts";
import { allPages } from "../all_pages.ts";
import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { printJson } from "../screen/json.ts";
import { ID_COLUMN, printTable } from "../screen/table.ts";
import { relativeTime } from "../screen/times.ts";
import { limitText, nameWithMark, stateCell } from "../screen/values.ts";
import { poolNames, requirePool } from "../targets.ts";

export const run: Run = async (input, context) => {
  const queues = await listQueues(connect(context), input.text("pool"));
  if (context.isJson) return printJson(queues, context);
  const now = context.world.deps.clock.now();
  printTable({
    title: "Work queues",
    columns: [
      { header: "Name", style: "green", min: 12 },
      { header: "Pool" },
      { header: "Priority", align: "right" },
      { header: "Limit", align: "right", style: "blue" },
      { header: "Slots taken", align: "right" },
      { header: "Status", min: 9 },
      { header: "Last polled" },
      ID_COLUMN,
    ],
    rows: queues.map((queue) => [
      nameWithMark(queue.name, queue.is_paused),
      queue.work_pool_name,
      String(queue.priority),
      limitText(queue.concurrency_limit),
      String(queue.active_slots ?? 0),
      stateCell(queue.status),
      relativeTime(queue.last_polled, now),
      queue.id,
    ]),
    caption: "(**) denotes a paused queue",
  }, context.screen);
};

/** The queues of one pool or of all, pool by pool in the order in which they are served. */
async function listQueues(api: Api, only: string | undefined): Promise<WorkQueue[]> {
  if (only !== undefined) await requirePool(api, only, api.workPools.get(only));
  const pools = only === undefined ? (await poolNames(api)).sort() : [only];
  const queues = await Promise.all(pools.map((pool) => allPages((page) => api.workQueues.list(pool, page))));
  return queues.flatMap((of) => of.sort((a, b) => a.priority - b.priority));
}
