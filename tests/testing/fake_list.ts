import { encodeKey, keyText, rangeOfPrefix } from "./kv_key_order.ts";
import { assertReadable, KV_LIMITS, tooMuch } from "./kv_size.ts";

/** What a list reads, in encoded keys: from `start` to before `end`. */
export interface ListRange {
  start: string;
  end: string;
  /** For people. */
  label: string;
}

/** Options of a list with KV's defaults filled in. */
export interface ListPaging {
  limit: number;
  batchSize: number;
  reverse: boolean;
}

/** The range that a selector names. Throws the TypeErrors of KV for selectors that make no sense. */
export function rangeOf(selector: Deno.KvListSelector): ListRange {
  const { prefix, start, end } = { prefix: undefined, start: undefined, end: undefined, ...selector };
  if (prefix === undefined) return rangeBetween(start ?? [], end ?? []);
  if (start && end) {
    throw new TypeError("Selector can not specify both 'start' and 'end' key when specifying 'prefix'");
  }
  const range = { ...rangeOfPrefix(prefix), label: keyText(prefix) };
  assertReadable(range.start);
  if (start) range.start = within(prefix, start, "Start");
  if (end) range.end = within(prefix, end, "End");
  return range;
}

/** Throws for a limit or batch size that KV refuses. */
export function pagingOf(options: Deno.KvListOptions): ListPaging {
  const { limit, batchSize, reverse = false } = options;
  if (limit !== undefined && !(Number.isInteger(limit) && limit > 0)) {
    throw new Error(`Limit must be a positive integer: received ${limit}`);
  }
  if (batchSize !== undefined && batchSize > KV_LIMITS.batchEntries) {
    tooMuch("Too many entries", KV_LIMITS.batchEntries);
  }
  return { limit: limit ?? Infinity, batchSize: batchSize ?? Math.min(limit ?? 100, 500), reverse };
}

/** `Deno.KvListIterator` over any source of entries. */
export class FakeListIterator<T> implements Deno.KvListIterator<T> {
  readonly #entries: AsyncGenerator<Deno.KvEntry<T>, undefined>;

  constructor(entries: AsyncGenerator<Deno.KvEntry<T>, undefined>) {
    this.#entries = entries;
  }
  get cursor(): string {
    throw new TypeError("The fake KV has no cursors.");
  }
  next(): Promise<IteratorResult<Deno.KvEntry<T>, undefined>> {
    return this.#entries.next();
  }
  [Symbol.asyncIterator](): AsyncIterableIterator<Deno.KvEntry<T>> {
    return this;
  }
}

function rangeBetween(start: Deno.KvKey, end: Deno.KvKey): ListRange {
  const range = { start: assertReadable(encodeKey(start)), end: assertReadable(encodeKey(end)) };
  if (range.start > range.end) throw new TypeError("Start key is greater than end key");
  return { ...range, label: `${keyText(start)} … ${keyText(end)}` };
}

function within(prefix: Deno.KvKey, key: Deno.KvKey, which: "Start" | "End"): string {
  const [outer, inner] = [encodeKey(prefix), assertReadable(encodeKey(key))];
  if (inner.startsWith(outer) && inner !== outer) return inner;
  throw new TypeError(`${which} key is not in the keyspace defined by prefix`);
}
