import type { Api } from "../../client/api.ts";
import type { WorkPool } from "../../schemas/work_pool.ts";
import { allPages } from "../all_pages.ts";
import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { printJson } from "../screen/json.ts";
import { ID_COLUMN, printTable } from "../screen/table.ts";
import { limitText, nameWithMark, stateCell } from "../screen/values.ts";

export const run: Run = async (_input, context) => {
  const api = connect(context);
  const pools = (await allPages((page) => api.workPools.list(page)))
    .sort((a, b) => a.name < b.name ? -1 : 1);
  if (context.isJson) return printJson(pools, context);
  const rows = await Promise.all(pools.map(async (pool) => [
    nameWithMark(pool.name, pool.is_paused),
    pool.type,
    pool.id,
    limitText(pool.concurrency_limit),
    String(pool.active_slots ?? 0),
    stateCell(await statusOf(pool, api)),
  ]));
  printTable({
    title: "Work pools",
    columns: [
      { header: "Name", style: "green", min: 12 },
      { header: "Type" },
      ID_COLUMN,
      { header: "Concurrency Limit", align: "right", style: "blue" },
      { header: "Slots taken", align: "right" },
      { header: "Status", min: 9 },
    ],
    rows,
    caption: "(**) denotes a paused pool",
  }, context.screen);
};

/** Pools of the agent's type have no status of their own on the wire: they are ready when an agent polls a queue. */
async function statusOf(pool: WorkPool, api: Api): Promise<string> {
  if (pool.is_paused) return "PAUSED";
  if (pool.status !== null) return pool.status;
  const queues = await api.workQueues.list(pool.name);
  return queues.some(({ status }) => status === "READY") ? "READY" : "NOT_READY";
}
