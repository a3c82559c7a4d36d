import { type Clause, holds } from "../../domain/run_clause.ts";
import { beforeBy, isDescending, type Sorted } from "../../domain/run_sort.ts";
import type { FlowRunSort } from "../../schemas/filter.ts";
import { Best, type Hit } from "./best.ts";
import { MAYBE, NO, YES } from "./evaluate.ts";
import { hitOf, rankSpan, rowOrder } from "./order.ts";
import { Ranked } from "./ranked.ts";
import { readRuns } from "./records.ts";
import { type Candidate, OverBudgetError, type Scan } from "./scan.ts";
import type { Snapshot } from "./snapshots.ts";

export interface Question {
  clause: Clause;
  sort: FlowRunSort;
  offset: number;
  limit: number;
  /** Only runs behind this place of the order. */
  after?: Sorted | undefined;
}

/** What one question may cost (docs/lists.md). */
export interface Budget {
  pages: number;
  /** Records that are asked where pages do not tell. */
  records: number;
}

export const BUDGET: Budget = { pages: 2_500, records: 2_000 };

export interface Found {
  /** In the order of the sort. */
  ids: string[];
  /** Whether nothing stands behind the last one. */
  isAll: boolean;
  /** Last journal item that was seen. */
  seen: string;
  /** Set when the budget ended first: what was found is the beginning of the answer. */
  partial: Partial | undefined;
}

/** How far a search came within its budget. */
export interface Partial {
  /** Pages or records that were read, and that would have been. */
  read: number;
  of: number;
  /** Where to go on; undefined when nothing is certain, so that going on makes no sense. */
  next: { after: Sorted; offset: number } | undefined;
}

/** Beyond so many places the order is found by numbers first. */
const MOST_KEPT = 4_500;

interface Candidates {
  hits: Hit[];
  /** Sure hits that stand before all of these. */
  skipped: number;
  isAll: boolean;
  /** Set when these are the beginning only, since the budget ended; `upTo`: every hit before this place is known. */
  cut: { read: number; of: number; upTo?: Sorted } | undefined;
}

/** Lists the first matches in the order of a sort. */
export class Search {
  readonly #kv: Deno.Kv;
  readonly #snapshot: Snapshot;
  readonly #scan: Scan;
  readonly #budget: Budget;

  constructor(kv: Deno.Kv, snapshot: Snapshot, scan: Scan, budget: Budget) {
    this.#kv = kv;
    this.#snapshot = snapshot;
    this.#scan = scan;
    this.#budget = budget;
  }

