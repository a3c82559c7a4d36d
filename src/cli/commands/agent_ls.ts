import { allPages } from "../all_pages.ts";
import { given } from "../changes.ts";
import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { printJson } from "../screen/json.ts";
import { ID_COLUMN, printTable, timeColumn } from "../screen/table.ts";
import { timeText } from "../screen/times.ts";
import { limitText } from "../screen/values.ts";
import { requirePool } from "../targets.ts";

export const run: Run = async (input, context) => {
  const api = connect(context);
  const reference = input.text("pool");
  const pool = reference === undefined
    ? undefined
    : (await requirePool(api, reference, api.workPools.get)).name;
  const query = given({ work_pool_name: pool, online: input.isSet("all") ? undefined : true });
  const agents = await allPages((page) => api.agents.list({ ...query, ...page }));
  if (context.isJson) return printJson(agents, context);
  const time = timeText(context);
  await printTable({
    title: "Agents",
    empty: "No such agent is online; --all also lists those that have gone.",
    columns: [
      { header: "Name", style: "green", min: 16 },
      { header: "Work pools" },
      { header: "Status", min: 7 },
      { header: "Runs", align: "right" },
      { header: "Limit", align: "right", style: "blue", isExtra: true },
      timeColumn("Last seen", { isExtra: true }),
      { header: "Version", isExtra: true },
      ID_COLUMN,
    ],
    rows: agents.map((agent) => [
      agent.name,
      agent.sessions.map((session) => session.work_pool_name ?? "(deleted)").join(", "),
      agent.online ? { text: "ONLINE", style: "green" } : { text: "OFFLINE", style: "dim" },
      String(agent.held_runs),
      limitText(agent.limit),
      time(agent.last_heartbeat),
      agent.version,
      agent.id,
    ]),
  }, context.screen);
};
