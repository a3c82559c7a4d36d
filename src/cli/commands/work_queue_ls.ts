import type { Api } from "../../client/api.ts";
import type { WorkQueue } from "../../schemas/work_queue.ts";
import { allPages } from "../all_pages.ts";
import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { ifThere } from "../if_there.ts";
import { printJson } from "../screen/json.ts";
import { ID_COLUMN, printTable, timeColumn } from "../screen/table.ts";
import { timeText } from "../screen/times.ts";
import { limitText, nameWithMark, stateCell } from "../screen/values.ts";
import { poolNames, requirePool } from "../targets.ts";

export const run: Run = async (input, context) => {
  const prefix = input.text("work-queue-prefix") ?? "";
  const queues = (await listQueues(connect(context), input.text("pool")))
    .filter(({ name }) => name.startsWith(prefix));
  if (context.isJson) return printJson(queues, context);
  const time = timeText(context);
  await printTable({
    title: "Work queues",
    empty: "There are no such work queues.",
    columns: [
      { header: "Name", style: "green", min: 12 },
      { header: "Pool" },
      { header: "Priority", align: "right" },
      { header: "Limit", align: "right", style: "blue" },
      { header: "Slots taken", align: "right", isExtra: true },
      { header: "Status", min: 9 },
      timeColumn("Last polled", { isExtra: true }),
      ID_COLUMN,
    ],
    rows: queues.map((queue) => [
      nameWithMark(queue.name, queue.is_paused),
      queue.work_pool_name,
      String(queue.priority),
      limitText(queue.concurrency_limit),
      String(queue.active_slots ?? 0),
      stateCell(queue.status),
      time(queue.last_polled),
      queue.id,
    ]),
    caption: "(**) denotes a paused queue",
  }, context.screen);
};

/** The queues of one pool or of all, pool by pool in the order in which they are served. */
async function listQueues(api: Api, only: string | undefined): Promise<WorkQueue[]> {
  const pools = only === undefined
    ? (await poolNames(api)).sort()
    : [(await requirePool(api, only, api.workPools.get)).name];
  const queues = await Promise.all(
    pools.map((pool) => ifThere(allPages((page) => api.workQueues.list(pool, page)))),
  );
  // A pool that is deleted meanwhile has no queues any more.
  return queues.flatMap((of) => of?.sort((a, b) => a.priority - b.priority) ?? []);
}
