import { HORIZON, type Horizon, planRuns } from "../domain/schedule/plan_runs.ts";
import { readTexts } from "../kv/large_text.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type {
  DeploymentRecord,
  Instant,
  JsonText,
  ScheduleRecord,
  SchedulingRecord,
} from "../schemas/records.ts";
import type { AutoRun } from "./auto_run_creation.ts";
import { readSchedules } from "./deployment_schedules.ts";
import { merged } from "./run_staging.ts";
import { autoRunIdempotencyKey, creatorOf, toSchedule } from "./stored_schedule.ts";

/** What cannot be worked out or made is looked at again after this. */
export const LOOK_LATER = 60e6;
/** Up to so long after a change no date since then is left out, whatever kept its runs from being made at once. */
const NOTICED = 600e6;
/** Intervals that count from their making, which takes microseconds for each, do not begin with it. */
const AT_ONCE = 1_000;
/** Runs are made on request for dates up to a year ahead: a rule may count from its start. */
const FURTHEST = 366 * 86_400e6;

/** Bounds of the runs that a request wants, times in microseconds; the scheduler's own where it does not say. */
export interface AutoRunBounds {
  start: Instant | null | undefined;
  end: Instant | null | undefined;
  minTime: number | null | undefined;
  minRuns: number | null | undefined;
  maxRuns: number | null | undefined;
}

/** What to make of a deployment's schedules, and what is known afterwards. */
export interface AutoRunPlan {
  /** In order of time. */
  autoRuns: PlannedAutoRun[];
  generated: Record<string, Instant>;
  due: Instant | null;
}

/** With the id of its schedule. */
export type PlannedAutoRun = AutoRun & { schedule: string };

/** Works out which runs a deployment's schedules make. */
export class AutoRunPlanner {
  readonly #deps: ServerDeps;

  constructor(deps: ServerDeps) {
    this.#deps = deps;
  }

  /**
   * What to make now.
   */
  async plan(
    deployment: DeploymentRecord,
    now: Instant,
    { generated, since }: SchedulingRecord,
  ): Promise<AutoRunPlan> {
    const justChanged = since !== undefined && now - since <= NOTICED ? since + AT_ONCE : now;
    const plan: AutoRunPlan = { autoRuns: [], generated: {}, due: null };
    for (const { schedule, parameters } of await this.#activeSchedules(deployment)) {
      const until = generated[schedule.id] ?? null;
      const from = until === null ? justChanged : now;
      const { dates, generatedUntil, lookAgain } = this.#planRuns(schedule, deployment.id, () =>
        planRuns(toSchedule(schedule.schedule), { now, from, generatedUntil: until })) ??
        { dates: [], generatedUntil: until, lookAgain: now + LOOK_LATER };
      plan.autoRuns.push(...autoRunsOf(schedule, { deployment: deployment.id, parameters, dates }));
      if (generatedUntil !== null) {
        plan.generated[schedule.id] = generatedUntil;
      }
      // Not now again: what is to be made now is made.
      if (lookAgain !== null) {
        plan.due = Math.min(plan.due ?? Infinity, Math.max(lookAgain, now + 1));
      }
    }
    plan.autoRuns.sort((a, b) => a.date - b.date);
    return plan;
  }

  /** Undefined for a schedule that makes no sense to the libraries: the others go on. */
  #planRuns<T>(schedule: ScheduleRecord, deployment: string, plan: () => T): T | undefined {
    try {
      return plan();
    } catch (error) {
      const fields = { deployment, schedule: schedule.id, error };
      this.#deps.log.warn("The dates of a schedule could not be worked out.", fields);
      return undefined;
    }
  }

  /** With the parameters that runs of each get: the schedule's over the deployment's. */
  async #activeSchedules(
    deployment: DeploymentRecord,
  ): Promise<{ schedule: ScheduleRecord; parameters: JsonText }[]> {
    const [text, own] = await readTexts(this.#deps.kv, [deployment.schedules, deployment.parameters]);
    return readSchedules(text!).filter(({ active }) => active)
      .map((schedule) => ({ schedule, parameters: merged(own!, schedule.parameters) }));
  }

  /** The runs within the bounds that a request gives. */
  async wanted(deployment: DeploymentRecord, now: Instant, bounds: AutoRunBounds): Promise<AutoRun[]> {
    const start = bounds.start ?? now;
    const end = Math.min(bounds.end ?? start + HORIZON.maxTime, now + FURTHEST);
    const horizon: Horizon = {
      minRuns: bounds.minRuns ?? HORIZON.minRuns,
      maxRuns: bounds.maxRuns ?? HORIZON.maxRuns,
      // One more than asked for, since it is counted from before the start, which belongs to it.
      minTime: (bounds.minTime ?? HORIZON.minTime) + 1,
      maxTime: end - start + 1,
    };
    const at = { now: start - 1, from: start, generatedUntil: null, horizon };
    const schedules = await this.#activeSchedules(deployment);
    return schedules.flatMap(({ schedule, parameters }) => {
      const plan = this.#planRuns(
        schedule,
        deployment.id,
        () => end < start ? undefined : planRuns(toSchedule(schedule.schedule), at),
      );
      return autoRunsOf(schedule, { deployment: deployment.id, parameters, dates: plan?.dates ?? [] });
    });
  }
}

function autoRunsOf(
  schedule: ScheduleRecord,
  { deployment, parameters, dates }: { deployment: string; parameters: JsonText; dates: readonly Instant[] },
): PlannedAutoRun[] {
  const createdBy = creatorOf(schedule);
  return dates.map((date) => ({
    schedule: schedule.id,
    date,
    idempotencyKey: autoRunIdempotencyKey(deployment, schedule, date),
    createdBy,
    parameters,
  }));
}
