import { isHeld } from "../domain/run_state.ts";
import { Commit } from "../kv/commit.ts";
import { deploymentKey, runKey, schedulingKey } from "../kv/keys.ts";
import { get, getMany } from "../kv/read.ts";
import { type AutoRunEntry, autoRunsAfter, writeScheduling } from "../kv/scheduling.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { Instant, RunRecord } from "../schemas/records.ts";
import type { FlowRunDeletion } from "./flow_run_deletion.ts";

/** Runs that are deleted side by side: the gate puts them into few commits. */
const PAGE = 100;
/** One request or tick deletes a thousand; the next tick goes on where there are more. */
const MOST_PAGES = 10;

/**
 * What follows a change of a deployment: runs that its schedules made for the future go, since they were made of what
 * it was before. The commit that changes the deployment leaves a mark, and while that is there no runs are made. So
 * whoever sees the mark may take the runs away that are listed, and whoever died on the way is followed by others.
 */
export class ScheduleChanges {
  readonly #deps: ServerDeps;
  readonly #deletion: FlowRunDeletion;
  #listener = () => {};

  constructor(deps: ServerDeps, deletion: FlowRunDeletion) {
    this.#deps = deps;
    this.#deletion = deletion;
  }

  /** `listener` is told of each change that this process makes; there is one at most. */
  listen(listener: () => void): void {
    this.#listener = listener;
  }

  /** After the deployment was written: what may be left undone here is done by the loop. */
  async settle(deployment: string): Promise<void> {
    try {
      await this.finish(deployment);
    } catch (error) {
      this.#deps.log.warn("Runs of changed schedules are not gone yet.", { deployment, error });
    }
    this.#listener();
  }

  /**
   * Deletes what the mark is there for, and then the mark; after the deployment's own end, all that is kept about its
   * schedules. Does nothing without a mark.
   *
   * @returns whether there is no mark any more
   * @throws DomainError `contention`, `unknown_outcome`
   */
  async finish(deployment: string): Promise<boolean> {
    const { kv } = this.#deps;
    const changed = (await get(kv, schedulingKey(deployment))).value?.purge;
    if (changed === undefined) return true;
    const isGone = (await get(kv, deploymentKey(deployment))).value === null;
    let after: AutoRunEntry | { date: Instant } = { date: isGone ? -Infinity : changed };
    for (let pages = 0; pages < MOST_PAGES; pages++) {
      // Listed first, looked for the mark then: so what is listed was made of what the deployment was before.
      const entries: AutoRunEntry[] = await autoRunsAfter(kv, deployment, after, PAGE);
      const scheduling = await get(kv, schedulingKey(deployment));
      if (scheduling.value?.purge === undefined) return true;
      const left = await this.#deleteRuns(entries.filter(({ date }) => date > changed));
      const isLast = entries.length < PAGE;
      after = entries.at(-1) ?? after;
      const { purge: _, ...unmarked } = scheduling.value;
      const next = !isLast ? scheduling.value : isGone ? null : unmarked;
      const commit = new Commit();
      writeScheduling(commit, deployment, scheduling, next);
      for (const { key } of isGone ? entries : left) commit.delete(key);
      if ((await commit.send(kv)).ok && isLast) return true;
    }
    return false;
  }

  /** Those of the entries to which no run belongs any more. */
  async #deleteRuns(entries: readonly AutoRunEntry[]): Promise<AutoRunEntry[]> {
    const kept: AutoRunEntry[] = [];
    await Promise.all(entries.map(async (entry) => {
      const withEntry = new Commit().delete(entry.key);
      if (!await this.#deletion.deleteIf(entry.run, hasNotBegun, withEntry)) kept.push(entry);
    }));
    const records = await getMany(this.#deps.kv, kept.map(({ run }) => runKey(run)));
    return kept.filter((_, i) => records[i]!.value === null);
  }
}

/** What waits and never ran. A run that met its deployment's limit has been started, in the reference's eyes. */
const hasNotBegun = (run: RunRecord): boolean =>
  run.state.type === "SCHEDULED" && !isHeld(run) && run.runCount === 0 &&
  run.state.name !== "AwaitingConcurrencySlot";
