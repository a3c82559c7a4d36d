import { bellKey, gateKey } from "../../kv/keys.ts";
import { get } from "../../kv/read.ts";
import type { ServerDeps } from "../../runtime/deps.ts";
import type { GateRecord } from "../../schemas/records.ts";
import type { RunChange } from "./batch.ts";
import { Gatekeeper } from "./gatekeeper.ts";

/** The gatekeepers of this process, one for each pool that something was asked of. */
export class Gates {
  readonly #deps: ServerDeps;
  readonly #keepers = new Map<string, Gatekeeper>();
  readonly #onChange: (changes: readonly RunChange[]) => void;
  /** Pool by run, of the held runs that this process has seen. */
  readonly #heldIn = new Map<string, string>();

  constructor(deps: ServerDeps, onChange: (changes: readonly RunChange[]) => void) {
    this.#deps = deps;
    this.#onChange = (changes) => {
      this.#noteHeld(changes);
      onChange(changes);
    };
  }

  /**
   * The pool of a held run, if this process happens to know it: saves the read that would tell. Only a hint: the
   * gatekeeper finds out when the run is elsewhere.
   */
  hintOf(run: string): string | undefined {
    return this.#heldIn.get(run);
  }

  #noteHeld(changes: readonly RunChange[]): void {
    for (const { before, after } of changes) {
      if (after?.session && after.pool) this.#heldIn.set(after.id, after.pool);
      else this.#heldIn.delete(before.id);
    }
  }

  of(pool: string): Gatekeeper {
    let keeper = this.#keepers.get(pool);
    if (!keeper) {
      keeper = new Gatekeeper({
        deps: this.#deps,
        pool,
        onChange: this.#onChange,
        ring: (other) => this.ring(other),
      });
      this.#keepers.set(pool, keeper);
      if (this.#deps.sharedKv) this.#listen(pool, keeper);
    }
    return keeper;
  }

  /** This process added a waiting run; a gatekeeper that nobody asked yet need not know. */
  enqueued(pool: string, queueNo: number): void {
    this.#keepers.get(pool)?.enqueued(queueNo);
  }

  /** Something outside of its gatekeeper changed the pool. */
  ring(pool: string): void {
    this.#keepers.get(pool)?.ring();
  }

  /** The pool's counts and switches; null when there is no such pool. */
  async read(pool: string): Promise<GateRecord | null> {
    return (await get(this.#deps.kv, gateKey(pool))).value;
  }

  /** Another process' changes arrive as a new value under the pool's bell. */
  async #listen(pool: string, keeper: Gatekeeper): Promise<void> {
    const reader = this.#deps.kv.watch([bellKey(pool)]).getReader();
    this.#deps.shutdown.addEventListener("abort", () => void reader.cancel().catch(() => {}), { once: true });
    try {
      for (let got = await reader.read(); !got.done; got = await reader.read()) keeper.ring();
    } catch (error) {
      // Claims still look every few seconds by themselves.
      if (!this.#deps.shutdown.aborted) {
        this.#deps.log.warn("A bell cannot be heard any more.", { pool, error });
      }
    }
  }
}
