import { DomainError } from "../errors.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { FlowRunFilter } from "../schemas/filter.ts";
import type { Instant, RunRecord } from "../schemas/records.ts";
import type { StateCreate } from "../schemas/state.ts";
import type { FlowRunList } from "./flow_run_list.ts";
import type { SetState } from "./set_state.ts";

/** A run is late when it waits for so long after its time (the reference's default). */
const LATE_AFTER = 15e6;
/** Runs that are changed side by side: the gate puts them into few commits. */
const AT_ONCE = 100;
/** Paused runs that are read at once. */
const PAGE = 200;

/** What a look at overdue runs has done. */
export interface Overdue {
  changed: number;
  /** Runs that could not be changed; the log says why. */
  failed: number;
  /** Whether there may be more. */
  isMore: boolean;
}

/** Changes the state of runs for which something should have happened by now. Each is judged again at the gate. */
export class OverdueRuns {
  readonly #deps: ServerDeps;
  readonly #runs: FlowRunList;
  readonly #setState: SetState;

  constructor(deps: ServerDeps, { runs, setState }: { runs: FlowRunList; setState: SetState }) {
    this.#deps = deps;
    this.#runs = runs;
    this.#setState = setState;
  }

  /** Names runs "Late" that wait 15 s after their time, the longest overdue first; at most `most`. They keep their time. */
  async markLate(now: Instant, most: number): Promise<Overdue> {
    const views = await this.#runs.list({
      flow_runs: { ...waitingByFirstName, next_scheduled_start_time: { before_: now - LATE_AFTER } },
      sort: "NEXT_SCHEDULED_START_TIME_ASC",
      limit: most,
      offset: 0,
    });
    const runs = views.map(({ run }) => run).filter(({ nextStart }) =>
      nextStart !== null && nextStart <= now - LATE_AFTER
    );
    const changed = await this.#changeAll(runs, false, (run) => ({
      type: "SCHEDULED",
      name: "Late",
      state_details: { scheduled_time: run.nextStart ?? run.t },
    }));
    return { ...changed, isMore: views.length === most && changed.changed > 0 };
  }

  /** Fails runs whose pause was not ended in time. Looks at up to `most` paused ones, from the given place on. */
  async failExpiredPauses(
    now: Instant,
    { most, offset }: { most: number; offset: number },
  ): Promise<Overdue & { seen: number }> {
    const expired: RunRecord[] = [];
    let seen = 0;
    let isMore = true;
    while (isMore && seen < most) {
      const views = await this.#runs.list({
        flow_runs: paused,
        sort: "ID_DESC",
        limit: PAGE,
        offset: offset + seen,
      });
      seen += views.length;
      isMore = views.length === PAGE;
      for (const { run } of views) {
        const timeout = run.state.details.pause_timeout;
        if (run.state.type === "PAUSED" && timeout !== undefined && timeout <= now) expired.push(run);
      }
    }
    const changed = await this.#changeAll(expired, true, () => ({
      type: "FAILED",
      message: "The flow was paused and never resumed.",
    }));
    return { ...changed, seen, isMore };
  }

  async #changeAll(
    runs: readonly RunRecord[],
    force: boolean,
    stateFor: (run: RunRecord) => StateCreate,
  ): Promise<{ changed: number; failed: number }> {
    const done = { changed: 0, failed: 0 };
    for (let i = 0; i < runs.length && !this.#deps.shutdown.aborted; i += AT_ONCE) {
      await Promise.all(
        runs.slice(i, i + AT_ONCE).map(async (run) => {
          try {
            const { isWritten } = await this.#setState.propose({
              run: run.id,
              state: stateFor(run),
              force,
              token: undefined,
              onlyFrom: run.state.id,
            });
            if (isWritten) done.changed++;
          } catch (error) {
            if (error instanceof DomainError && error.code === "missing_object") return; // deleted meanwhile
            done.failed++;
            this.#deps.log.warn("An overdue run could not be changed.", { run: run.id, error });
          }
        }),
      );
    }
    return done;
  }
}

const waitingByFirstName: FlowRunFilter = {
  operator: "and_",
  state: { operator: "and_", type: { any_: ["SCHEDULED"] }, name: { any_: ["Scheduled"] } },
};
const paused: FlowRunFilter = {
  operator: "and_",
  state: { operator: "and_", type: { any_: ["PAUSED"] } },
};
