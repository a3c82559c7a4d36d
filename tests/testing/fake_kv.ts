/**
 * A look-alike of `Deno.Kv` in memory, with the faults of a shared KV server. Without a scheduler it simply works;
 * with one, every call waits at a point first, so that the simulation decides about the order.
 */
import { FakeAtomicOperation, unsupported } from "./fake_atomic.ts";
import { COMMIT_VERSIONSTAMP, type FakeKvStore, type FakeMutation } from "./fake_kv_store.ts";
import { FakeListIterator, type ListPaging, type ListRange, pagingOf, rangeOf } from "./fake_list.ts";
import { FakeWatch } from "./fake_watch.ts";
import { encodeKey, keyText } from "./kv_key_order.ts";
import { assertCommitFits, assertReadable, KV_LIMITS, tooMuch } from "./kv_size.ts";
import { SeededRandom } from "./seeded_random.ts";
import type { SimScheduler } from "./sim_scheduler.ts";

/** Chances of each fault at each attempt, 0 to 1. The object may be shared and changed while the world runs. */
export interface KvFaults {
  /** The answer of a commit is lost; the runtime sends it again later, and again until it gets an answer. */
  lostAnswer: number;
  /** Of the commits whose answer is lost: those that were applied all the same. */
  appliedThough: number;
  /** A commit throws although it was applied, will be applied later, or never: the outcome is unknown. */
  unknownOutcome: number;
  /** A commit throws "database is locked" and nothing was written. */
  locked: number;
  /** An answer (of a read, too) arrives only after others have acted. */
  slowAnswer: number;
}

export const NO_FAULTS: Readonly<KvFaults> = {
  lostAnswer: 0,
  appliedThough: 0.7,
  unknownOutcome: 0,
  locked: 0,
  slowAnswer: 0,
};

export interface FakeKvOptions {
  /** The simulated process that owns the handle. */
  who?: string;
  scheduler?: SimScheduler;
  faults?: Readonly<KvFaults>;
}

/** The runtime sends a commit again after 200 to 300 ms; sooner ones find other orders. */
const REPEAT_WITHIN_MS = 300;

export class FakeKv implements Deno.Kv {
  readonly #store: FakeKvStore;
  readonly #who: string;
  readonly #scheduler: SimScheduler | undefined;
  readonly #faults: Readonly<KvFaults>;
  readonly #random: SeededRandom;
  readonly #watches = new Set<{ close(): void }>();
  #closed = false;

  constructor(store: FakeKvStore, options: FakeKvOptions = {}) {
    this.#store = store;
    this.#who = options.who ?? "test";
    this.#scheduler = options.scheduler;
    this.#faults = options.faults ?? NO_FAULTS;
    this.#random = options.scheduler?.random ?? new SeededRandom(1);
  }

