/** A KV that tells a test what goes through it, so that the test can act in between, or answer something else. */
import { FakeAtomicOperation } from "../testing/fake_atomic.ts";
import type { FakeMutation } from "../testing/fake_kv_store.ts";

export interface SentCommit {
  checks: readonly Deno.AtomicCheck[];
  mutations: readonly FakeMutation[];
  /** Commits it to the KV behind. */
  send(): Promise<CommitAnswer>;
}

export type CommitAnswer = Deno.KvCommitResult | Deno.KvCommitError;

export class HookedKv implements Deno.Kv {
  /** Sends each commit, or answers in its place. */
  onCommit: (commit: SentCommit) => Promise<CommitAnswer> = ({ send }) => send();
  /** Waited for before every read; lists are told by the start of what they read. */
  beforeRead: (key: Deno.KvKey) => Promise<void> = () => Promise.resolve();
  /** Every commit that was sent. */
  readonly commits: SentCommit[] = [];
  readonly #kv: Deno.Kv;

  constructor(kv: Deno.Kv) {
    this.#kv = kv;
  }

  /** The KV behind, for what a rival does. */
  get behind(): Deno.Kv {
    return this.#kv;
  }

  async get<T = unknown>(key: Deno.KvKey): Promise<Deno.KvEntryMaybe<T>> {
    await this.beforeRead(key);
    return await this.#kv.get<T>(key);
  }

  async getMany<T extends readonly unknown[]>(
    keys: readonly [...{ [K in keyof T]: Deno.KvKey }],
  ): Promise<{ [K in keyof T]: Deno.KvEntryMaybe<T[K]> }> {
    for (const key of keys) await this.beforeRead(key);
    return await this.#kv.getMany<T>(keys);
  }

  list<T = unknown>(selector: Deno.KvListSelector, options?: Deno.KvListOptions): Deno.KvListIterator<T> {
    const start = "prefix" in selector ? selector.prefix : selector.start;
    const list = this.#kv.list<T>(selector, options);
    const before = () => this.beforeRead(start);
    let isFirst = true;
    return {
      get cursor() {
        return list.cursor;
      },
      async next() {
        if (isFirst) await before();
        isFirst = false;
        return await list.next();
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  async set(key: Deno.KvKey, value: unknown): Promise<Deno.KvCommitResult> {
    return await this.#kv.set(key, value);
  }
  async delete(key: Deno.KvKey): Promise<void> {
    await this.#kv.delete(key);
  }

  atomic(): Deno.AtomicOperation {
    return new FakeAtomicOperation((checks, mutations) => {
      const send = () => this.#kv.atomic().check(...checks).mutate(...mutations).commit();
      const commit = { checks, mutations, send };
      this.commits.push(commit);
      return this.onCommit(commit);
    });
  }

  watch<T extends readonly unknown[]>(
    keys: readonly [...{ [K in keyof T]: Deno.KvKey }],
  ): ReadableStream<{ [K in keyof T]: Deno.KvEntryMaybe<T[K]> }> {
    return this.#kv.watch<T>(keys);
  }
  commitVersionstamp(): symbol {
    return this.#kv.commitVersionstamp();
  }
  enqueue(): Promise<Deno.KvCommitResult> {
    throw new TypeError("not used");
  }
  listenQueue(): Promise<void> {
    throw new TypeError("not used");
  }
  close(): void {
    this.#kv.close();
  }
  [Symbol.dispose](): void {
    this.close();
  }
}

/** Whether the commit writes a key that starts with these parts. */
export const writes = ({ mutations }: SentCommit, ...start: Deno.KvKey): boolean =>
  mutations.some(({ key }) => start.every((part, i) => key[i] === part));
