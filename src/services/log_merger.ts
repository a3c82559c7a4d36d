import type { LogChunk } from "../kv/log_heads.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import { TERMINAL_TYPES } from "../schemas/records.ts";
import type { RunChange } from "./gate/batch.ts";
import { isSmall, mergeLog } from "./log_merge.ts";

/** Small chunks of a run that are merged at once. */
const CROWD = 500;
/** The last lines of a run come around its end: they are waited for. */
const AFTER_END_MS = 5_000;
/** Runs whose chunks are counted; the ones counted longest are forgotten first. Readers notice what is missed. */
const MOST_COUNTED = 10_000;

/** Merges the logs of runs that have ended, or have grown many chunks, one after the other in the background. */
export class LogMerger {
  readonly #deps: ServerDeps;
  /** Chunks added by this process since the last merge, by run. */
  readonly #added = new Map<string, number>();
  /** When a run is to be merged, on the monotonic clock. */
  readonly #due = new Map<string, number>();
  #wake = new AbortController();
  #working: Promise<void> | undefined;

  constructor(deps: ServerDeps) {
    this.#deps = deps;
    deps.shutdown.addEventListener("abort", () => this.#wake.abort(), { once: true });
  }

  /** Settles when nothing is due any more. */
  get idle(): Promise<void> {
    return this.#working ?? Promise.resolve();
  }

  noteAdded(run: string, chunks: number): void {
    const added = (this.#added.get(run) ?? 0) + chunks;
    this.#added.set(run, added);
    if (added > CROWD) return this.#plan(run, 0);
    if (this.#added.size <= MOST_COUNTED) return;
    for (const oldest of this.#added.keys()) {
      this.#added.delete(oldest);
      return;
    }
  }

  noteChanges(changes: readonly RunChange[]): void {
    for (const { after } of changes) {
      if (!after || !TERMINAL_TYPES.has(after.state.type)) continue;
      if ((this.#added.get(after.id) ?? 0) > 1) this.#plan(after.id, AFTER_END_MS);
    }
  }

  /** Somebody read heads of a run: a merge that another process, or a former life of this one, left undone. */
  noteRead(run: string, chunks: readonly LogChunk[]): void {
    if (chunks.filter(isSmall).length > CROWD) this.#plan(run, 0);
  }

  #plan(run: string, delayMs: number): void {
    this.#added.delete(run);
    const at = this.#deps.clock.monotonic() + delayMs;
    this.#due.set(run, Math.min(at, this.#due.get(run) ?? Infinity));
    this.#wake.abort();
    this.#working ??= this.#work().finally(() => this.#working = undefined);
  }

  async #work(): Promise<void> {
    const { clock, log, shutdown } = this.#deps;
    while (this.#due.size > 0 && !shutdown.aborted) {
      const [run, at] = [...this.#due].reduce((a, b) => b[1] < a[1] ? b : a);
      const wait = at - clock.monotonic();
      if (wait > 0) {
        this.#wake = new AbortController();
        await clock.sleep(wait, this.#wake.signal);
        continue;
      }
      this.#due.delete(run);
      try {
        await mergeLog(this.#deps, run);
      } catch (error) {
        if (!shutdown.aborted) {
          log.warn("The log of a run could not be merged; it will be later.", { run, error });
        }
      }
    }
  }
}
