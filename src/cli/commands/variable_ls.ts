import { firstOf } from "../all_pages.ts";
import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { printJson } from "../screen/json.ts";
import { printTable, timeColumn } from "../screen/table.ts";
import { timeText } from "../screen/times.ts";

export const run: Run = async (input, context) => {
  const api = connect(context);
  const variables = await firstOf(input.number("limit") ?? Infinity, (page) => api.variables.list(page));
  if (context.isJson) return printJson(variables, context);
  const time = timeText(context);
  await printTable({
    title: "Variables",
    empty: "There are no variables.",
    columns: [
      { header: "Name", style: "green", min: 12 },
      { header: "Value", min: 12, givesWay: true },
      { header: "Tags", isExtra: true },
      timeColumn("Created", { isExtra: true }),
      timeColumn("Updated"),
    ],
    rows: variables.map(({ name, value, tags, created, updated }) => [
      name,
      typeof value === "string" ? value : JSON.stringify(value),
      tags.join(", "),
      time(created),
      time(updated),
    ]),
  }, context.screen);
};
