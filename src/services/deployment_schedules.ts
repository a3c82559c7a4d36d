import { mergeSchedules, ScheduleListError } from "../domain/merge_schedules.ts";
import { DomainError } from "../errors.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { Instant, JsonText, ScheduleRecord } from "../schemas/records.ts";
import { withStart } from "../schemas/rrule.ts";
import type { DeploymentScheduleCreate, DeploymentScheduleUpdate, Schedule } from "../schemas/schedule.ts";
import { formatInstant } from "../schemas/wire.ts";
import type { Deployments } from "./deployments.ts";

/** The schedules of a deployment as they are stored. */
export const readSchedules = (text: JsonText): ScheduleRecord[] => JSON.parse(text) as ScheduleRecord[];

/** The most recently changed first. */
export const newestFirst = (schedules: readonly ScheduleRecord[]): ScheduleRecord[] =>
  schedules.toSorted((a, b) => b.updated - a.updated || (a.id < b.id ? 1 : -1));

/** Makes and changes schedules. Each is a microsecond younger than the one before, so that their order is kept. */
export class ScheduleWriter {
  readonly #deps: ServerDeps;
  #now: Instant;

  constructor(deps: ServerDeps) {
    this.#deps = deps;
    this.#now = deps.clock.now();
  }

  make(given: DeploymentScheduleCreate): ScheduleRecord {
    const now = this.#now++;
    return {
      id: this.#deps.ids.uuid(),
      schedule: storedSchedule(given.schedule, now),
      active: given.active,
      maxScheduledRuns: given.max_scheduled_runs ?? null,
      parameters: given.parameters ?? "{}",
      slug: given.slug ?? null,
      catchup: given.catchup ?? false,
      maxActiveRuns: given.max_active_runs ?? null,
      created: now,
      updated: now,
    };
  }

  /** Null and absent keys change nothing. */
  change(old: ScheduleRecord, given: DeploymentScheduleUpdate): ScheduleRecord {
    const now = this.#now++;
    return {
      ...old,
      schedule: given.schedule ? storedSchedule(given.schedule, now) : old.schedule,
      active: given.active ?? old.active,
      maxScheduledRuns: given.max_scheduled_runs ?? old.maxScheduledRuns,
      parameters: given.parameters ?? old.parameters,
      slug: given.slug ?? old.slug,
      catchup: given.catchup ?? old.catchup,
      maxActiveRuns: given.max_active_runs ?? old.maxActiveRuns,
      updated: now,
    };
  }

  /** What an update of the deployment makes of its schedules. @throws DomainError `invalid` */
  merge(existing: readonly ScheduleRecord[], given: readonly DeploymentScheduleUpdate[]): ScheduleRecord[] {
    try {
      return mergeSchedules(existing, given).map((one) => {
        if ("kept" in one) return one.change ? this.change(one.kept, one.change) : one.kept;
        const { schedule, active } = one.made;
        if (!schedule) {
          throw new ScheduleListError(given.indexOf(one.made), "A new schedule needs a schedule.");
        }
        return this.make({ ...one.made, schedule, active: active ?? true });
      });
    } catch (error) {
      if (!(error instanceof ScheduleListError)) throw error;
      throw new DomainError("invalid", error.message, { cause: error, field: ["schedules", error.index] });
    }
  }
}

/** Refuses two schedules with the same slug. @throws DomainError `conflict` */
export function refuseSameSlugs(schedules: readonly ScheduleRecord[]): void {
  const slugs = schedules.flatMap(({ slug }) => slug ?? []);
  const twice = slugs.find((slug, i) => slugs.indexOf(slug) < i);
  if (twice === undefined) return;
  throw new DomainError("conflict", `The deployment has a schedule '${twice}' already: choose another slug.`);
}

/** The schedules of one deployment, by themselves. */
export class DeploymentSchedules {
  readonly #deployments: Deployments;

  constructor(deployments: Deployments) {
    this.#deployments = deployments;
  }

  /** The most recently changed first. @throws DomainError `not_found`: no such deployment */
  async list(deployment: string): Promise<ScheduleRecord[]> {
    return (await this.#deployments.get(deployment)).schedules;
  }

  /** @throws DomainError `not_found`: no such deployment; `conflict`: a slug is taken */
  async add(deployment: string, given: readonly DeploymentScheduleCreate[]): Promise<ScheduleRecord[]> {
    return await this.#deployments.changeSchedules(deployment, (schedules, writer) => {
      const made = given.map((one) => writer.make(one));
      const all = [...schedules, ...made];
      refuseSameSlugs(all);
      return { schedules: all, result: made };
    });
  }

  /** @throws DomainError `not_found`: no such deployment, or schedule; `conflict`: the slug is taken */
  async change(deployment: string, id: string, given: DeploymentScheduleUpdate): Promise<void> {
    await this.#deployments.changeSchedules(deployment, (schedules, writer) => {
      requireSchedule(schedules, id);
      const all = schedules.map((one) => one.id === id ? writer.change(one, given) : one);
      refuseSameSlugs(all);
      return { schedules: all, result: undefined };
    });
  }

  /** @throws DomainError `not_found`: no such deployment, or schedule */
  async delete(deployment: string, id: string): Promise<void> {
    await this.#deployments.changeSchedules(deployment, (schedules) => {
      requireSchedule(schedules, id);
      return { schedules: schedules.filter((one) => one.id !== id), result: undefined };
    });
  }

  /**
   * For 2.20 clients, to which a deployment has one schedule: switches it together with the deployment.
   *
   * @throws DomainError `not_found`; `invalid`: there are several schedules
   */
  async setActive(deployment: string, active: boolean): Promise<void> {
    await this.#deployments.changeSchedules(deployment, (schedules, writer) => {
      if (schedules.length > 1) {
        throw new DomainError(
          "invalid",
          "The deployment has more than one schedule: switch each by PATCH /deployments/{id}/schedules/{schedule_id}.",
        );
      }
      const switched = schedules.map((one) => writer.change(one, { active }));
      return { schedules: switched, paused: !active, result: undefined };
    });
  }
}

function requireSchedule(schedules: readonly ScheduleRecord[], id: string): void {
  if (!schedules.some((one) => one.id === id)) throw new DomainError("not_found", "Schedule not found.");
}

/** With the defaults that depend on when it was made. */
function storedSchedule(given: Schedule, now: Instant): JsonText {
  if ("interval" in given) {
    return JSON.stringify({
      interval: given.interval,
      anchor_date: formatInstant(given.anchor_date ?? now),
      timezone: given.timezone ?? "UTC",
    });
  }
  if ("cron" in given) {
    return JSON.stringify({ cron: given.cron, timezone: given.timezone ?? null, day_or: given.day_or });
  }
  return JSON.stringify({ rrule: withStart(given.rrule, now), timezone: given.timezone ?? "UTC" });
}
