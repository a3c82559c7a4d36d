import { listenToCommits } from "../../kv/commit.ts";
import type { ServerDeps } from "../../runtime/deps.ts";
import type { RunIndex } from "./run_index.ts";

/** After a change the packer waits for more, so that a page is not written for each. */
const WAIT_MS = 2_000;
/** Changed runs that are folded at once: with more of them, reads of the tail get slow. */
const MANY = 2_000;
/** A page is compared with its records this often, while there is something to do. */
const AUDIT_EVERY_MS = 60_000;

/** Folds what this process commits, until it stops. Nothing of it is under way any more when the promise resolves. */
export async function keepPacked(deps: ServerDeps, index: RunIndex): Promise<void> {
  const { kv, clock, log, shutdown } = deps;
  const changes = new Changes(shutdown);
  const stopListening = listenToCommits(kv, (version, mutations) => {
    index.hints.note(version, mutations);
    changes.add(mutations.filter(({ key }) => key[0] === "run").length);
  });
  let audited = clock.monotonic();
  // Who ran before may have left something.
  changes.add(0);
  try {
    for (;;) {
      await changes.some();
      await clock.sleep(WAIT_MS, changes.many);
      if (shutdown.aborted) return;
      changes.take();
      try {
        const isOurs = await pack(index, shutdown);
        // Whoever has the task may stop before he has folded what we changed.
        if (!isOurs) changes.add(0);
        if (isOurs && clock.monotonic() - audited >= AUDIT_EVERY_MS) {
          audited = clock.monotonic();
          await index.audit();
        }
      } catch (error) {
        if (shutdown.aborted) return;
        log.warn("Changes of runs could not be folded; lists read them one by one meanwhile.", { error });
        changes.add(0);
      }
    }
  } finally {
    stopListening();
  }
}

/** Folds all that there is. False when another process does. */
async function pack(index: RunIndex, shutdown: AbortSignal): Promise<boolean> {
  for (let lost = 0; lost < 10 && !shutdown.aborted;) {
    const step = await index.step();
    if (step === "not_ours") return false;
    if (step === "drained" || step === "idle") break;
    if (step === "lost" || step === "unbuilt") lost++;
  }
  while (!shutdown.aborted && await index.packer.trim());
  return true;
}

/** Changes that were not folded yet. */
class Changes {
  readonly #shutdown: AbortSignal;
  #some = Promise.withResolvers<void>();
  #many = new AbortController();
  #count = 0;

  constructor(shutdown: AbortSignal) {
    this.#shutdown = shutdown;
    if (shutdown.aborted) this.#wake();
    else shutdown.addEventListener("abort", () => this.#wake(), { once: true });
  }

  #wake(): void {
    this.#some.resolve();
    this.#many.abort();
  }

  add(runs: number): void {
    this.#count += runs;
    this.#some.resolve();
    if (this.#count >= MANY) this.#many.abort();
  }

  /** Resolves once there is a change, or the server stops. */
  some(): Promise<void> {
    return this.#some.promise;
  }

  /** Aborts once there are many, or the server stops. */
  get many(): AbortSignal {
    return this.#many.signal;
  }

  /** Starts anew; changes from now on are the next ones. */
  take(): void {
    if (this.#shutdown.aborted) return;
    this.#count = 0;
    this.#some = Promise.withResolvers();
    this.#many = new AbortController();
  }
}
