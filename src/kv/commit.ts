import { DomainError } from "../errors.ts";
import { type JournalItem, type RunRecord, STATE_TYPES, type StateType } from "../schemas/records.ts";
import { unknownOutcome } from "./deadline.ts";
import { journalPrefix, type Key, onceKey, runKey } from "./keys.ts";

/** A commit is repeated for seconds, or for as long as a server cannot be reached: much less than a day. */
const ONCE_MS = 24 * 60 * 60 * 1000;

/** What a commit depends on: the key and the version at which it was read (null: absent). */
export interface Version {
  key: Deno.KvKey;
  versionstamp: string | null;
}

/** Is told what an applied commit wrote, right after it was answered. Must not throw. */
export type CommitListener = (versionstamp: string, mutations: readonly Deno.KvMutation[]) => void;

const listeners = new WeakMap<Deno.Kv, CommitListener>();

/** Tells `listener` of every commit of this process on `kv` that changes runs, until the returned function is called. */
export function listenToCommits(kv: Deno.Kv, listener: CommitListener): () => void {
  listeners.set(kv, listener);
  return () => listeners.delete(kv);
}

/**
 * One atomic write under construction.
 *
 * Every commit must write a key that it checks: KV Connect repeats commits whose answer was lost, and a repeated
 * commit has to fail then. Runs are written by {@link writeRun} alone, so that none escapes the journal.
 */
export class Commit {
  readonly #checks = new Map<string, Version>();
  readonly #mutations: Deno.KvMutation[] = [];
  readonly #journal: JournalItem[] = [];

  /** How many checks it has; KV allows `MAX_CHECKS`. */
  get checks(): number {
    return this.#checks.size;
  }
  /** How many mutations it will have. */
  get mutations(): number {
    return this.#mutations.length + (this.#journal.length > 0 ? 1 : 0);
  }
  get isEmpty(): boolean {
    return this.mutations === 0;
  }

  /** Fails the commit unless `version.key` is still at that version. */
  check(version: Version): this {
    this.#checks.set(JSON.stringify(version.key), { key: version.key, versionstamp: version.versionstamp });
    return this;
  }

  /** Fails the commit unless `key` is absent. */
  checkAbsent(key: Deno.KvKey): this {
    return this.check({ key, versionstamp: null });
  }

  /**
   * Makes sure that it is applied once at most, over a shared KV whose client repeats commits. A check that a key is
   * absent is not enough there: what the commit creates may be deleted again before it is repeated. `id` is fresh.
   */
  once(id: string): this {
    return this.checkAbsent(onceKey(id)).set(onceKey(id), 0, { expireIn: ONCE_MS });
  }

  set<T>(key: Key<T>, value: T, options: { expireIn?: number } = {}): this {
    this.#mutations.push({ type: "set", key, value, ...options });
    return this;
  }

  delete(key: Deno.KvKey): this {
    this.#mutations.push({ type: "delete", key });
    return this;
  }

  /** Writes (`after`) or deletes (null) a run record. `before` is null for a new run. */
  writeRun(before: RunRecord | null, after: RunRecord | null): this {
    const id = (after ?? before)?.id;
    if (id === undefined) return this;
    if (after) this.set(runKey(id), after);
    else this.delete(runKey(id));
    this.#journal.push([id, typeIndex(before?.state.type), typeIndex(after?.state.type)]);
    return this;
  }

  /** Notes in the journal that a run's description changed. */
  touchRun(run: RunRecord): this {
    const type = typeIndex(run.state.type);
    this.#journal.push([run.id, type, type]);
    return this;
  }

  /** Adds all that `other` checks and writes. */
  add(other: Commit): this {
    for (const [text, version] of other.#checks) this.#checks.set(text, version);
    this.#mutations.push(...other.#mutations);
    this.#journal.push(...other.#journal);
    return this;
  }

  /** How many checks it would have together with `other`. */
  checksWith(other: Commit): number {
    let count = this.#checks.size;
    for (const text of other.#checks.keys()) if (!this.#checks.has(text)) count++;
    return count;
  }

  /**
   * Whether the two exclude each other, so that only one may be applied as it was decided: they saw different
   * versions of a key, or one writes what the other checks.
   */
  excludes(other: Commit): boolean {
    for (const [text, version] of other.#checks) {
      const own = this.#checks.get(text);
      if (own && own.versionstamp !== version.versionstamp) return true;
    }
    return this.#writesCheckOf(other) || other.#writesCheckOf(this);
  }

  #writesCheckOf(other: Commit): boolean {
    return this.#mutations.some(({ key }) => other.#checks.has(JSON.stringify(key)));
  }

  /**
   * Sends it. `ok: false` means that a check failed, or that an earlier attempt of the runtime was applied and its
   * answer lost: the caller has to look which.
   *
   * @throws DomainError `too_large` when a value does not fit; nothing is written then
   * @throws DomainError `unknown_outcome` when the store failed: it may be written or not
   */
  async send(kv: Deno.Kv): Promise<Deno.KvCommitResult | Deno.KvCommitError> {
    for (;;) {
      const operation = kv.atomic().check(...this.#checks.values()).mutate(...this.#mutations);
      if (this.#journal.length > 0) {
        operation.set([...journalPrefix(), kv.commitVersionstamp()], this.#journal);
      }
      try {
        const result = await operation.commit();
        if (result.ok && this.#journal.length > 0) listeners.get(kv)?.(result.versionstamp, this.#mutations);
        return result;
      } catch (error) {
        if (isTooLarge(error)) {
          throw new DomainError(
            "too_large",
            "The object is too large to be stored: shorten its texts, tags or labels.",
            {
              cause: error,
            },
          );
        }
        if (!isLocked(error)) throw unknownOutcome(error);
      }
    }
  }
}

const isTooLarge = (error: unknown): boolean => error instanceof TypeError && /too large/.test(error.message);

/** Another connection writes the SQLite file just now. Deno KV throws this before anything is written. */
const isLocked = (error: unknown): boolean =>
  error instanceof Error && error.message.includes("database is locked");

const typeIndex = (type: StateType | undefined): number =>
  type === undefined ? -1 : STATE_TYPES.indexOf(type);
