import { aheadKey, deletedRunKey } from "../kv/keys.ts";
import { dropAhead } from "../kv/large_text.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import { millisecondOf } from "../runtime/ids.ts";
import type { FlowRunDeletion } from "./flow_run_deletion.ts";

/** How often is looked for leftovers. */
const SWEEP_MS = 60 * 60 * 1000;
/** A text to which nothing points after this long will stay so: no commit is under way, or repeated, for a day. */
const ABANDONED_MS = 24 * 60 * 60 * 1000;

/** Clears up what requests left behind whose server died in between. Costs nothing where nothing was left. */
export class Leftovers {
  readonly #deps: ServerDeps;
  readonly #deletion: FlowRunDeletion;

  constructor(deps: ServerDeps, deletion: FlowRunDeletion) {
    this.#deps = deps;
    this.#deletion = deletion;
  }

  /** Looks now and every hour, until the server stops. */
  async keepSweeping(): Promise<void> {
    const { clock, log, shutdown } = this.#deps;
    while (!shutdown.aborted) {
      await this.sweep().catch((error) => {
        if (!shutdown.aborted) log.warn("Leftovers could not be cleared up.", { error });
      });
      await clock.sleep(SWEEP_MS, shutdown);
    }
  }

  /** Finishes deletions of runs, and deletes large texts that were stored for a record that never came. */
  async sweep(): Promise<void> {
    const { kv, clock, shutdown } = this.#deps;
    for await (const { key } of kv.list({ prefix: deletedRunKey("").slice(0, 1) })) {
      if (shutdown.aborted) return;
      await this.#deletion.finish(String(key[1]));
    }
    const latest = clock.now() / 1000 - ABANDONED_MS;
    for await (const { key, value } of kv.list<number>({ prefix: aheadKey("").slice(0, 1) })) {
      const version = String(key[1]);
      if (shutdown.aborted || millisecondOf(version) > latest) return; // versions are in order of time
      await dropAhead(kv, { version, chunks: value });
    }
  }
}
