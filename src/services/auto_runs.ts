import { DomainError } from "../errors.ts";
import { Commit } from "../kv/commit.ts";
import { deploymentKey, schedulingKey } from "../kv/keys.ts";
import { type Entry, get } from "../kv/read.ts";
import { dueDeployments, pastAutoRuns, writeScheduling } from "../kv/scheduling.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { DeploymentRecord, Instant, SchedulingRecord } from "../schemas/records.ts";
import type { AutoRun, AutoRunCreation } from "./auto_run_creation.ts";
import { type AutoRunBounds, type AutoRunPlan, AutoRunPlanner, LOOK_LATER } from "./auto_run_planner.ts";
import type { ScheduleChanges } from "./schedule_changes.ts";

type DeploymentEntry = Entry<DeploymentRecord> & { value: DeploymentRecord };
type SchedulingEntry = Entry<SchedulingRecord> & { value: SchedulingRecord };

/** Deployments that are looked at side by side. */
const AT_ONCE = 10;
/** Runs of one commit: six mutations each. */
const MOST_IN_COMMIT = 80;
/** Bytes of their values in one commit; records and keys of a run are about 4 KB, without what users wrote. */
const BYTES_OF_COMMIT = 400_000;
const BYTES_OF_RUN = 4_000;
/** Entries of runs whose date is past that one look drops. */
const MOST_DROPPED = 100;
/** How often a request tries again when something came between. */
const ATTEMPTS = 20;
/** What a look at the deployments that are due has done. */
export interface Looked {
  /** Deployments that were looked at. */
  deployments: number;
  /** Runs that were made. */
  made: number;
  /** Deployments whose runs could not be made; the log says why. */
  failed: number;
  /** Whether more may be due. */
  isMore: boolean;
}

/**
 * Makes the runs of schedules, ahead of time. How far it came stands in one record of the deployment, which each commit
 * that makes such runs checks and rewrites: so of several servers one makes them, whoever dies leaves nothing half
 * done, and a deployment that changes meanwhile makes nothing of what it was before.
 */
export class AutoRuns {
  readonly #deps: ServerDeps;
  readonly #changes: ScheduleChanges;
  readonly #creation: AutoRunCreation;
  readonly #planner: AutoRunPlanner;

  constructor(deps: ServerDeps, parts: { changes: ScheduleChanges; creation: AutoRunCreation }) {
    this.#deps = deps;
    this.#changes = parts.changes;
    this.#creation = parts.creation;
    this.#planner = new AutoRunPlanner(deps);
  }

