/**
 * The orders of runs. Each is told twice, and the two agree: as a number, where a smaller one comes first
 * ({@link rankOf}), and exactly, where numbers are equal ({@link beforeBy}). Numbers make it cheap to pass over
 * hundreds of thousands of rows.
 */
import type { FlowRunSort } from "../schemas/filter.ts";
import type { RunRow, TimeColumn } from "../schemas/run_row.ts";

/** What a run is sorted by; ties are broken by the id, in the same direction. */
export type SortKey = string | number | null;

export interface Sorted {
  id: string;
  key: SortKey;
  rank: number;
}

/** The column that decides. */
export const SORT_COLUMN: Record<FlowRunSort, TimeColumn | "id" | "name"> = {
  ID_DESC: "id",
  START_TIME_ASC: "started",
  START_TIME_DESC: "started",
  EXPECTED_START_TIME_ASC: "expected",
  EXPECTED_START_TIME_DESC: "expected",
  NAME_ASC: "name",
  NAME_DESC: "name",
  NEXT_SCHEDULED_START_TIME_ASC: "next",
  END_TIME_DESC: "end",
};

export const isDescending = (sort: FlowRunSort): boolean => sort.endsWith("_DESC");

export function sortKey(sort: FlowRunSort, row: RunRow): SortKey {
  const column = SORT_COLUMN[sort];
  return column === "started" ? row.start ?? row.expected : row[column];
}

/** Absent times come last, whatever the direction. */
export function rankOf(sort: FlowRunSort, key: SortKey): number {
  if (key === null) return Infinity;
  const ascending = typeof key === "number" ? key : SORT_COLUMN[sort] === "id" ? idRank(key) : textRank(key);
  return isDescending(sort) ? -ascending : ascending;
}

/** The first 48 bits of a UUID. */
const idRank = (id: string): number => parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

/** Texts are compared by UTF-16 units; three of them fit into a number. */
const textRank = (text: string): number => unit(text, 0) * 2 ** 34 + unit(text, 1) * 2 ** 17 + unit(text, 2);
/** One above the unit, so that the end of a text comes before everything. */
const unit = (text: string, at: number): number => at < text.length ? text.charCodeAt(at) + 1 : 0;

/** Compares as `Array.sort` wants it. */
export function beforeBy(sort: FlowRunSort): (a: Sorted, b: Sorted) => number {
  const sign = isDescending(sort) ? -1 : 1;
  return (a, b) => {
    if (a.rank !== b.rank) return a.rank < b.rank ? -1 : 1;
    const order = a.key === null || b.key === null ? 0 : compare(a.key, b.key);
    return sign * (order || compare(a.id, b.id));
  };
}

const compare = (a: string | number, b: string | number): number => a < b ? -1 : a > b ? 1 : 0;
