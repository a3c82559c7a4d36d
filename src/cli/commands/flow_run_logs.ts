import { allPages, PAGE_SIZE } from "../all_pages.ts";
import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { printJson } from "../screen/json.ts";
import { clockTime } from "../screen/times.ts";
import { requireFlowRun } from "../targets.ts";

export const run: Run = async (input, context) => {
  const api = connect(context);
  const { id } = await requireFlowRun(api, input.argument("RUN"));
  const logs = { flow_run_id: { any_: [id] } };
  const tail = input.number("tail");
  const lines = tail !== undefined && tail <= PAGE_SIZE
    ? (await api.logs.list({ logs, sort: "TIMESTAMP_DESC", limit: tail })).reverse()
    : (await allPages((page) => api.logs.list({ logs, ...page }))).slice(tail === undefined ? 0 : -tail);
  if (context.isJson) return printJson(lines, context);
  const { line, style } = context.screen;
  for (const { timestamp, message } of lines) line(`${style.dim(clockTime(timestamp))} ${message}`);
};
