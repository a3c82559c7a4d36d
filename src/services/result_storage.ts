import { DomainError } from "../errors.ts";
import { Commit } from "../kv/commit.ts";
import { resultStorageKey } from "../kv/keys.ts";
import { get } from "../kv/read.ts";
import type { ServerDeps } from "../runtime/deps.ts";

/** How often a write is tried again when another one came between. */
const ATTEMPTS = 20;

/** The server-wide default for where results are stored: the id of a block document. */
export class ResultStorage {
  readonly #deps: ServerDeps;

  constructor(deps: ServerDeps) {
    this.#deps = deps;
  }

  /** Null when none is set. */
  async get(): Promise<string | null> {
    return (await get(this.#deps.kv, resultStorageKey())).value;
  }

  /** Null clears it. */
  async set(block: string | null): Promise<void> {
    const { kv } = this.#deps;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const entry = await get(kv, resultStorageKey());
      if (entry.value === block) return;
      const commit = new Commit().check(entry);
      if (block === null) commit.delete(resultStorageKey());
      else commit.set(resultStorageKey(), block);
      if ((await commit.send(kv)).ok) return;
    }
    throw new DomainError("contention", "The default storage changed while it was being written: try again.");
  }
}
