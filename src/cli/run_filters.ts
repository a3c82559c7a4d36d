/** The options of `flow-run ls` as filters. */
import type { z } from "zod";
import type { Api } from "../client/api.ts";
import type { FlowRunListBody } from "../schemas/filter.ts";
import { STATE_TYPES, type StateType } from "../schemas/records.ts";
import { formatInstant } from "../schemas/wire.ts";
import type { CommandContext } from "./context.ts";
import type { Input } from "./input.ts";
import { nearest } from "./nearest.ts";
import { parseSince } from "./run_options.ts";
import { requireDeployment, requireFlow, requirePool } from "./targets.ts";

export type RunFilters = Partial<z.input<typeof FlowRunListBody>>;

/**
 * @throws CliError with near names when a filter names something that is not there: an empty list would hide the slip
 * @throws UsageError on a `--since` that is no time
 */
export async function runFilters(input: Input, api: Api, { world }: CommandContext): Promise<RunFilters> {
  const since = parseSince(input, world.deps.clock.now());
  const deployment = input.text("deployment");
  const pool = input.text("pool");
  const queue = input.text("work-queue");
  const flows = await Promise.all(input.texts("flow-name").map((flow) => requireFlow(api, flow)));
  const id = deployment === undefined ? undefined : (await requireDeployment(api, deployment)).deployment.id;
  const poolName = pool === undefined ? undefined : (await requirePool(api, pool, api.workPools.get)).name;
  return {
    flow_runs: {
      ...stateFilter(input.texts("state")),
      ...(id === undefined ? {} : { deployment_id: { any_: [id] } }),
      ...(since === undefined ? {} : { expected_start_time: { after_: formatInstant(since) } }),
    },
    ...(flows.length === 0 ? {} : { flows: { id: { any_: flows.map(({ id }) => id) } } }),
    ...(poolName === undefined ? {} : { work_pools: { name: { any_: [poolName] } } }),
    ...(queue === undefined ? {} : { work_pool_queues: { name: { any_: [queue] } } }),
  };
}

const isType = (state: string): state is StateType => STATE_TYPES.some((type) => type === state);

function stateFilter(states: readonly string[]) {
  if (states.length === 0) return {};
  const types = states.map((state) => state.toUpperCase()).filter(isType);
  const names = states.filter((state) => !isType(state.toUpperCase()));
  return {
    state: {
      operator: "or_" as const,
      ...(types.length === 0 ? {} : { type: { any_: types } }),
      ...(names.length === 0 ? {} : { name: { any_: names } }),
    },
  };
}

/** Any name is a state's name somewhere; when no run has it, it may be a slip. */
export function noteOddStates(states: readonly string[], { screen }: CommandContext): void {
  for (const state of states.filter((given) => !isType(given.toUpperCase()))) {
    const near = nearest(state.toUpperCase(), STATE_TYPES).map((type) => `'${type}'`).join(", ");
    screen.note(`No flow run is in a state named '${state}'. Nearest types: ${near}.`);
  }
}
