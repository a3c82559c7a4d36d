import { beforeBy, type Sorted } from "../../domain/run_sort.ts";
import type { FlowRunSort } from "../../schemas/filter.ts";

/** A run that was found. One that is not sure may match: its record has to be asked. */
export interface Hit extends Sorted {
  sure: boolean;
}

/** Keeps the first `k` of all hits in the order of a sort. */
export class Best {
  readonly #k: number;
  readonly #before: (a: Hit, b: Hit) => number;
  #hits: Hit[] = [];
  #limit = Infinity;
  #dropped = false;

  constructor(k: number, sort: FlowRunSort) {
    this.#k = k;
    this.#before = beforeBy(sort);
  }

  /** Hits of a higher rank are not among the first any more. */
  get limit(): number {
    return this.#limit;
  }

  add(hit: Hit): void {
    if (hit.rank > this.#limit) {
      this.#dropped = true;
      return;
    }
    this.#hits.push(hit);
    if (this.#hits.length >= 2 * this.#k + 64) this.#cut();
  }

  /** {@link limit}, as low as it can be told. */
  settled(): number {
    this.#cut();
    return this.#limit;
  }

  #cut(): void {
    if (this.#hits.length <= this.#k) return;
    this.#hits.sort(this.#before);
    this.#hits.length = this.#k;
    this.#dropped = true;
    this.#limit = this.#hits.at(-1)?.rank ?? -Infinity;
  }

  /** The hits in order, and whether these are all that there were. */
  sorted(): { hits: Hit[]; isAll: boolean } {
    this.#cut();
    this.#hits.sort(this.#before);
    return { hits: this.#hits, isAll: !this.#dropped };
  }
}
