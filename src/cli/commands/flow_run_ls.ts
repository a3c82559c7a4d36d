import type { Api } from "../../client/api.ts";
import type { FlowRun } from "../../schemas/flow_run.ts";
import { firstOf } from "../all_pages.ts";
import type { Run } from "../command.ts";
import { type CommandContext, connect } from "../context.ts";
import type { Input } from "../input.ts";
import { noteOddStates, type RunFilters, runFilters } from "../run_filters.ts";
import { printJson } from "../screen/json.ts";
import { Progress } from "../screen/progress.ts";
import { ID_COLUMN, type Table, tableLines, timeColumn } from "../screen/table.ts";
import { duration, timeText } from "../screen/times.ts";
import { stateCell } from "../screen/values.ts";
import { listDeployments } from "../targets.ts";
import { repeat } from "../watch.ts";

export const run: Run = async (input, context) => {
  const api = connect(context);
  const filters = await runFilters(input, api, context);
  if (input.isSet("watch")) {
    return await repeat(async () => await linesOf(await listRuns(api, input, filters, context)), context);
  }
  const runs = await listRuns(api, input, filters, context);
  if (context.isJson) return printJson(runs, context);
  if (runs.length === 0) noteOddStates(input.texts("state"), context);
  await context.screen.page(await linesOf(runs));

  async function linesOf(runs: readonly FlowRun[]): Promise<string[]> {
    return tableLines(await tableOf(runs, api, context), context.screen);
  }
};

async function listRuns(
  api: Api,
  input: Input,
  filters: RunFilters,
  context: CommandContext,
): Promise<FlowRun[]> {
  const limit = input.number("limit") ?? Infinity;
  using progress = new Progress("Reading flow runs", limit, context);
  return await firstOf(
    limit,
    (page) => api.flowRuns.list({ ...filters, ...page }),
    (count) => progress.step(count),
  );
}

async function tableOf(runs: readonly FlowRun[], api: Api, context: CommandContext): Promise<Table> {
  const titles = new Map((await listDeployments(api)).map((of) => [of.deployment.id, of.title]));
  const time = timeText(context);
  return {
    title: "Flow runs",
    empty: "There are no such flow runs.",
    columns: [
      { header: "Name", style: "green", min: 14 },
      { header: "Deployment", min: 12 },
      { header: "State", min: 10 },
      timeColumn("When"),
      { header: "Took", align: "right", isExtra: true },
      ID_COLUMN,
    ],
    rows: runs.map((flowRun) => [
      flowRun.name,
      titles.get(flowRun.deployment_id ?? "") ?? "None",
      stateCell(flowRun.state_name ?? "None", flowRun.state_type ?? ""),
      time(flowRun.start_time ?? flowRun.expected_start_time),
      flowRun.start_time === null ? "" : duration(flowRun.estimated_run_time),
      flowRun.id,
    ]),
  };
}
