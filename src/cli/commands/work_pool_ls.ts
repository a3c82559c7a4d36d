import type { Api } from "../../client/api.ts";
import type { WorkPool } from "../../schemas/work_pool.ts";
import { allPages } from "../all_pages.ts";
import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { ifThere } from "../if_there.ts";
import { printJson } from "../screen/json.ts";
import { type Cell, type Column, ID_COLUMN, printTable, timeColumn } from "../screen/table.ts";
import { timeText } from "../screen/times.ts";
import { limitText, nameWithMark, stateCell } from "../screen/values.ts";

const COLUMNS: readonly Column[] = [
  { header: "Name", style: "green", min: 12 },
  { header: "Type" },
  ID_COLUMN,
  { header: "Concurrency Limit", align: "right", style: "blue" },
  { header: "Status", min: 9, isExtra: true },
  { header: "Slots taken", align: "right", isExtra: true },
  { header: "Agents", align: "right", isExtra: true },
];
const MORE_COLUMNS: readonly Column[] = [
  { header: "Description", min: 12 },
  timeColumn("Created", { isExtra: true }),
];

export const run: Run = async (_input, context) => {
  const api = connect(context);
  const pools = (await allPages((page) => api.workPools.list(page)))
    .sort((a, b) => a.name < b.name ? -1 : 1);
  if (context.isJson) return printJson(pools, context);
  const statuses = await Promise.all(pools.map((pool) => statusOf(pool, api)));
  const time = timeText(context);
  await printTable({
    title: "Work pools",
    empty: "There are no work pools.",
    columns: context.isVerbose ? [...COLUMNS, ...MORE_COLUMNS] : COLUMNS,
    rows: pools.map((pool, index) => [
      ...cells(pool, statuses[index] ?? ""),
      ...(context.isVerbose ? [pool.description ?? "", time(pool.created)] : []),
    ]),
    caption: "(**) denotes a paused pool",
  }, context.screen);
};

const cells = (pool: WorkPool, status: string): Cell[] => [
  nameWithMark(pool.name, pool.is_paused),
  pool.type,
  pool.id,
  limitText(pool.concurrency_limit),
  stateCell(status),
  String(pool.active_slots ?? 0),
  String(pool.sluice?.agents_online ?? "?"),
];

/** Pools of the agent's type have no status of their own on the wire: they are ready when an agent polls a queue. */
async function statusOf(pool: WorkPool, api: Api): Promise<string> {
  if (pool.is_paused) return "PAUSED";
  if (pool.status !== null) return pool.status;
  if ((pool.sluice?.agents_online ?? 0) > 0) return "READY";
  const queues = await ifThere(api.workQueues.list(pool.name)) ?? []; // it may be deleted meanwhile
  return queues.some(({ status }) => status === "READY") ? "READY" : "NOT_READY";
}
