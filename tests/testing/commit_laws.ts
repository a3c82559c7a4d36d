import { encodeKey } from "./kv_key_order.ts";
import { KV_LIMITS, valueBytes } from "./kv_size.ts";

/** What a commit checks and writes. */
export interface CheckedCommit {
  checks: Deno.AtomicCheck[];
  mutations: Deno.KvMutation[];
}

/** First parts of keys that may be written blindly: they carry hints, never truth. */
export const BLIND_KEYS: ReadonlySet<Deno.KvKeyPart> = new Set(["bell", "queue_polled", "deployment_polled"]);

/** Which law the commit breaks, in words; undefined when none. */
export function lawBroken(commit: CheckedCommit): string | undefined {
  if (commit.checks.length > KV_LIMITS.checks) {
    return `has ${commit.checks.length} checks, above ${KV_LIMITS.checks}`;
  }
  const isBlind = commit.mutations.every(({ key }) => BLIND_KEYS.has(key[0]!));
  return isBlind || isGuarded(commit) ? undefined : "has no check on a key that it writes";
}

/** Whether the commit cannot be applied twice: it changes the version of a key that it checks. */
export function isGuarded({ checks, mutations }: CheckedCommit): boolean {
  // The last mutation of a key counts. A key that is deleted though it was absent has the same version as before.
  const last = new Map(mutations.filter(({ key }) => !isStamped(key)).map((m) => [encodeKey(m.key), m.type]));
  return checks.some(({ key, versionstamp }) => {
    const type = last.get(encodeKey(key));
    return type !== undefined && !(type === "delete" && versionstamp === null);
  });
}

/** Counts of what went through a KV, for tests of cost. */
export class KvCost {
  /** Questions to KV: `get`, `getMany`, and each batch of a list. */
  reads = 0;
  /** Entries that were answered, absent ones not counted. */
  entries = 0;
  /** Calls of `list`. */
  lists = 0;
  /** Commits that were applied. */
  commits = 0;
  /** Commits that failed a check. */
  failedCommits = 0;
  /** Mutations of the applied commits. */
  mutations = 0;
  /** Bytes of the values that the applied commits set. */
  bytes = 0;

  reset(): void {
    Object.assign(this, new KvCost());
  }

  addRead(entries: readonly Deno.KvEntryMaybe<unknown>[]): void {
    this.reads++;
    this.entries += entries.filter(({ versionstamp }) => versionstamp !== null).length;
  }

  addCommit({ mutations }: CheckedCommit, ok: boolean): void {
    if (!ok) {
      this.failedCommits++;
      return;
    }
    this.commits++;
    this.mutations += mutations.length;
    for (const mutation of mutations) if (mutation.type === "set") this.bytes += valueBytes(mutation.value);
  }
}

function isStamped(key: Deno.KvKey): boolean {
  const parts: readonly unknown[] = key;
  return typeof parts.at(-1) === "symbol";
}