  /** @throws MovedError, PageBrokenError, OverBudgetError, DomainError `busy` */
  async find(question: Question): Promise<Found> {
    const wanted = question.offset + question.limit;
    const found = await this.#confirm(question, await this.#candidates(question, wanted));
    if (found) return found;
    // Some were not sure, and did not hold: look at so many more as records may be asked.
    const more = await this.#candidates(question, wanted + this.#budget.records);
    const { hits } = more;
    return await this.#confirm(question, {
      ...more,
      cut: more.cut ?? { read: hits.length, of: hits.length + 1 },
    });
  }

  async #candidates(question: Question, wanted: number): Promise<Candidates> {
    const { sort, after } = question;
    const spanOf = rankSpan.bind(undefined, sort);
    const all = this.#scan.candidates((zone) => spanOf(zone).least)
      .filter(({ zone }) => !after || spanOf(zone).most >= after.rank);
    const within = all.slice(0, this.#budget.pages);
    const unread = all[within.length];
    const isBehind = behind(question);
    const loose = this.#loose(question).filter(isBehind);
    const found = wanted > MOST_KEPT && !after
      ? await this.#far(question, within, loose)
      : await this.#near(question, wanted, within, { loose, isBehind });
    if (!unread) return { ...found, cut: undefined };
    // Whatever ranks before the first unread page is certain; so is everything, when that page would not be asked.
    const certain = found.hits.filter(({ rank }) => rank < unread.bound);
    const isEnough = certain.length === found.hits.length && !found.isAll;
    if (isEnough) return { ...found, cut: undefined };
    if (found.skipped > 0) throw new OverBudgetError(all.length);
    const upTo = placeAt(sort, unread.bound);
    return { hits: certain, skipped: 0, isAll: false, cut: { read: within.length, of: all.length, upTo } };
  }

  /** Runs of the tail. */
  #loose({ clause, sort }: Question): Hit[] {
    const hits: Hit[] = [];
    for (const row of this.#snapshot.tail.values()) {
      if (row && holds(clause, row)) hits.push(hitOf(sort, row));
    }
    return hits;
  }

  async #near(
    { clause, sort }: Question,
    wanted: number,
    candidates: readonly Candidate[],
    { loose, isBehind }: { loose: readonly Hit[]; isBehind: (hit: Hit) => boolean },
  ): Promise<Omit<Candidates, "cut">> {
    const best = new Best(wanted, sort);
    const untold: string[] = [];
    for (const hit of loose) best.add(hit);
    await this.#scan.upTo(candidates, () => best.settled(), (page, answers) => {
      const order = rowOrder(sort, page);
      for (let row = 0; row < answers.length; row++) {
        if (answers[row] === NO) continue;
        const rank = order.rank(row);
        if (Number.isNaN(rank)) untold.push(page.id(row));
        else {
          const hit = { id: "", key: null, rank, sure: answers[row] === YES };
          // Ids and keys are made only for hits that count.
          if (rank <= best.limit) Object.assign(hit, { id: page.id(row), key: order.key(row) });
          if (rank > best.limit || isBehind(hit)) best.add(hit);
        }
      }
    });
    for (const hit of await this.#told({ clause, sort }, untold)) if (isBehind(hit)) best.add(hit);
    return { ...best.sorted(), skipped: 0 };
  }

  async #far(
    { clause, sort, offset, limit }: Question,
    candidates: readonly Candidate[],
    loose: readonly Hit[],
  ): Promise<Omit<Candidates, "cut">> {
    const ranked = new Ranked(sort);
    const untold: string[] = [];
    for (const hit of loose) ranked.add(hit);
    await this.#scan.all(candidates, (page, answers) => {
      const order = rowOrder(sort, page);
      const no = ranked.addPage(page);
      for (let row = 0; row < answers.length; row++) {
        if (answers[row] === NO) continue;
        const rank = order.rank(row);
        if (answers[row] === MAYBE || Number.isNaN(rank)) untold.push(page.id(row));
        else ranked.addRow(no, row, rank);
      }
    });
    for (const hit of await this.#told({ clause, sort }, untold)) ranked.add(hit);
    return ranked.between(offset, offset + limit);
  }

  /** The hits among runs that only their records tell of. @throws OverBudgetError */
  async #told({ clause, sort }: Pick<Question, "clause" | "sort">, ids: readonly string[]): Promise<Hit[]> {
    if (ids.length > this.#budget.records) throw new OverBudgetError(ids.length);
    const runs = await readRuns(this.#kv, ids);
    return runs.flatMap(({ row }) => row && holds(clause, row) ? [hitOf(sort, row)] : []);
  }

  /** The wanted hits once all of them are sure. Undefined when more have to be looked at: never with a `cut`. */
  async #confirm(question: Question, candidates: Candidates & { cut: object }): Promise<Found>;
  async #confirm(question: Question, candidates: Candidates): Promise<Found | undefined>;
  async #confirm(question: Question, { hits, skipped, isAll, cut }: Candidates): Promise<Found | undefined> {
    const { clause, offset, limit } = question;
    const ids: string[] = [];
    let toSkip = offset - skipped;
    let asked = 0;
    for (let at = 0; at < hits.length && ids.length < limit; at += CHUNK) {
      const chunk = hits.slice(at, at + CHUNK);
      const unsure = chunk.filter(({ sure }) => !sure).map(({ id }) => id);
      asked += unsure.length;
      if (asked > this.#budget.records) {
        return this.#partial(question, hits.slice(0, at), { ids, toSkip, of: hits.length });
      }
      const told = await readRuns(this.#kv, unsure);
      const dropped = new Set(unsure.filter((_, i) => !(told[i]!.row && holds(clause, told[i]!.row))));
      for (const { id } of chunk) {
        if (dropped.has(id) || ids.length >= limit) continue;
        if (toSkip > 0) toSkip--;
        else ids.push(id);
      }
    }
    const { seen } = this.#snapshot;
    const isFull = ids.length >= limit;
    if (isFull) return { ids, isAll: false, seen, partial: undefined };
    if (isAll) return { ids, isAll: true, seen, partial: undefined };
    return cut && this.#partial(question, hits, { ids, toSkip, ...cut });
  }

  #partial(
    { after }: Question,
    hits: readonly Hit[],
    { ids, toSkip, read = hits.length, of = hits.length, upTo = hits.at(-1) }: {
      ids: string[];
      toSkip: number;
      read?: number;
      of?: number;
      upTo?: Sorted | undefined;
    },
  ): Found {
    const isAhead = upTo !== undefined && upTo.rank !== -Infinity &&
      (upTo.rank !== after?.rank || upTo.id !== after.id);
    const next = isAhead
      ? { after: { id: upTo.id, key: upTo.key, rank: upTo.rank }, offset: toSkip }
      : undefined;
    return { ids, isAll: false, seen: this.#snapshot.seen, partial: { read, of, next } };
  }
}

/** The place before everything of a rank. */
const placeAt = (sort: FlowRunSort, rank: number): Sorted => ({
  id: isDescending(sort) ? "\uffff" : "",
  key: null,
  rank,
});

/** Hits whose records are asked together. */
const CHUNK = 50;

function behind({ sort, after }: Question): (hit: Hit) => boolean {
  if (!after) return () => true;
  const before = beforeBy(sort);
  return (hit) => before({ ...after, sure: true } as Hit, hit) < 0;
}
