import type { PagesCursor, RunRow } from "../../schemas/run_row.ts";
import { readJournal } from "./journal.ts";
import { driftOf, MovedError, type PageStore, type Zones } from "./page_store.ts";
import { type ReadRun, readRuns } from "./records.ts";

/** What is read as of one moment, though KV has no snapshots: nothing of it changes any more. */
export interface Snapshot {
  cursor: PagesCursor;
  zones: Zones;
  /** Runs that changed since the pages were folded; null for one that is gone. They count instead of their rows. */
  tail: ReadonlyMap<string, RunRow | null>;
  /** Last journal item that was seen. */
  seen: string;
}

/** There are no pages yet, or the cursor is none. */
export class UnbuiltError extends Error {
  override readonly name = "UnbuiltError";
}

/**
 * Takes snapshots: the cursor, the zones that it speaks of, and the journal behind it with the records that it names.
 * Each run appears once, in a state that it had while the snapshot was taken.
 */
export class Snapshots {
  readonly #kv: Deno.Kv;
  readonly #store: PageStore;
  /** Runs of the last tail; one counts as long as the journal has nothing newer of it. */
  #tail = new Map<string, ReadRun>();
  /** Told when zones and totals do not agree. */
  readonly #onDrift: (rows: number) => void;

  constructor(kv: Deno.Kv, store: PageStore, onDrift: (rows: number) => void) {
    this.#kv = kv;
    this.#store = store;
    this.#onDrift = onDrift;
  }

  /** How many runs there are of each type, by index of STATE_TYPES, and how long the tail is. Two reads. */
  async totals(): Promise<{ totals: number[]; tailLength: number }> {
    const { cursor, part } = await this.#begin();
    return {
      totals: cursor.totals.map((total, type) => total + part.added[type]!),
      tailLength: part.changes.size,
    };
  }

  /** `most`: a longer tail is not read, and undefined answered. @throws MovedError, UnbuiltError, PageBrokenError */
  async take(most: number): Promise<Snapshot | undefined> {
    const { cursor, part } = await this.#begin();
    if (part.changes.size > most) return undefined;
    const zones = await this.#zones(cursor);
    const tail = new Map<string, ReadRun>();
    const missing: string[] = [];
    for (const [id, { to, last }] of part.changes) {
      const kept = this.#tail.get(id);
      if (to < 0) tail.set(id, { row: null, version: last });
      else if (kept && kept.version >= last) tail.set(id, kept);
      else missing.push(id);
    }
    const read = await readRuns(this.#kv, missing);
    missing.forEach((id, i) => tail.set(id, read[i]!));
    this.#tail = tail;
    return {
      cursor,
      zones,
      tail: new Map([...tail].map(([id, { row }]) => [id, row])),
      seen: part.last,
    };
  }

  async #begin() {
    const { value: cursor } = await this.#store.cursor();
    if (!cursor?.isBuilt) throw new UnbuiltError();
    const part = await readJournal(this.#kv, cursor.at);
    if (!part) throw new MovedError();
    // Without a last folded item nothing in the journal tells whether it was cut.
    if (cursor.at === "" && (await this.#store.cursor()).value?.at !== "") throw new MovedError();
    return { cursor, part };
  }

  async #zones(cursor: PagesCursor): Promise<Zones> {
    const zones = await this.#store.zones(cursor);
    const drift = driftOf(cursor, zones);
    if (drift > 0) this.#onDrift(drift);
    return zones;
  }
}
