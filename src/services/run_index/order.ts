/** A sort as pages and zones see it. */
import { isDescending, rankOf, SORT_COLUMN, type SortKey, sortKey } from "../../domain/run_sort.ts";
import type { Page } from "../../kv/pages/page.ts";
import type { FlowRunSort } from "../../schemas/filter.ts";
import { ASK_RECORD, type RunRow, type Zone } from "../../schemas/run_row.ts";
import type { Hit } from "./best.ts";
import { timeReader } from "./evaluate.ts";

/** The ranks that rows of a zone may have: from `least` to `most`. */
export function rankSpan(sort: FlowRunSort, zone: Zone): { least: number; most: number } {
  const column = SORT_COLUMN[sort];
  // Zones know nothing of names.
  if (column === "name") return { least: -Infinity, most: Infinity };
  const { min, max, hasNull } = column === "id" ? zone.created : zone[column];
  const [first, last] = isDescending(sort) ? [-max, -min] : [min, max];
  return min > max ? { least: Infinity, most: Infinity } : { least: first, most: hasNull ? Infinity : last };
}

/** Reads what rows of a page are sorted by. */
export interface RowOrder {
  /** NaN when only the record knows. */
  rank(row: number): number;
  key(row: number): SortKey;
}

export function rowOrder(sort: FlowRunSort, page: Page): RowOrder {
  const column = SORT_COLUMN[sort];
  if (column === "id") {
    const sign = isDescending(sort) ? -1 : 1;
    return { rank: (row) => sign * page.createdMs(row), key: (row) => page.id(row) };
  }
  if (column === "name") {
    const names = page.entries("name");
    const indexes = page.indexes("name");
    const ranks = names.map((name) => name === ASK_RECORD ? NaN : rankOf(sort, name));
    return {
      rank: (row) => ranks[indexes[row]!]!,
      key: (row) => {
        const name = names[indexes[row]!];
        return name === ASK_RECORD || name === undefined ? null : name;
      },
    };
  }
  const time = timeReader(page, column);
  const key = (row: number) => {
    const value = time(row);
    return Number.isNaN(value) ? null : value;
  };
  return { rank: (row) => rankOf(sort, key(row)), key };
}

/** A run that is known in full, as a hit. */
export function hitOf(sort: FlowRunSort, row: RunRow): Hit {
  const key = sortKey(sort, row);
  return { id: row.id, key, rank: rankOf(sort, key), sure: true };
}
