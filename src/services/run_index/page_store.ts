import { type Key, pageKey, pagesKey } from "../../kv/keys.ts";
import { Page, PageBrokenError } from "../../kv/pages/page.ts";
import { type Entry, get } from "../../kv/read.ts";
import { STATE_TYPES } from "../../schemas/records.ts";
import type { PagesCursor, Zone } from "../../schemas/run_row.ts";
import type { IndexRules } from "./rules.ts";

export type Zones = ReadonlyMap<number, Zone>;

/** The pages changed while they were read: look again from the cursor on. */
export class MovedError extends Error {
  override readonly name = "MovedError";
}

/** Pages of one read: as many as fit into a few megabytes. */
const RANGE = 50;
/** Pages between two wanted ones are read along up to this many: fewer reads, for bytes that nobody wants. */
const WIDEST_GAP = 40;
/** Pages that stay in memory: more than a full read of the budget needs would push each other out. */
const KEPT_PAGES = 2_500;
const ZONE_BATCH = 500;

/** A page and the zone under which it is read. */
export interface ZonedPage {
  no: number;
  zone: Zone;
  page: Page;
}

/** Reads cursor, zones and pages, and keeps what it read: valid as long as the cursor says so, never the truth. */
export class PageStore {
  readonly #kv: Deno.Kv;
  readonly #rules: IndexRules;
  /** Least recently used first. */
  readonly #pages = new Map<string, Page>();
  #zones: { gen: number; pack: number; zones: Zones } | undefined;

  constructor(kv: Deno.Kv, rules: IndexRules) {
    this.#kv = kv;
    this.#rules = rules;
  }

