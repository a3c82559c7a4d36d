/**
 * A wrapper around any KV that keeps the laws of commits and counts what they cost.
 *
 * Law: a commit writes a key that it checks. KV Connect repeats commits whose answer was lost, and only such a commit
 * fails when it is repeated. And it has at most ten checks.
 */
import { type CheckedCommit, isGuarded, KvCost, lawBroken } from "./commit_laws.ts";
import { keyText } from "./kv_key_order.ts";

export interface CheckedKvOptions {
  /** Send each commit that was applied a second time at once, and report it when that is applied, too. */
  repeatCommits?: boolean;
}

/** A commit that breaks a law. It is also kept in {@link CheckedKv.violations}, should somebody catch it. */
export class CommitViolation extends Error {
  override readonly name = "CommitViolation";
}

export class CheckedKv implements Deno.Kv {
  /** What went through since the last `cost.reset()`. */
  readonly cost = new KvCost();
  /** Every law that was broken, in words. */
  readonly violations: string[] = [];
  readonly #kv: Deno.Kv;
  readonly #repeatCommits: boolean;

  constructor(kv: Deno.Kv, options: CheckedKvOptions = {}) {
    this.#kv = kv;
    this.#repeatCommits = options.repeatCommits ?? false;
  }

  async get<T = unknown>(key: Deno.KvKey): Promise<Deno.KvEntryMaybe<T>> {
    const entry = await this.#kv.get<T>(key);
    this.cost.addRead([entry]);
    return entry;
  }

  async getMany<T extends readonly unknown[]>(
    keys: readonly [...{ [K in keyof T]: Deno.KvKey }],
  ): Promise<{ [K in keyof T]: Deno.KvEntryMaybe<T[K]> }> {
    const entries = await this.#kv.getMany<T>(keys);
    this.cost.addRead(entries);
    return entries;
  }

  list<T = unknown>(selector: Deno.KvListSelector, options: Deno.KvListOptions = {}): Deno.KvListIterator<T> {
    return new CountedList(this.#kv.list<T>(selector, options), this.cost, options);
  }

  async set(key: Deno.KvKey, value: unknown, options?: { expireIn?: number }): Promise<Deno.KvCommitResult> {
    const result = await this.atomic().set(key, value, options).commit();
    if (!result.ok) throw new Error("a commit without checks cannot fail one");
    return result;
  }

  async delete(key: Deno.KvKey): Promise<void> {
    await this.atomic().delete(key).commit();
  }

  atomic(): Deno.AtomicOperation {
    return new CheckedAtomicOperation((commit) => this.#commit(commit));
  }

  watch<T extends readonly unknown[]>(
    keys: readonly [...{ [K in keyof T]: Deno.KvKey }],
    options?: { raw?: boolean },
  ): ReadableStream<{ [K in keyof T]: Deno.KvEntryMaybe<T[K]> }> {
    return this.#kv.watch<T>(keys, options);
  }

  commitVersionstamp(): symbol {
    return this.#kv.commitVersionstamp();
  }
  enqueue(): Promise<Deno.KvCommitResult> {
    return forbidden("enqueue");
  }
  listenQueue(): Promise<void> {
    return forbidden("listenQueue");
  }
  close(): void {
    this.#kv.close();
  }
  [Symbol.dispose](): void {
    this.#kv[Symbol.dispose]();
  }

  async #commit(commit: CheckedCommit): Promise<Deno.KvCommitResult | Deno.KvCommitError> {
    const broken = lawBroken(commit);
    if (broken) this.#report(broken, commit);
    const result = await this.#send(commit);
    this.cost.addCommit(commit, result.ok);
    if (result.ok && this.#repeatCommits && isGuarded(commit)) {
      const again = await this.#send(commit);
      if (again.ok) this.#report("was applied a second time", commit);
    }
    return result;
  }

  #send({ checks, mutations }: CheckedCommit): Promise<Deno.KvCommitResult | Deno.KvCommitError> {
    return this.#kv.atomic().check(...checks).mutate(...mutations).commit();
  }

  #report(what: string, { checks, mutations }: CheckedCommit): never {
    const text = `A commit ${what}. It checks ${keysOf(checks)}; it writes ${keysOf(mutations)}.`;
    this.violations.push(text);
    throw new CommitViolation(text);
  }
}

class CheckedAtomicOperation implements Deno.AtomicOperation {
  readonly #commit: CheckedCommit = { checks: [], mutations: [] };
  readonly #send: (commit: CheckedCommit) => ReturnType<Deno.AtomicOperation["commit"]>;

  constructor(send: (commit: CheckedCommit) => ReturnType<Deno.AtomicOperation["commit"]>) {
    this.#send = send;
  }
  check(...checks: Deno.AtomicCheck[]): this {
    this.#commit.checks.push(...checks);
    return this;
  }
  mutate(...mutations: Deno.KvMutation[]): this {
    this.#commit.mutations.push(...mutations);
    return this;
  }
  set(key: Deno.KvKey, value: unknown, options: { expireIn?: number } = {}): this {
    return this.mutate({ type: "set", key, value, ...options });
  }
  delete(key: Deno.KvKey): this {
    return this.mutate({ type: "delete", key });
  }
  commit(): ReturnType<Deno.AtomicOperation["commit"]> {
    return this.#send(this.#commit);
  }
  sum(): this {
    return forbidden("sum");
  }
  min(): this {
    return forbidden("min");
  }
  max(): this {
    return forbidden("max");
  }
  enqueue(): this {
    return forbidden("enqueue");
  }
}

/** Passes entries on and counts them, and the batches that KV reads for them. */
class CountedList<T> implements Deno.KvListIterator<T> {
  readonly #list: Deno.KvListIterator<T>;
  readonly #cost: KvCost;
  readonly #limit: number;
  readonly #batchSize: number;
  #seen = 0;

  constructor(list: Deno.KvListIterator<T>, cost: KvCost, options: Deno.KvListOptions) {
    this.#list = list;
    this.#cost = cost;
    this.#limit = options.limit ?? Infinity;
    this.#batchSize = options.batchSize ?? Math.min(options.limit ?? 100, 500);
    cost.lists++;
  }
  get cursor(): string {
    return this.#list.cursor;
  }
  async next(): Promise<IteratorResult<Deno.KvEntry<T>, undefined>> {
    if (this.#seen % this.#batchSize === 0 && this.#seen < this.#limit) this.#cost.addRead([]);
    const result = await this.#list.next();
    if (!result.done) {
      this.#seen++;
      this.#cost.entries++;
    }
    return result;
  }
  [Symbol.asyncIterator](): AsyncIterableIterator<Deno.KvEntry<T>> {
    return this;
  }
}

function keysOf(items: readonly { key: Deno.KvKey }[]): string {
  return items.length === 0 ? "nothing" : items.map(({ key }) => keyText(key)).join(", ");
}

function forbidden(what: string): never {
  throw new TypeError(`Sluice must not use ${what} of KV.`);
}
