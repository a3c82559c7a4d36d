import type { Key } from "./keys.ts";
import { GET_MANY_KEYS } from "./limits.ts";

/** What was read: the value (null when absent) and the version to check in a commit. */
export interface Entry<T> {
  key: Deno.KvKey;
  value: T | null;
  versionstamp: string | null;
}

export async function get<T>(kv: Deno.Kv, key: Key<T>): Promise<Entry<T>> {
  return await kv.get<T>(key);
}

/** Reads any number of keys, ten at a time. Each group of ten is one snapshot; together they are none. */
export async function getMany<T>(kv: Deno.Kv, keys: readonly Key<T>[]): Promise<Entry<T>[]> {
  const groups: Promise<Entry<T>[]>[] = [];
  for (let i = 0; i < keys.length; i += GET_MANY_KEYS) {
    groups.push(kv.getMany<T[]>(keys.slice(i, i + GET_MANY_KEYS)) as Promise<Entry<T>[]>);
  }
  return (await Promise.all(groups)).flat();
}

/** All entries below `prefix`, in order. Not a snapshot beyond one batch of KV. */
export async function listAll<T>(
  kv: Deno.Kv,
  prefix: Key<T>,
  options: Deno.KvListOptions = {},
): Promise<(Entry<T> & { value: T })[]> {
  return await Array.fromAsync(kv.list<T>({ prefix }, options)) as (Entry<T> & { value: T })[];
}