  /** The cursor with its version; a value that cannot be one counts as absent. */
  async cursor(): Promise<Entry<PagesCursor>> {
    const entry = await get(this.#kv, pagesKey());
    return { ...entry, value: isCursor(entry.value) ? entry.value : null };
  }

  /** The zones that `cursor` speaks of. @throws MovedError, PageBrokenError */
  async zones(cursor: PagesCursor): Promise<Zones> {
    if (this.#zones?.gen === cursor.gen && this.#zones.pack === cursor.pack) return this.#zones.zones;
    const zones = new Map<number, Zone>();
    const prefix: Key<Zone> = ["zone", cursor.gen];
    for await (const { key, value } of this.#kv.list<Zone>({ prefix }, { batchSize: ZONE_BATCH })) {
      if (!isZone(value)) throw new PageBrokenError(`zone ${String(key[2])} is none`);
      zones.set(Number(key[2]), value);
    }
    // Several batches are no snapshot: only an unmoved cursor says that nothing changed in between.
    const { value: now } = await this.cursor();
    if (now?.gen !== cursor.gen || now.pack !== cursor.pack) throw new MovedError();
    this.#zones = { gen: cursor.gen, pack: cursor.pack, zones };
    return zones;
  }

  /** What this process has just written. */
  remember(cursor: PagesCursor, zones: Zones, pages: ReadonlyMap<number, Uint8Array>): void {
    this.#zones = { gen: cursor.gen, pack: cursor.pack, zones };
    for (const [no, bytes] of pages) this.#keep(`${cursor.gen}/${no}`, new Page(bytes));
  }

  /** Forgets everything: what is in memory may be what was wrong. */
  forget(): void {
    this.#zones = undefined;
    this.#pages.clear();
  }

  /** The page if it is at hand. */
  kept(gen: number, no: number, zone: Zone): Page | undefined {
    const key = `${gen}/${no}`;
    const page = this.#pages.get(key);
    if (!page || !this.#rules.isCurrentPage(page, zone)) return undefined;
    this.#keep(key, page);
    return page;
  }

  /** @throws MovedError when it is gone, PageBrokenError */
  async page(gen: number, no: number, zone: Zone): Promise<Page> {
    const kept = this.kept(gen, no, zone);
    if (kept) return kept;
    const { value } = await get(this.#kv, pageKey(gen, no));
    if (!value) throw new MovedError();
    return this.#read(gen, no, zone, value);
  }

  /** The pages of these zones, those at hand first and the others by ranges. @throws MovedError, PageBrokenError */
  async *pages(gen: number, wanted: Zones): AsyncGenerator<ZonedPage> {
    const missing = new Map<number, Zone>();
    for (const [no, zone] of wanted) {
      const page = this.kept(gen, no, zone);
      if (page) yield { no, zone, page };
      else missing.set(no, zone);
    }
    for (const [from, to] of ranges([...missing.keys()].sort((a, b) => a - b))) {
      const selector = { start: pageKey(gen, from), end: pageKey(gen, to + 1) };
      for await (const { key, value } of this.#kv.list<Uint8Array>(selector, { batchSize: RANGE })) {
        const no = Number(key[2]);
        const zone = missing.get(no);
        if (!zone) continue;
        missing.delete(no);
        yield { no, zone, page: this.#read(gen, no, zone, value) };
      }
    }
    if (missing.size > 0) throw new MovedError();
  }

  #read(gen: number, no: number, zone: Zone, bytes: unknown): Page {
    if (!(bytes instanceof Uint8Array)) throw new PageBrokenError(`page ${no} is none`);
    const page = new Page(bytes);
    // A page only grows, and zones are written with it.
    if (page.n < zone.n) {
      throw new PageBrokenError(`page ${no} has ${page.n} rows where its zone has ${zone.n}`);
    }
    this.#keep(`${gen}/${no}`, page);
    return page;
  }

  #keep(key: string, page: Page): void {
    this.#pages.delete(key);
    this.#pages.set(key, page);
    if (this.#pages.size > KEPT_PAGES) {
      const [oldest] = this.#pages.keys();
      if (oldest !== undefined) this.#pages.delete(oldest);
    }
  }
}

/** Ranges that hold all numbers, given in order, without wide gaps. */
function ranges(numbers: readonly number[]): [from: number, to: number][] {
  const found: [number, number][] = [];
  for (const no of numbers) {
    const last = found.at(-1);
    if (last && no - last[1] <= WIDEST_GAP) last[1] = no;
    else found.push([no, no]);
  }
  return found;
}

/** Rows that are alive over all zones, by index of STATE_TYPES. */
export function aliveByType(zones: Zones): number[] {
  const sums = STATE_TYPES.map(() => 0);
  for (const { counts } of zones.values()) counts.forEach((count, type) => sums[type]! += count);
  return sums;
}

/** By how much pages and totals differ. Nothing is said while a record waits for a later item. */
export function driftOf(cursor: PagesCursor, zones: Zones): number {
  if (cursor.owed > cursor.at) return 0;
  return aliveByType(zones).reduce((sum, alive, type) => sum + Math.abs(alive - cursor.totals[type]!), 0);
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

function isCursor(value: unknown): value is PagesCursor {
  if (typeof value !== "object" || value === null) return false;
  const { isBuilt, gen, at, pack, open, nextNo, totals, owed, owner, until, folded, trimmed } =
    value as Partial<
      PagesCursor
    >;
  return typeof isBuilt === "boolean" && [gen, pack, nextNo, folded, trimmed].every(isCount) &&
    typeof at === "string" && typeof owed === "string" && typeof owner === "string" &&
    typeof until === "number" && typeof open === "object" && open !== null &&
    Array.isArray(totals) && totals.length === STATE_TYPES.length && totals.every(Number.isSafeInteger);
}

function isZone(value: unknown): value is Zone {
  if (typeof value !== "object" || value === null) return false;
  const { family, n, alive, dead, counts, created } = value as Partial<Zone>;
  return (family === "L" || family === "E") && isCount(n) && isCount(alive) && dead instanceof Uint8Array &&
    dead.length * 8 >= n && Array.isArray(counts) && counts.length === STATE_TYPES.length &&
    typeof created === "object" && created !== null;
}
