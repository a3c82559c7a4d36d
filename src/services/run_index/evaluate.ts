/** Asks a clause of pages and zones. The tests are the clause's own; here is only where their values stand. */
import type { Clause, TimeClause } from "../../domain/run_clause.ts";
import { isInside } from "../../domain/run_clause.ts";
import { MARK_IS_END, orNull, type Page } from "../../kv/pages/page.ts";
import { hasDictionary } from "../../kv/pages/page_builder.ts";
import { STATE_TYPES } from "../../schemas/records.ts";
import { ASK_RECORD, type TimeColumn, type Zone } from "../../schemas/run_row.ts";

/** Whether a row matches. A row that does not tell may match: its record has to be asked. */
export const NO = 0;
export const MAYBE = 1;
export const YES = 2;

/** {@link NO}, {@link MAYBE} or {@link YES} for each row of the page: "and" is the least of them, "or" the largest. */
export function evaluate(clause: Clause, page: Page): Uint8Array {
  const answers = new Uint8Array(page.n);
  switch (clause.kind) {
    case "always":
      return answers.fill(YES);
    case "never":
      return answers;
    case "and":
      answers.fill(YES);
      for (const one of clause.clauses) {
        const other = evaluate(one, page);
        for (let row = 0; row < answers.length; row++) {
          if (other[row]! < answers[row]!) answers[row] = other[row]!;
        }
      }
      return answers;
    case "or":
      for (const one of clause.clauses) {
        const other = evaluate(one, page);
        for (let row = 0; row < answers.length; row++) {
          if (other[row]! > answers[row]!) answers[row] = other[row]!;
        }
      }
      return answers;
    case "type":
      return spread(STATE_TYPES.map((type) => clause.test(type) ? YES : NO), page.types, answers);
    case "tags": {
      const tests = page.entries("tags").map((tags) =>
        tags === ASK_RECORD ? MAYBE : clause.test(tags) ? YES : NO
      );
      return spread(tests, page.indexes("tags"), answers);
    }
    case "word":
      return words(clause, page, answers);
    case "time":
      return times(clause, page, answers);
  }
}

function spread(tests: readonly number[], indexes: ArrayLike<number>, answers: Uint8Array): Uint8Array {
  const table = Uint8Array.from(tests);
  for (let row = 0; row < answers.length; row++) answers[row] = table[indexes[row]!]!;
  return answers;
}

function words(clause: Extract<Clause, { kind: "word" }>, page: Page, answers: Uint8Array): Uint8Array {
  const { column, test } = clause;
  if (column === "id") {
    for (let row = 0; row < answers.length; row++) answers[row] = test(page.id(row)) ? YES : NO;
    return answers;
  }
  if (!hasDictionary(column)) return answers.fill(MAYBE);
  const tests = page.entries(column).map((value) => value === ASK_RECORD ? MAYBE : test(value) ? YES : NO);
  return spread(tests, page.indexes(column), answers);
}

function times(clause: TimeClause, page: Page, answers: Uint8Array): Uint8Array {
  const value = timeReader(page, clause.column);
  const nulls = isInside(clause, null) ? YES : NO;
  for (let row = 0; row < answers.length; row++) {
    const time = value(row);
    answers[row] = Number.isNaN(time) ? nulls : isInside(clause, time) ? YES : NO;
  }
  return answers;
}

/** Reads a column of times; NaN for absent ones. */
export function timeReader(page: Page, column: TimeColumn): (row: number) => number {
  const { start, expected, mark, flags } = page;
  switch (column) {
    case "started":
      return (row) => Number.isNaN(start[row]!) ? expected[row]! : start[row]!;
    case "end":
      return (row) => flags[row]! & MARK_IS_END ? mark[row]! : NaN;
    default:
      return (row) => page[column][row]!;
  }
}

/** Whether some row that is alive may match. */
export function mayMatch(clause: Clause, zone: Zone): boolean {
  switch (clause.kind) {
    case "never":
      return false;
    case "and":
      return clause.clauses.every((one) => mayMatch(one, zone));
    case "or":
      return clause.clauses.some((one) => mayMatch(one, zone));
    case "type":
      return STATE_TYPES.some((type, i) => zone.counts[i]! > 0 && clause.test(type));
    case "word":
      if (clause.column === "stateName") return zone.stateNames?.some(clause.test) ?? true;
      if (clause.column === "deployment") return zone.deployments?.some(clause.test) ?? true;
      return true;
    case "time": {
      const { min, max, hasNull } = zone[clause.column];
      return (min <= clause.to && max >= clause.from) || (hasNull && isInside(clause, null));
    }
    default:
      return true;
  }
}

/** What charts need of a row. @throws PageBrokenError */
export const timeAt = (page: Page, column: TimeColumn, row: number): number | null =>
  orNull(timeReader(page, column)(row));
