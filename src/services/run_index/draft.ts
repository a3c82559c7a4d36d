import type { Commit } from "../../kv/commit.ts";
import { pageKey, zoneKey } from "../../kv/keys.ts";
import { familyOf } from "../../domain/run_row.ts";
import { type Page, PageBrokenError } from "../../kv/pages/page.ts";
import { PageBuilder } from "../../kv/pages/page_builder.ts";
import { emptyZone, isDead, withDead, withRow } from "../../kv/pages/zones.ts";
import { STATE_TYPES } from "../../schemas/records.ts";
import type { PageFamily, PageRow, Zone } from "../../schemas/run_row.ts";
import type { Zones } from "./page_store.ts";

/** Where a row stands. */
export interface Place {
  no: number;
  row: number;
}

/** Bytes of a zone and its keys, with room. Measured: 375 and a bit a row. */
const ZONE_BYTES = 1_000;

/** Pages and zones as they will be. Rows are added and marked dead, never moved: readers hold older zones. */
export class Draft {
  readonly open: { L: number | null; E: number | null };
  readonly gen: number;
  readonly #maxRows: number;
  readonly #zones: Map<number, Zone>;
  readonly #changed = new Set<number>();
  readonly #removed = new Set<number>();
  readonly #builders = new Map<number, PageBuilder>();
  #nextNo: number;

  constructor(
    base: { gen: number; zones: Zones; open: { L: number | null; E: number | null }; nextNo: number },
    maxRows: number,
  ) {
    this.gen = base.gen;
    this.open = { ...base.open };
    this.#zones = new Map(base.zones);
    this.#nextNo = base.nextNo;
    this.#maxRows = maxRows;
  }

  get zones(): Zones {
    return this.#zones;
  }
  get nextNo(): number {
    return this.#nextNo;
  }
  /** Pages that were written or are gone. */
  get isEmpty(): boolean {
    return this.#changed.size === 0 && this.#removed.size === 0;
  }

  /** Goes on with an open page. */
  resume(no: number, page: Page): void {
    this.#builders.set(no, new PageBuilder(this.#maxRows, page, this.#zones.get(no)!.n));
  }

  /** False when the row was dead already, or never stood there. */
  kill({ no, row }: Place, type: number): boolean {
    const zone = this.#zones.get(no);
    if (!zone || row >= zone.n || isDead(zone, row)) return false;
    this.#zones.set(no, withDead(zone, row, type));
    this.#changed.add(no);
    return true;
  }

  append(row: PageRow): Place {
    const family = familyOf(row.type);
    let no = this.open[family];
    if (no === null || !this.#builderOf(no).add(row)) {
      no = this.#begin(family);
      if (!this.#builderOf(no).add(row)) throw new PageBrokenError("a row that no page can hold");
    }
    const zone = this.#zones.get(no)!;
    this.#zones.set(no, withRow(zone, row));
    this.#changed.add(no);
    return { no, row: zone.n };
  }

  #builderOf(no: number): PageBuilder {
    const builder = this.#builders.get(no);
    if (!builder) throw new Error(`page ${no} was not resumed`);
    return builder;
  }

  #begin(family: PageFamily): number {
    const no = this.#nextNo++;
    this.#zones.set(no, emptyZone(family));
    this.#builders.set(no, new PageBuilder(this.#maxRows));
    this.open[family] = no;
    return no;
  }

  /** The page goes; the caller has appended what was alive on it. */
  remove(no: number): void {
    this.#zones.delete(no);
    this.#changed.delete(no);
    this.#builders.delete(no);
    this.#removed.add(no);
  }

  /** Stored pages that take no more rows and are mostly dead. One that was filled just now has to wait for a next step. */
  mostlyDead(): number[] {
    const found: number[] = [];
    for (const [no, zone] of this.#zones) {
      if (no === this.open.L || no === this.open.E || this.#builders.has(no)) continue;
      if (zone.alive < zone.n / (zone.family === "L" ? 2 : 4)) found.push(no);
    }
    return found;
  }

  /** The bytes of the pages that rows were added to. */
  encode(): Map<number, Uint8Array> {
    const pages = new Map<number, Uint8Array>();
    for (const [no, builder] of this.#builders) if (this.#changed.has(no)) pages.set(no, builder.encode());
    return pages;
  }

  /** Puts everything into a commit. */
  write(commit: Commit, pages: ReadonlyMap<number, Uint8Array>): void {
    for (const [no, bytes] of pages) commit.set(pageKey(this.gen, no), bytes);
    for (const no of this.#changed) commit.set(zoneKey(this.gen, no), this.#zones.get(no)!);
    for (const no of this.#removed) commit.delete(pageKey(this.gen, no)).delete(zoneKey(this.gen, no));
  }

  /** What the commit will weigh, at most. */
  bytes(): number {
    let bytes = this.#changed.size * ZONE_BYTES;
    for (const [no, { bytes: own }] of this.#builders) if (this.#changed.has(no)) bytes += own;
    return bytes;
  }

  /** How many mutations the commit will have, at most. */
  mutations(): number {
    return 2 * (this.#changed.size + this.#removed.size);
  }

  /** Sealed pages are handed over and forgotten, for builds that are larger than memory. */
  takeSealed(): Map<number, { bytes: Uint8Array; zone: Zone }> {
    const sealed = new Map<number, { bytes: Uint8Array; zone: Zone }>();
    for (const [no, builder] of this.#builders) {
      if (no === this.open.L || no === this.open.E) continue;
      sealed.set(no, { bytes: builder.encode(), zone: this.#zones.get(no)! });
      this.#builders.delete(no);
      this.#changed.delete(no);
    }
    return sealed;
  }

  typeOf(page: Page, row: number): number {
    const type = page.types[row];
    if (type === undefined || type >= STATE_TYPES.length) {
      throw new PageBrokenError("a state type that is none");
    }
    return type;
  }
}
