import { encodeKey } from "./kv_key_order.ts";

/** A commit that was applied. Values and keys are the stored ones: look, do not change. */
export interface AppliedCommit {
  /** The simulated process that sent it. */
  who: string;
  versionstamp: string;
  checks: readonly Deno.AtomicCheck[];
  /** Keys that ended with the versionstamp's symbol carry the versionstamp. */
  mutations: readonly FakeMutation[];
}

export type FakeMutation = { type: "set"; key: Deno.KvKey; value: unknown } | {
  type: "delete";
  key: Deno.KvKey;
};

interface Row {
  key: Deno.KvKey;
  value: unknown;
  versionstamp: string;
}

/** Part of keys that become the commit's versionstamp. */
export const COMMIT_VERSIONSTAMP: unique symbol = Symbol("commit versionstamp");

/** The database of one simulated world: sorted, versioned, strictly serial. Handles on it: `FakeKv`. */
export class FakeKvStore {
  /** Told each commit right after it was applied. What it throws goes to whoever committed. */
  onCommit: (commit: AppliedCommit) => void = () => {};
  readonly #rows = new Map<string, Row>();
  /** The encoded keys in order. */
  readonly #order: string[] = [];
  readonly #watchers = new Map<string, Set<() => void>>();
  #version = 0;

  /** An entry as KV answers it: the value is a copy. */
  read(key: Deno.KvKey): Deno.KvEntryMaybe<unknown> {
    const row = this.#rows.get(encodeKey(key));
    return row ? copyOf(row) : { key: [...key], value: null, versionstamp: null };
  }

  /** The entries with `start` <= encoded key < `end`, at most `limit`, from the end when `reverse`. */
  readRange(range: { start: string; end: string; limit: number; reverse: boolean }): Deno.KvEntry<unknown>[] {
    const from = this.#indexOf(range.start);
    const to = Math.max(from, this.#indexOf(range.end));
    const keys = range.reverse
      ? this.#order.slice(Math.max(from, to - range.limit), to).reverse()
      : this.#order.slice(from, Math.min(to, from + range.limit));
    return keys.map((encoded) => copyOf(this.#rows.get(encoded)!));
  }

  /** The stored value itself, for observers that look at it and do not change it. Undefined when absent. */
  peek(key: Deno.KvKey): unknown {
    return this.#rows.get(encodeKey(key))?.value;
  }

  /** All keys and stored values below a prefix, in order, for observers. */
  *peekAll(prefix: Deno.KvKey): Generator<{ key: Deno.KvKey; value: unknown }> {
    const encoded = encodeKey(prefix);
    for (let i = this.#indexOf(encoded); i < this.#order.length; i++) {
      const at = this.#order[i]!;
      if (!at.startsWith(encoded)) return;
      yield this.#rows.get(at)!;
    }
  }

  /** Applies the mutations if every check holds. Values are kept as they are: pass copies. */
  commit(
    who: string,
    checks: readonly Deno.AtomicCheck[],
    mutations: readonly FakeMutation[],
  ): Deno.KvCommitResult | Deno.KvCommitError {
    const holds = ({ key, versionstamp }: Deno.AtomicCheck) =>
      (this.#rows.get(encodeKey(key))?.versionstamp ?? null) === versionstamp;
    if (!checks.every(holds)) return { ok: false };
    const versionstamp = `${(++this.#version).toString(16).padStart(16, "0")}0000`;
    const stamped = mutations.map((mutation) => ({
      ...mutation,
      key: withStamp(mutation.key, versionstamp),
    }));
    for (const mutation of stamped) this.#apply(mutation, versionstamp);
    for (const { key } of mutations) this.#notify(key);
    this.onCommit({ who, versionstamp, checks, mutations: stamped });
    return { ok: true, versionstamp };
  }

  /** Calls `changed` after each commit that wrote one of the keys, until the returned function is called. */
  subscribe(keys: readonly Deno.KvKey[], changed: () => void): () => void {
    const encoded = keys.map(encodeKey);
    for (const key of encoded) {
      const watchers = this.#watchers.get(key) ?? new Set();
      this.#watchers.set(key, watchers.add(changed));
    }
    return () => encoded.forEach((key) => this.#watchers.get(key)?.delete(changed));
  }

  #apply(mutation: FakeMutation, versionstamp: string): void {
    const encoded = encodeKey(mutation.key);
    const known = this.#rows.has(encoded);
    if (mutation.type === "set") {
      if (!known) this.#order.splice(this.#indexOf(encoded), 0, encoded);
      this.#rows.set(encoded, { key: [...mutation.key], value: mutation.value, versionstamp });
    } else if (known) {
      this.#order.splice(this.#indexOf(encoded), 1);
      this.#rows.delete(encoded);
    }
  }

  #notify(key: Deno.KvKey): void {
    if (this.#watchers.size === 0 || isStamped(key)) return;
    for (const changed of this.#watchers.get(encodeKey(key)) ?? []) changed();
  }

  /** Where `encoded` stands in the order, or would stand. */
  #indexOf(encoded: string): number {
    let low = 0;
    let high = this.#order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#order[middle]! < encoded) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function copyOf(row: Row): Deno.KvEntry<unknown> {
  return { key: [...row.key], value: structuredClone(row.value), versionstamp: row.versionstamp };
}

function isStamped(key: Deno.KvKey): boolean {
  const parts: readonly unknown[] = key;
  return parts.at(-1) === COMMIT_VERSIONSTAMP;
}

function withStamp(key: Deno.KvKey, versionstamp: string): Deno.KvKey {
  return isStamped(key) ? [...key.slice(0, -1), versionstamp] : key;
}
