import type { Api } from "../../client/api.ts";
import type { FlowRun } from "../../schemas/flow_run.ts";
import { STATE_TYPES, type StateType } from "../../schemas/records.ts";
import type { Run } from "../command.ts";
import { type CommandContext, connect } from "../context.ts";
import type { Input } from "../input.ts";
import { nearest } from "../nearest.ts";
import { printJson } from "../screen/json.ts";
import { ID_COLUMN, printTable } from "../screen/table.ts";
import { duration, relativeTime } from "../screen/times.ts";
import { stateCell } from "../screen/values.ts";
import { PAGE_SIZE } from "../all_pages.ts";
import { listDeployments, requireDeployment } from "../targets.ts";

export const run: Run = async (input, context) => {
  const api = connect(context);
  const runs = await listRuns(api, input);
  if (context.isJson) return printJson(runs, context);
  if (runs.length === 0) noteOddStates(input.texts("state"), context);
  const titles = new Map((await listDeployments(api)).map((of) => [of.deployment.id, of.title]));
  const now = context.world.deps.clock.now();
  printTable({
    title: "Flow runs",
    columns: [
      { header: "Name", style: "green", min: 14 },
      { header: "Deployment", min: 12 },
      { header: "State", min: 10 },
      { header: "When" },
      { header: "Took", align: "right" },
      ID_COLUMN,
    ],
    rows: runs.map((flowRun) => [
      flowRun.name,
      titles.get(flowRun.deployment_id ?? "") ?? "None",
      stateCell(flowRun.state_name ?? "None", flowRun.state_type ?? ""),
      relativeTime(flowRun.start_time ?? flowRun.expected_start_time, now),
      flowRun.start_time === null ? "" : duration(flowRun.estimated_run_time),
      flowRun.id,
    ]),
  }, context.screen);
};

async function listRuns(api: Api, input: Input): Promise<FlowRun[]> {
  const filter = await filterOf(api, input);
  const limit = input.number("limit") ?? PAGE_SIZE;
  const runs: FlowRun[] = [];
  while (runs.length < limit) {
    const size = Math.min(PAGE_SIZE, limit - runs.length);
    const page = await api.flowRuns.list({ flow_runs: filter, limit: size, offset: runs.length });
    runs.push(...page);
    if (page.length < size) break;
  }
  return runs;
}

/** Any name is a state's name somewhere; when no run has it, it may be a slip. */
function noteOddStates(states: readonly string[], { screen }: CommandContext): void {
  for (const state of states.filter((given) => !isType(given.toUpperCase()))) {
    const near = nearest(state.toUpperCase(), STATE_TYPES).map((type) => `'${type}'`).join(", ");
    screen.note(`No flow run is in a state named '${state}'. Nearest types: ${near}.`);
  }
}

const isType = (state: string): state is StateType => STATE_TYPES.some((type) => type === state);

async function filterOf(api: Api, input: Input) {
  const reference = input.text("deployment");
  const deployment = reference === undefined ? undefined : await requireDeployment(api, reference);
  const states = input.texts("state");
  const types = states.map((state) => state.toUpperCase()).filter(isType);
  const names = states.filter((state) => !isType(state.toUpperCase()));
  return {
    ...(deployment === undefined ? {} : { deployment_id: { any_: [deployment.deployment.id] } }),
    ...(states.length === 0 ? {} : {
      state: {
        operator: "or_" as const,
        ...(types.length === 0 ? {} : { type: { any_: types } }),
        ...(names.length === 0 ? {} : { name: { any_: names } }),
      },
    }),
  };
}
