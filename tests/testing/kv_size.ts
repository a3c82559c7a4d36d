import { serialize } from "node:v8";
import { encodeKey } from "./kv_key_order.ts";

/** The limits of Deno KV, with the ten checks of a shared KV server. Sources: src/kv/limits.ts. */
export const KV_LIMITS = {
  checks: 10,
  mutations: 1_000,
  valueBytes: 65_536,
  totalBytes: 819_200,
  keyBytesOfSets: 81_920,
  writtenKeyBytes: 2_048,
  readKeyBytes: 2_049,
  keysOfGetMany: 10,
  keysOfWatch: 10,
  batchEntries: 1_000,
} as const;

/** How many bytes KV stores for a value. */
export function valueBytes(value: unknown): number {
  return value instanceof Uint8Array ? value.length : serialize(value).length;
}

/** Throws the TypeError that KV throws when a commit is larger than it may be. */
export function assertCommitFits(
  checks: readonly Deno.AtomicCheck[],
  mutations: readonly Deno.KvMutation[],
): void {
  if (checks.length > KV_LIMITS.checks) tooMuch("Too many checks", KV_LIMITS.checks);
  if (mutations.length > KV_LIMITS.mutations) tooMuch("Too many mutations", KV_LIMITS.mutations);
  let total = checks.reduce((sum, { key }) => sum + keyBytes(key), 0);
  let keysOfSets = 0;
  for (const mutation of mutations) {
    const key = keyBytes(mutation.key);
    if (key === 0) throw new TypeError("key cannot be empty");
    if (key > KV_LIMITS.writtenKeyBytes) {
      tooMuch("Key too large for write", KV_LIMITS.writtenKeyBytes, "bytes");
    }
    total += key;
    if (mutation.type !== "set") continue;
    keysOfSets += key;
    const value = valueBytesAtMost(mutation.value);
    if (value > KV_LIMITS.valueBytes) tooMuch("Value too large", KV_LIMITS.valueBytes, "bytes");
    total += key + value;
  }
  if (keysOfSets > KV_LIMITS.keyBytesOfSets) {
    tooMuch("Total key size too large", KV_LIMITS.keyBytesOfSets, "bytes");
  }
  if (total > KV_LIMITS.totalBytes) tooMuch("Total mutation size too large", KV_LIMITS.totalBytes, "bytes");
}

/** Throws the TypeError that KV throws when a key that is to be read is too large. */
export function assertReadable(encoded: string): string {
  if (encoded.length > KV_LIMITS.readKeyBytes) {
    tooMuch("Key too large for read", KV_LIMITS.readKeyBytes, "bytes");
  }
  return encoded;
}

export function tooMuch(what: string, limit: number, unit?: string): never {
  throw new TypeError(`${what} (max ${limit}${unit ? ` ${unit}` : ""})`);
}

/** The place that the versionstamp of the commit will take. */
const STAMP_BYTES = 22;

function keyBytes(key: Deno.KvKey): number {
  const parts: readonly unknown[] = key;
  if (typeof parts.at(-1) !== "symbol") return encodeKey(key).length;
  return encodeKey(key.slice(0, -1)).length + STAMP_BYTES;
}

/** Measuring is slow (10 µs), and most values are small beyond doubt: those count with a bound. */
const SMALL_BYTES = 600;

function valueBytesAtMost(value: unknown): number {
  return bound(value, SMALL_BYTES) <= SMALL_BYTES ? SMALL_BYTES : valueBytes(value);
}

/** A number that is not below the size of the value, unless both are above `enough`. */
function bound(value: unknown, enough: number): number {
  if (typeof value === "string") return 8 + 2 * value.length;
  if (typeof value !== "object" || value === null) return typeof value === "bigint" ? enough + 1 : 12;
  if (ArrayBuffer.isView(value)) return 24 + value.byteLength;
  const isPlain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
  if (!isPlain) return enough + 1;
  let sum = 16;
  for (const [key, part] of Object.entries(value)) {
    sum += 8 + 2 * key.length + bound(part, enough);
    if (sum > enough) break;
  }
  return sum;
}
