import { Commit } from "../../kv/commit.ts";
import { journalKey, journalPrefix, pagesKey } from "../../kv/keys.ts";
import { MAX_PAGE_ROWS } from "../../kv/pages/page_builder.ts";
import { LONGEST_WORD_BYTES } from "../../kv/pages/page_row.ts";
import { aliveRows } from "../../kv/pages/zones.ts";
import type { Entry } from "../../kv/read.ts";
import type { ServerDeps } from "../../runtime/deps.ts";
import type { JournalItem } from "../../schemas/records.ts";
import type { PagesCursor } from "../../schemas/run_row.ts";
import { Draft } from "./draft.ts";
import { fold, type Folded, type LiveRows } from "./fold.ts";
import type { Hints } from "./hints.ts";
import { type JournalPart, readJournal } from "./journal.ts";
import { driftOf, MovedError, type PageStore } from "./page_store.ts";
import { newer } from "./records.ts";
import type { IndexRules } from "./rules.ts";

export interface PackerOptions {
  /** Rows of a page. */
  maxRows: number;
  /** What one step takes of the journal, at most. */
  ids: number;
  entries: number;
  /** Folded journal items that are kept for readers that come back. */
  keptEntries: number;
}

export const PACKER_OPTIONS: PackerOptions = {
  maxRows: MAX_PAGE_ROWS,
  ids: 3_000,
  entries: 1_000,
  keptEntries: 20_000,
};

/**
 * What became of a step: something was folded, and more is to do; the rest was folded; there was nothing; somebody else
 * was faster; somebody else has the task; the pages have to be built first.
 */
export type Step = "folded" | "drained" | "idle" | "lost" | "not_ours" | "unbuilt";

/** A commit may weigh 819,200 bytes and have 1,000 mutations; the rest is for keys and for what was estimated short. */
const COMMIT_BYTES = 600_000;
const COMMIT_MUTATIONS = 800;
/** Words of a row when a single journal entry has so many runs with long ones that they fit into no commit. */
const SHORT_WORD_BYTES = 48;
/** Journal items that one commit deletes. */
const TRIMMED = 800;
/** Who folded last goes on for so long. */
export const OWNED_MICROS = 10e6;

/** Folds the journal into pages, step by step. Any number of packers may run: the cursor decides who was first. */
export class Packer {
  readonly #deps: ServerDeps;
  readonly #store: PageStore;
  readonly #hints: Hints;
  readonly #rules: IndexRules;
  readonly #options: PackerOptions;
  readonly #name: string;
  /** Where live rows stand, as of this generation and pack. */
  #live: { gen: number; pack: number; rows: LiveRows } | undefined;

  constructor(
    deps: ServerDeps,
    parts: { store: PageStore; hints: Hints; rules: IndexRules; options: PackerOptions },
  ) {
    this.#deps = deps;
    this.#store = parts.store;
    this.#hints = parts.hints;
    this.#rules = parts.rules;
    this.#options = parts.options;
    this.#name = deps.ids.uuid();
  }

  /** Forgets what it remembers of the pages. */
  forget(): void {
    this.#live = undefined;
  }

