import type { Api } from "../client/api.ts";
import type { FlowRun } from "../schemas/flow_run.ts";
import { formatInstant, parseInstant } from "../schemas/wire.ts";
import { allPages } from "./all_pages.ts";
import type { CommandContext } from "./context.ts";
import { printJson } from "./screen/json.ts";
import { idColumn, printTable, timeColumn } from "./screen/table.ts";
import { timeText } from "./screen/times.ts";
import { nameWithMark } from "./screen/values.ts";

const HOUR_MICROSECONDS = 3_600 * 1e6;

/** Which runs are looked for. */
export interface Preview {
  pool: string;
  /** All queues of the pool when absent. */
  queue?: string;
  hours: number;
}

/**
 * The runs that wait in a pool or queue and are due within so many hours, in the order in which they are handed out:
 * by the priority of their queue, then by time, then by id. Looking changes nothing, and counts as no poll.
 */
export async function findUpcoming(
  { pool, queue, hours }: Preview,
  api: Api,
  { world }: CommandContext,
): Promise<FlowRun[]> {
  const until = formatInstant(world.deps.clock.now() + hours * HOUR_MICROSECONDS);
  const [runs, queues] = await Promise.all([
    allPages((page) =>
      api.flowRuns.list({
        work_pools: { name: { any_: [pool] } },
        ...(queue === undefined ? {} : { work_pool_queues: { name: { any_: [queue] } } }),
        flow_runs: {
          state: { type: { any_: ["SCHEDULED"] } },
          next_scheduled_start_time: { before_: until },
        },
        sort: "NEXT_SCHEDULED_START_TIME_ASC",
        ...page,
      })
    ),
    allPages((page) => api.workQueues.list(pool, page)),
  ]);
  const ranks = new Map(queues.map(({ id, priority }) => [id, priority]));
  const rankOf = (run: FlowRun) => ranks.get(run.work_queue_id ?? "") ?? Infinity;
  return runs.sort((a, b) =>
    compare(rankOf(a), rankOf(b)) || compare(dueTime(a), dueTime(b)) || compare(a.id, b.id)
  );
}

const compare = <T extends string | number>(a: T, b: T): number => a < b ? -1 : a > b ? 1 : 0;

const dueTime = (run: FlowRun): number =>
  parseInstant(run.next_scheduled_start_time ?? run.expected_start_time ?? "") ?? 0;

/** The runs as a table, those marked whose time has passed. */
export async function printUpcoming(
  title: string,
  runs: readonly FlowRun[],
  context: CommandContext,
): Promise<void> {
  if (context.isJson) return printJson(runs, context);
  const now = context.world.deps.clock.now();
  const time = timeText(context);
  const hasQueues = new Set(runs.map((run) => run.work_queue_id)).size > 1;
  await printTable({
    title,
    empty: "No runs wait there.",
    columns: [
      timeColumn("Scheduled Start Time", { style: "yellow" }),
      idColumn("Run ID"),
      { header: "Name", style: "green", min: 12 },
      ...(hasQueues ? [{ header: "Queue" }] : []),
      idColumn("Deployment ID"),
    ],
    rows: runs.map((run) => [
      nameWithMark(time(run.next_scheduled_start_time ?? run.expected_start_time), isLate(run, now)),
      run.id,
      run.name,
      ...(hasQueues ? [run.work_queue_name ?? "None"] : []),
      run.deployment_id ?? "None",
    ]),
    caption: "(**) denotes a late run",
  }, context.screen);
}

/** A run counts as late this long after its time (the reference's default). */
const LATE_AFTER_MICROSECONDS = 15e6;

const isLate = (run: FlowRun, now: number): boolean =>
  run.state_name === "Late" || now - dueTime(run) > LATE_AFTER_MICROSECONDS;
