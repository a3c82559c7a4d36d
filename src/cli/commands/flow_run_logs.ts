import type { Api } from "../../client/api.ts";
import type { Log } from "../../schemas/log.ts";
import { PAGE_SIZE } from "../all_pages.ts";
import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { logPages } from "../log_pages.ts";
import { printJson } from "../screen/json.ts";
import { clockTime } from "../screen/times.ts";
import { requireFlowRun } from "../targets.ts";

export const run: Run = async (input, context) => {
  const api = connect(context);
  const { id } = await requireFlowRun(api, input.argument("RUN"));
  const tail = input.number("tail");
  const lines = tail === undefined
    ? (await Array.fromAsync(logPages(api, id), ({ page }) => page)).flat()
    : await lastLines(api, id, tail);
  if (context.isJson) return printJson(lines, context);
  const { line, style } = context.screen;
  for (const { timestamp, message } of lines) line(`${style.dim(clockTime(timestamp))} ${message}`);
};

async function lastLines(api: Api, run: string, count: number): Promise<Log[]> {
  const logs = { flow_run_id: { any_: [run] } };
  const lines: Log[] = [];
  while (lines.length < count) {
    const limit = Math.min(count - lines.length, PAGE_SIZE);
    const page = await api.logs.list({ logs, sort: "TIMESTAMP_DESC", limit, offset: lines.length });
    lines.push(...page);
    if (page.length < limit) break;
  }
  return lines.reverse();
}