  async get<T = unknown>(key: Deno.KvKey): Promise<Deno.KvEntryMaybe<T>> {
    return believed(await this.#read(`get ${keyText(key)}`, () => this.#readOne(key)));
  }

  async getMany<T extends readonly unknown[]>(
    keys: readonly [...{ [K in keyof T]: Deno.KvKey }],
  ): Promise<{ [K in keyof T]: Deno.KvEntryMaybe<T[K]> }> {
    if (keys.length > KV_LIMITS.keysOfGetMany) tooMuch("Too many ranges", KV_LIMITS.keysOfGetMany);
    const label = `getMany ${keys.map(keyText).join(" ")}`;
    return believed(await this.#read(label, () => keys.map((key) => this.#readOne(key))));
  }

  list<T = unknown>(selector: Deno.KvListSelector, options: Deno.KvListOptions = {}): Deno.KvListIterator<T> {
    this.#assertOpen();
    return new FakeListIterator(this.#pages<T>(rangeOf(selector), pagingOf(options)));
  }

  async set(key: Deno.KvKey, value: unknown): Promise<Deno.KvCommitResult> {
    const result = await this.atomic().set(key, value).commit();
    if (!result.ok) throw new Error("a commit without checks cannot fail one");
    return result;
  }

  async delete(key: Deno.KvKey): Promise<void> {
    await this.atomic().delete(key).commit();
  }

  atomic(): Deno.AtomicOperation {
    return new FakeAtomicOperation((checks, mutations) => this.#commit(checks, mutations));
  }

  watch<T extends readonly unknown[]>(
    keys: readonly [...{ [K in keyof T]: Deno.KvKey }],
  ): ReadableStream<{ [K in keyof T]: Deno.KvEntryMaybe<T[K]> }> {
    this.#assertOpen();
    if (keys.length > KV_LIMITS.keysOfWatch) tooMuch("Too many keys", KV_LIMITS.keysOfWatch);
    const watch = new FakeWatch<{ [K in keyof T]: Deno.KvEntryMaybe<T[K]> }>(this.#store, keys, async () => {
      await this.#scheduler?.point(this.#who, `watch ${keys.map(keyText).join(" ")}`);
      return believed(keys.map((key) => this.#readOne(key)));
    });
    if (keys.length === 0) watch.close();
    else this.#watches.add(watch);
    return watch.stream;
  }

  commitVersionstamp(): symbol {
    return COMMIT_VERSIONSTAMP;
  }

  enqueue(): Promise<Deno.KvCommitResult> {
    return unsupported("enqueue");
  }
  listenQueue(): Promise<void> {
    return unsupported("listenQueue");
  }

  close(): void {
    this.#assertOpen();
    this.#closed = true;
    for (const watch of this.#watches) watch.close();
  }

  [Symbol.dispose](): void {
    if (!this.#closed) this.close();
  }

  #assertOpen(): void {
    if (this.#closed) throw new Deno.errors.BadResource("Bad resource ID");
  }

  #happens(fault: keyof KvFaults): boolean {
    const chance = this.#faults[fault];
    return chance > 0 && this.#random.chance(chance);
  }

  /** The request reaches the store when the simulation says so. */
  async #arrive(label: string): Promise<void> {
    this.#assertOpen();
    await this.#scheduler?.point(this.#who, label);
  }

  async #answer<T>(label: string, result: T): Promise<T> {
    if (this.#happens("slowAnswer")) await this.#scheduler?.point(this.#who, `answer of ${label}`);
    return result;
  }

  async #read<T>(label: string, read: () => T): Promise<T> {
    await this.#arrive(label);
    return await this.#answer(label, read());
  }

  #readOne(key: Deno.KvKey): Deno.KvEntryMaybe<unknown> {
    assertReadable(encodeKey(key));
    return this.#store.read(key);
  }

  async *#pages<T>(range: ListRange, paging: ListPaging): AsyncGenerator<Deno.KvEntry<T>, undefined> {
    let { start, end } = range;
    for (let left = paging.limit; left > 0;) {
      const limit = Math.min(paging.batchSize, left);
      const page = await this.#read(
        `list ${range.label}`,
        () => this.#store.readRange({ start, end, limit, reverse: paging.reverse }),
      );
      for (const entry of page) yield believed(entry);
      const last = page.at(-1);
      if (!last || page.length < limit) return;
      left -= page.length;
      if (paging.reverse) end = encodeKey(last.key);
      else start = `${encodeKey(last.key)}\x00`;
    }
  }

  async #commit(
    checks: readonly Deno.AtomicCheck[],
    mutations: readonly FakeMutation[],
  ): Promise<Deno.KvCommitResult | Deno.KvCommitError> {
    assertCommitFits(checks, mutations);
    const label = `commit ${mutations.map(({ type, key }) => `${type} ${keyText(key)}`).join(", ")}`;
    const apply = () => this.#store.commit(this.#who, checks, mutations);
    await this.#arrive(label);
    if (this.#happens("locked")) throw new TypeError("database is locked");
    while (this.#happens("lostAnswer")) {
      if (this.#happens("appliedThough")) apply();
      await this.#scheduler?.sleep(this.#who, this.#random.int(REPEAT_WITHIN_MS));
      await this.#arrive(`repeat ${label}`);
    }
    if (this.#happens("unknownOutcome")) this.#leaveUnknown(label, apply);
    return await this.#answer(label, apply());
  }

  /** Applied now, later or never; the request on its way survives the process that sent it. */
  #leaveUnknown(label: string, apply: () => void): never {
    const fate = this.#random.int(3);
    if (fate === 0) apply();
    if (fate === 1) this.#scheduler?.start(`${this.#who} (network)`, () => Promise.resolve(apply()));
    throw new Error(`simulated failure, outcome unknown: ${label}`);
  }
}

/** The caller names the type of what is stored, as with `Deno.Kv`: nothing can check it. The one cast of the fakes. */
function believed<T>(stored: unknown): T {
  return stored as T;
}
