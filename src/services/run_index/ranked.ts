import { beforeBy } from "../../domain/run_sort.ts";
import type { Page } from "../../kv/pages/page.ts";
import type { FlowRunSort } from "../../schemas/filter.ts";
import type { Hit } from "./best.ts";
import { rowOrder } from "./order.ts";

/**
 * All hits, as numbers: for places far behind in an order. The ranks alone are sorted, and only the hits around the
 * wanted places are made.
 */
export class Ranked {
  readonly #sort: FlowRunSort;
  readonly #ranks: number[] = [];
  /** Which page, or below zero which of the loose hits. */
  readonly #sources: number[] = [];
  readonly #rows: number[] = [];
  readonly #pages: Page[] = [];
  readonly #loose: Hit[] = [];

  constructor(sort: FlowRunSort) {
    this.#sort = sort;
  }

  addPage(page: Page): number {
    return this.#pages.push(page) - 1;
  }

  addRow(page: number, row: number, rank: number): void {
    this.#ranks.push(rank);
    this.#sources.push(page);
    this.#rows.push(row);
  }

  add(hit: Hit): void {
    this.#ranks.push(hit.rank);
    this.#sources.push(-this.#loose.push(hit));
    this.#rows.push(0);
  }

  /** The hits at the places `from` to `to` - 1 of the order, and maybe some before: `skipped` ones stand before all. */
  between(from: number, to: number): { hits: Hit[]; skipped: number; isAll: boolean } {
    const count = this.#ranks.length;
    if (from >= count) return { hits: [], skipped: count, isAll: true };
    const sorted = Float64Array.from(this.#ranks).sort();
    const [least, most] = [sorted[from]!, sorted[Math.min(to, count) - 1]!];
    const hits: Hit[] = [];
    let skipped = 0;
    this.#ranks.forEach((rank, i) => {
      if (rank < least) skipped++;
      else if (rank <= most) hits.push(this.#hit(i));
    });
    return { hits: hits.sort(beforeBy(this.#sort)), skipped, isAll: to >= count };
  }

  #hit(i: number): Hit {
    const source = this.#sources[i]!;
    if (source < 0) return this.#loose[-source - 1]!;
    const page = this.#pages[source]!;
    const row = this.#rows[i]!;
    return { id: page.id(row), key: rowOrder(this.#sort, page).key(row), rank: this.#ranks[i]!, sure: true };
  }
}
