import type { Clause } from "../../domain/run_clause.ts";
import type { Page } from "../../kv/pages/page.ts";
import { createdMs } from "../../kv/pages/page_row.ts";
import { isDead } from "../../kv/pages/zones.ts";
import type { Zone } from "../../schemas/run_row.ts";
import { evaluate, mayMatch, NO } from "./evaluate.ts";
import type { PageStore, ZonedPage } from "./page_store.ts";
import type { IndexRules } from "./rules.ts";
import type { Scans } from "./scans.ts";
import type { Snapshot } from "./snapshots.ts";

/** Takes the rows of one page that may match: `answers` has YES or MAYBE for each, NO for the others. */
export type Visitor = (page: Page, answers: Uint8Array) => void;

/** A zone worth reading, and the least rank that a row of it can have. */
export interface Candidate {
  no: number;
  zone: Zone;
  bound: number;
}

/** Pages that are read singly before it is worth reading whole ranges. */
const SINGLY = 35;
const SINGLY_AT_ONCE = 4;

/** More pages would have to be read than one question may cost. */
export class OverBudgetError extends Error {
  override readonly name = "OverBudgetError";
  /** Pages or records that would have to be read. */
  readonly size: number;
  constructor(size: number) {
    super(`${size} pages or records`);
    this.size = size;
  }
}

/** Reads the pages of one snapshot that a clause needs. */
export class Scan {
  readonly #snapshot: Snapshot;
  readonly #clause: Clause;
  readonly #store: PageStore;
  readonly #rules: IndexRules;
  readonly #scans: Scans;
  readonly #mostPages: number;
  readonly #tailTimes: ReadonlySet<number>;

  constructor(
    snapshot: Snapshot,
    clause: Clause,
    parts: { store: PageStore; rules: IndexRules; scans: Scans; mostPages: number },
  ) {
    this.#snapshot = snapshot;
    this.#clause = clause;
    this.#store = parts.store;
    this.#rules = parts.rules;
    this.#scans = parts.scans;
    this.#mostPages = parts.mostPages;
    this.#tailTimes = new Set([...snapshot.tail.keys()].map(createdMs));
  }

  /** The zones that may have matches, those with the least bound first. */
  candidates(boundOf: (zone: Zone) => number = () => 0): Candidate[] {
    const found: Candidate[] = [];
    for (const [no, zone] of this.#snapshot.zones) {
      if (zone.alive > 0 && mayMatch(this.#clause, zone)) found.push({ no, zone, bound: boundOf(zone) });
    }
    return found.sort((a, b) => a.bound - b.bound || a.no - b.no);
  }

  /** Visits all of these pages. @throws MovedError, PageBrokenError, OverBudgetError, DomainError `busy` */
  async all(candidates: readonly Candidate[], visit: Visitor): Promise<void> {
    await this.upTo(candidates, () => Infinity, visit);
  }

  /**
   * Visits pages in order of their bounds, until the next bound is above `limit()`, which may sink as rows are found.
   *
   * @throws as {@link all}
   */
  async upTo(candidates: readonly Candidate[], limit: () => number, visit: Visitor): Promise<void> {
    const { gen } = this.#snapshot.cursor;
    let next = 0;
    while (next < candidates.length && next < SINGLY) {
      const group = candidates.slice(next, next + SINGLY_AT_ONCE).filter(({ bound }) => bound <= limit());
      if (group.length === 0) return;
      const pages = await Promise.all(group.map(({ no, zone }) => this.#store.page(gen, no, zone)));
      pages.forEach((page, i) => this.#visit({ ...group[i]!, page }, visit));
      next += SINGLY_AT_ONCE;
    }
    const rest = candidates.slice(next).filter(({ bound }) => bound <= limit());
    if (rest.length === 0) return;
    if (rest.length > this.#mostPages) throw new OverBudgetError(rest.length);
    using _turn = await this.#scans.begin();
    const zones = new Map(rest.map(({ no, zone }) => [no, zone]));
    for await (const page of this.#store.pages(gen, zones)) this.#visit(page, visit);
  }

  #visit({ zone, page }: ZonedPage, visit: Visitor): void {
    const answers = evaluate(this.#clause, page);
    // The page may have more rows than the zone of this snapshot knows.
    answers.fill(NO, zone.n);
    if (zone.alive < zone.n) {
      for (let row = 0; row < zone.n; row++) {
        if (isDead(zone, row)) answers[row] = NO;
      }
    }
    if (this.#rules.tailOverrides) this.#dropTail(zone, page, answers);
    visit(page, answers);
  }

  #dropTail({ n, created }: Zone, page: Page, answers: Uint8Array): void {
    const times = this.#tailTimes;
    let isNear = false;
    for (const time of times) if (time >= created.min && time <= created.max) isNear = true;
    if (!isNear) return;
    for (let row = 0; row < n; row++) {
      const mayBe = answers[row] !== NO && times.has(page.createdMs(row));
      if (mayBe && this.#snapshot.tail.has(page.id(row))) answers[row] = NO;
    }
  }
}
