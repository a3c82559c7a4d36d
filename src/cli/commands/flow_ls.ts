import { firstOf } from "../all_pages.ts";
import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { printJson } from "../screen/json.ts";
import { ID_COLUMN, printTable, timeColumn } from "../screen/table.ts";
import { timeText } from "../screen/times.ts";

export const run: Run = async (input, context) => {
  const api = connect(context);
  const flows = await firstOf(
    input.number("limit") ?? Infinity,
    (page) => api.flows.list({ sort: "CREATED_DESC", ...page }),
  );
  if (context.isJson) return printJson(flows, context);
  const time = timeText(context);
  await printTable({
    title: "Flows",
    empty: "There are no flows.",
    columns: [ID_COLUMN, { header: "Name", style: "green", min: 20 }, timeColumn("Created")],
    rows: flows.map(({ id, name, created }) => [id, name, time(created)]),
  }, context.screen);
};