  /** Looks at the deployments that are due by `now`, at most `most`. Costs nothing for the others. */
  async makeDue(now: Instant, most: number): Promise<Looked> {
    const due = await dueDeployments(this.#deps.kv, now, most);
    const looked = { deployments: due.length, made: 0, failed: 0 };
    for (let i = 0; i < due.length && !this.#deps.shutdown.aborted; i += AT_ONCE) {
      await Promise.all(
        due.slice(i, i + AT_ONCE).map(async (id) => {
          try {
            const made = await this.#look(id, now);
            looked.made += made; // not before: others add to it meanwhile
          } catch (error) {
            looked.failed++;
            this.#deps.log.warn("Runs of a deployment's schedules could not be made.", {
              deployment: id,
              error,
            });
            if (!isPassing(error)) await this.#postpone(id, now).catch(() => {}); // it stays due
          }
        }),
      );
    }
    return { ...looked, isMore: due.length === most && looked.failed < due.length };
  }

  /** How many runs were made. */
  async #look(id: string, now: Instant): Promise<number> {
    if (!await this.#changes.finish(id)) return 0;
    // In this order: a change of the deployment that this does not see has changed the record, too.
    const scheduling = await get(this.#deps.kv, schedulingKey(id));
    const { value } = scheduling;
    if (!value || value.purge !== undefined || value.due === null || value.due > now) return 0;
    const deployment = await get(this.#deps.kv, deploymentKey(id));
    if (!deployment.value) return 0;
    const entry = { ...deployment, value: deployment.value };
    const plan = deployment.value.paused
      ? { autoRuns: [], generated: value.generated, due: null }
      : await this.#planner.plan(entry.value, now, value);
    return await this.#carryOut(entry, { ...scheduling, value }, { plan, now });
  }

  /** Makes the runs, in as many commits as they need; the record follows in each. How many were made. */
  async #carryOut(
    deployment: DeploymentEntry,
    scheduling: SchedulingEntry,
    { plan, now }: { plan: AutoRunPlan; now: Instant },
  ): Promise<number> {
    const { autoRuns, generated, due } = plan;
    const past = await pastAutoRuns(this.#deps.kv, deployment.value.id, now, MOST_DROPPED);
    const size = commitSize(deployment.value, autoRuns);
    let before = scheduling;
    let made = 0;
    for (let done = 0;; done += size) {
      const part = autoRuns.slice(done, done + size);
      const isLast = done + size >= autoRuns.length;
      const next = isLast ? { due, generated } : {
        ...before.value,
        generated: {
          ...before.value.generated,
          ...Object.fromEntries(part.map(({ schedule, date }) => [schedule, date])),
        },
      };
      const written = await this.#write(deployment, before, {
        part,
        next,
        dropped: isLast ? past.map(({ key }) => key) : [],
      });
      if (!written) return made; // somebody else was there, who goes on
      made += written.made;
      before = written.scheduling;
      if (isLast) return made;
    }
  }

  /** Undefined when something changed meanwhile. */
  async #write(
    deployment: DeploymentEntry,
    before: Entry<SchedulingRecord>,
    { part, next, dropped }: {
      part: readonly AutoRun[];
      next: SchedulingRecord;
      dropped: readonly Deno.KvKey[];
    },
  ): Promise<{ made: number; scheduling: SchedulingEntry } | undefined> {
    const { id } = deployment.value;
    const commit = new Commit();
    writeScheduling(commit, id, before, next);
    for (const key of dropped) commit.delete(key);
    const { made, written } = part.length > 0
      ? await this.#creation.create(deployment, part, commit)
      : { made: 0, written: await commit.send(this.#deps.kv) };
    if (written.ok) {
      return { made, scheduling: { key: before.key, value: next, versionstamp: written.versionstamp } };
    }
    // An earlier attempt of the runtime may have been applied, or another server wrote the same.
    const { value, ...version } = await get(this.#deps.kv, schedulingKey(id));
    const isThere = JSON.stringify(value) === JSON.stringify(next) &&
      JSON.stringify(next) !== JSON.stringify(before.value);
    return isThere ? { made, scheduling: { ...version, value: next } } : undefined;
  }

  async #postpone(id: string, now: Instant): Promise<void> {
    const scheduling = await get(this.#deps.kv, schedulingKey(id));
    if (!scheduling.value || scheduling.value.due === null || scheduling.value.due > now) return;
    const commit = new Commit();
    writeScheduling(commit, id, scheduling, { ...scheduling.value, due: now + LOOK_LATER });
    await commit.send(this.#deps.kv);
  }

  /**
   * Makes the runs that a request wants, whether or not the deployment is paused. Those that are there already are not
   * made again. How many were made.
   *
   * @throws DomainError `not_found`: no such deployment; `conflict`: its flow, pool or queue was deleted; `contention`
   */
  async make(id: string, bounds: AutoRunBounds): Promise<number> {
    const { kv, clock } = this.#deps;
    const now = clock.now();
    let made = 0;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      await this.#changes.finish(id);
      const scheduling = await get(kv, schedulingKey(id));
      const deployment = await get(kv, deploymentKey(id));
      if (!deployment.value) throw new DomainError("not_found", "Deployment not found");
      if (scheduling.value?.purge !== undefined) continue;
      const entry = { ...deployment, value: deployment.value };
      const autoRuns = await this.#planner.wanted(entry.value, now, bounds);
      const size = commitSize(entry.value, autoRuns);
      const record = scheduling.value ?? { due: null, generated: {} };
      let before: Entry<SchedulingRecord> | undefined = scheduling;
      for (let done = 0; before && done < autoRuns.length; done += size) {
        const part = autoRuns.slice(done, done + size);
        const written = await this.#write(entry, before, { part, next: record, dropped: [] });
        made += written?.made ?? 0;
        before = written?.scheduling;
      }
      if (before) return made;
    }
    throw new DomainError("contention", "The deployment changed while its runs were made: try again.");
  }
}

/** What a next try may not meet again. */
const isPassing = (error: unknown): boolean =>
  error instanceof DomainError && (error.code === "contention" || error.code === "unknown_outcome");

/** How many of the runs go into one commit. */
function commitSize({ tags, labels }: DeploymentRecord, autoRuns: readonly AutoRun[]): number {
  const texts = new Set(autoRuns.map(({ parameters }) => parameters));
  const encoder = new TextEncoder();
  const bytes = (text: string) => encoder.encode(text).length;
  const largest = Math.max(0, ...[...texts].map(bytes)) + bytes(labels) + bytes(JSON.stringify(tags));
  return Math.max(1, Math.min(MOST_IN_COMMIT, Math.floor(BYTES_OF_COMMIT / (largest + BYTES_OF_RUN))));
}
