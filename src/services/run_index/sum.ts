import { type Clause, holds } from "../../domain/run_clause.ts";
import type { Figures } from "../../domain/run_history.ts";
import { MARK_IS_END, orNull, type Page } from "../../kv/pages/page.ts";
import { ASK_RECORD } from "../../schemas/run_row.ts";
import { MAYBE, NO, YES } from "./evaluate.ts";
import { readRuns } from "./records.ts";
import { OverBudgetError, type Scan, type Visitor } from "./scan.ts";
import type { Budget } from "./search.ts";
import type { Snapshot } from "./snapshots.ts";

/** Counts and adds up. A row that does not tell is asked by its record. */
export class Sum {
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

  /**
   * Calls `visit` for the rows that match, page by page, and tells the matching runs that are known in full instead.
   * `tells`: whether a row of the page says enough.
   *
   * @throws MovedError, PageBrokenError, OverBudgetError, DomainError `busy`
   */
  async over(clause: Clause, visit: Visitor, tells: (page: Parameters<Visitor>[0], row: number) => boolean) {
    const candidates = this.#scan.candidates();
    if (candidates.length > this.#budget.pages) throw new OverBudgetError(candidates.length);
    const untold: string[] = [];
    await this.#scan.all(candidates, (page, answers) => {
      for (let row = 0; row < answers.length; row++) {
        const isUntold = answers[row] === MAYBE || (answers[row] === YES && !tells(page, row));
        if (!isUntold) continue;
        answers[row] = NO;
        untold.push(page.id(row));
      }
      visit(page, answers);
    });
    if (untold.length > this.#budget.records) throw new OverBudgetError(untold.length);
    const loose = [
      ...this.#snapshot.tail.values(),
      ...(await readRuns(this.#kv, untold)).map(({ row }) => row),
    ];
    return loose.filter((row) => row !== null && holds(clause, row)).map((row) => row!);
  }
}

/** A very long name of a state stands in the record alone. */
export const tellsState = (page: Page, row: number): boolean =>
  page.entries("stateName")[page.indexes("stateName")[row]!] !== ASK_RECORD;

/** Adds what a page says of its matches. @throws PageBrokenError */
export function addFigures(page: Page, answers: Uint8Array, sum: { add(run: Figures): void }): void {
  const flows = page.entries("flow");
  const flowIndexes = page.indexes("flow");
  const deployments = page.entries("deployment");
  const deploymentIndexes = page.indexes("deployment");
  const names = page.entries("stateName");
  const indexes = page.indexes("stateName");
  for (let row = 0; row < answers.length; row++) {
    if (answers[row] === NO) continue;
    const hasEnd = (page.flags[row]! & MARK_IS_END) !== 0;
    sum.add({
      flow: String(flows[flowIndexes[row]!]),
      deployment: deployments[deploymentIndexes[row]!] || null,
      type: page.type(row),
      stateName: String(names[indexes[row]!]),
      expected: orNull(page.expected[row]!),
      start: orNull(page.start[row]!),
      runningSince: hasEnd ? null : orNull(page.mark[row]!),
      totalRunTime: page.totalRunTime[row]!,
    });
  }
}