  /** Folds a part of the journal. `isUrgent`: also when somebody else has the task. @throws PageBrokenError */
  async step(isUrgent = false): Promise<Step> {
    const entry = await this.#store.cursor();
    const cursor = entry.value;
    if (!cursor?.isBuilt) return "unbuilt";
    const isOurs = cursor.owner === this.#name || cursor.until <= this.#deps.clock.now();
    if (!isOurs && !isUrgent) return "not_ours";
    let { ids, entries } = this.#options;
    let longestWord = LONGEST_WORD_BYTES;
    try {
      for (;;) {
        const part = await readJournal(this.#deps.kv, cursor.at, { ids, entries });
        // The item that was folded last is never deleted: either the cursor has moved, or it is wrong.
        if (!part) return await this.#wasMoved(entry) ? "lost" : "unbuilt";
        if (part.entries === 0) return "idle";
        const draft = new Draft({ ...cursor, zones: await this.#store.zones(cursor) }, this.#options.maxRows);
        const live = await this.#liveRows(cursor);
        const folded = await fold(draft, part, live, {
          kv: this.#deps.kv,
          store: this.#store,
          hints: this.#hints,
          rules: this.#rules,
          at: cursor.at,
          longestWord,
        });
        if (draft.bytes() <= COMMIT_BYTES && draft.mutations() <= COMMIT_MUTATIONS) {
          return await this.#commit(entry, { part, draft, folded });
        }
        if (part.entries > 1) entries = Math.floor(part.entries / 2);
        else if (longestWord > SHORT_WORD_BYTES) longestWord = SHORT_WORD_BYTES;
        else return await this.#commit(entry, { part, draft, folded });
        ids = Infinity;
      }
    } catch (error) {
      if (!(error instanceof MovedError)) throw error;
      this.forget();
      return await this.#wasMoved(entry) ? "lost" : "unbuilt";
    }
  }

  async #wasMoved(entry: Entry<PagesCursor>): Promise<boolean> {
    return (await this.#store.cursor()).versionstamp !== entry.versionstamp;
  }

  async #commit(
    entry: Entry<PagesCursor>,
    { part, draft, folded }: { part: JournalPart; draft: Draft; folded: Folded },
  ): Promise<Step> {
    const cursor = entry.value!;
    const next: PagesCursor = {
      ...cursor,
      at: part.last,
      pack: draft.isEmpty ? cursor.pack : cursor.pack + 1,
      open: draft.open,
      nextNo: draft.nextNo,
      totals: cursor.totals.map((total, type) => total + part.added[type]!),
      owed: newer(cursor.owed, folded.owed),
      folded: cursor.folded + part.entries,
      owner: this.#name,
      until: this.#deps.clock.now() + OWNED_MICROS,
    };
    next.drift = driftOf(next, draft.zones);
    const pages = draft.encode();
    const commit = new Commit().check(entry).set(pagesKey(), next);
    draft.write(commit, pages);
    const { ok } = await commit.send(this.#deps.kv);
    if (!ok) {
      this.forget();
      return "lost";
    }
    this.#store.remember(next, draft.zones, pages);
    if (this.#live) {
      const { rows } = this.#live;
      for (const id of folded.gone) rows.delete(id);
      for (const [id, place] of folded.placed) rows.set(id, place);
      this.#live = { gen: next.gen, pack: next.pack, rows };
    }
    for (const id of part.changes.keys()) this.#hints.forget(id, part.last);
    return part.isAll ? "drained" : "folded";
  }

  /** Kept from step to step as long as nobody else makes one. */
  async #liveRows(cursor: PagesCursor): Promise<LiveRows> {
    const { gen, pack } = cursor;
    if (this.#live?.gen === gen && this.#live.pack === pack) return this.#live.rows;
    const zones = await this.#store.zones(cursor);
    const wanted = new Map([...zones].filter(([, { family, alive }]) => family === "L" && alive > 0));
    const rows: LiveRows = new Map();
    for await (const { no, zone, page } of this.#store.pages(gen, wanted)) {
      for (const row of aliveRows(zone)) rows.set(page.id(row), { no, row });
    }
    this.#live = { gen, pack, rows };
    return rows;
  }

  /**
   * Deletes folded journal items beyond those that are kept. True when there may be more to delete. The last folded
   * item always stays: by it readers see that nothing behind it is missing.
   */
  async trim(): Promise<boolean> {
    const { kv } = this.#deps;
    const entry = await this.#store.cursor();
    const cursor = entry.value;
    const surplus = cursor ? cursor.folded - cursor.trimmed - Math.max(1, this.#options.keptEntries) : 0;
    if (!cursor?.isBuilt || surplus < Math.min(TRIMMED, this.#options.keptEntries + 1)) return false;
    const limit = Math.min(surplus, TRIMMED);
    const commit = new Commit().check(entry);
    let count = 0;
    const selector = { prefix: journalPrefix(), end: journalKey(cursor.at) };
    if (cursor.at === "") return false;
    for await (const { key } of kv.list<JournalItem[]>(selector, { limit, batchSize: 500 })) {
      commit.delete(key);
      count++;
    }
    // A rebuild may have set the count anew, so what is there decides.
    commit.set(pagesKey(), { ...cursor, trimmed: cursor.trimmed + Math.max(count, 1) });
    const { ok } = await commit.send(kv);
    return ok && count === limit;
  }
}
