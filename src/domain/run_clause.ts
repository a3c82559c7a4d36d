/**
 * A filter made ready: a tree of tests, each on one value of a run. Whoever has the whole run calls every test once
 * ({@link holds}); pages call one once for each different value, zones for the values that they name. So each clause
 * has one meaning, wherever it is asked.
 */
import type { Instant, StateType } from "../schemas/records.ts";
import type { RestColumn, RunRow, TimeColumn, WordColumn } from "../schemas/run_row.ts";

export type Clause =
  | { kind: "always" }
  | { kind: "never" }
  | { kind: "and" | "or"; clauses: readonly Clause[] }
  | { kind: "word"; column: WordColumn | RestColumn | "id"; test: (value: string | null) => boolean }
  | { kind: "tags"; test: (tags: readonly string[]) => boolean }
  | { kind: "type"; test: (type: StateType) => boolean }
  | TimeClause;

/** Matches times from `from` to `to`, and absent ones when `nulls`. */
export interface TimeClause {
  kind: "time";
  column: TimeColumn;
  from: number;
  to: number;
  nulls: boolean;
}

export const ALWAYS: Clause = { kind: "always" };
export const NEVER: Clause = { kind: "never" };

/** What a part of a filter says; absent and null say nothing. */
export type Part = Clause | null | undefined;

/** Joins parts; what none of them says is no constraint. */
export function combine(operator: "and_" | "or_", parts: readonly Part[]): Clause {
  const given = parts.filter((part) => part !== null && part !== undefined);
  if (given.length === 0) return ALWAYS;
  const [decisive, neutral] = operator === "or_" ? ["always", "never"] : ["never", "always"];
  const found = given.find(({ kind }) => kind === decisive);
  if (found) return found;
  const clauses = given.filter(({ kind }) => kind !== neutral);
  if (clauses.length === 0) return given[0]!;
  if (clauses.length === 1) return clauses[0]!;
  return { kind: operator === "or_" ? "or" : "and", clauses };
}

export const all = (...parts: readonly Part[]): Clause => combine("and_", parts);

/** A test of one text; a list without members matches nothing, and that needs no run to be known. */
export function isAny(
  column: WordColumn | RestColumn | "id",
  list: readonly string[] | null | undefined,
): Part {
  if (!list) return undefined;
  const wanted = new Set(list);
  return wanted.size === 0 ? NEVER : word(column, (value) => value !== null && wanted.has(value));
}

/** An empty list constrains nothing. */
export function isNotAny(
  column: WordColumn | RestColumn | "id",
  list: readonly string[] | null | undefined,
): Part {
  if (!list?.length) return undefined;
  const unwanted = new Set(list);
  return word(column, (value) => value === null || !unwanted.has(value));
}

export function isNull(column: WordColumn | RestColumn, wanted: boolean | null | undefined): Part {
  return typeof wanted === "boolean" ? word(column, (value) => (value === null) === wanted) : undefined;
}

export const word = (
  column: WordColumn | RestColumn | "id",
  test: (value: string | null) => boolean,
): Clause => ({ kind: "word", column, test });

/** Both bounds belong to the period; an absent time lies in none. */
export function inPeriod(
  column: TimeColumn,
  { before_, after_ }: { before_?: Instant | null | undefined; after_?: Instant | null | undefined },
): Part {
  if (typeof before_ !== "number" && typeof after_ !== "number") return undefined;
  return { kind: "time", column, from: after_ ?? -Infinity, to: before_ ?? Infinity, nulls: false };
}

export function isAbsent(column: TimeColumn, wanted: boolean | null | undefined): Part {
  if (typeof wanted !== "boolean") return undefined;
  const [from, to] = wanted ? [Infinity, -Infinity] : [-Infinity, Infinity];
  return { kind: "time", column, from, to, nulls: wanted };
}

/** The run's value of a column of times. */
export const timeOf = (row: RunRow, column: TimeColumn): Instant | null =>
  column === "started" ? row.start ?? row.expected : row[column];

export const isInside = ({ from, to, nulls }: TimeClause, value: Instant | null): boolean =>
  value === null ? nulls : value >= from && value <= to;

/** Whether the clause holds for a run. */
export function holds(clause: Clause, row: RunRow): boolean {
  switch (clause.kind) {
    case "always":
      return true;
    case "never":
      return false;
    case "and":
      return clause.clauses.every((one) => holds(one, row));
    case "or":
      return clause.clauses.some((one) => holds(one, row));
    case "word":
      return clause.test(row[clause.column]);
    case "tags":
      return clause.test(row.tags);
    case "type":
      return clause.test(row.type);
    case "time":
      return isInside(clause, timeOf(row, clause.column));
  }
}
