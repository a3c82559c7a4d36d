import { FakeKv } from "../testing/fake_kv.ts";
import { FakeKvStore } from "../testing/fake_kv_store.ts";
import { POOL, settle, World } from "./factories.ts";
import { HookedKv, type SentCommit, writes } from "./hooked_kv.ts";

/** A world whose KV can be watched and disturbed. */
export interface HookedWorld extends Disposable {
  world: World;
  kv: HookedKv;
  /** A second server on the same store, which knows nothing of the first one. */
  rival: World;
  /**
   * Keeps the gatekeeper of {@link POOL} busy with a commit until everything that `begin` starts has been asked of
   * it, so that one batch decides it. Tells the answers, and how many commits of the gate they took.
   */
  inOneBatch<T extends readonly unknown[]>(
    begin: () => { [K in keyof T]: Promise<T[K]> },
  ): Promise<{ answers: T; commits: number }>;
  /** Keeps the first commit under way until everything that `begin` starts has come to its own, and waits for all. */
  inOneGroup<T>(begin: () => Promise<T>[]): Promise<T[]>;
}

export function hookedWorld(): HookedWorld {
  const store = new FakeKvStore();
  const kv = new HookedKv(new FakeKv(store));
  const world = new World({ kv });
  const rival = new World({ kv: new FakeKv(store, { who: "rival" }), seed: 2 });

  async function inOneBatch<T extends readonly unknown[]>(begin: () => { [K in keyof T]: Promise<T[K]> }) {
    const before = kv.onCommit;
    const release = Promise.withResolvers<void>();
    kv.onCommit = async (commit) => {
      if (writes(commit, "gate")) await release.promise;
      return await before(commit);
    };
    const busy = world.services.workPools.update(POOL, { description: "busy" });
    await settle();
    const started = begin();
    await settle();
    kv.onCommit = before;
    const from = kv.commits.length;
    release.resolve();
    await busy;
    const answers = await Promise.all(started) as unknown as T;
    return { answers, commits: gateCommits(kv.commits.slice(from)).length };
  }

  async function inOneGroup<T>(begin: () => Promise<T>[]): Promise<T[]> {
    const before = kv.onCommit;
    const release = Promise.withResolvers<void>();
    kv.onCommit = async (commit) => {
      await release.promise;
      return await before(commit);
    };
    const busy = world.services.flows.create({ name: world.deps.ids.uuid(), tags: [], labels: "{}" });
    await settle();
    const started = begin();
    await settle();
    kv.onCommit = before;
    release.resolve();
    await busy;
    return await Promise.all(started);
  }

  return {
    world,
    kv,
    rival,
    inOneBatch,
    inOneGroup,
    [Symbol.dispose]() {
      world[Symbol.dispose]();
      rival[Symbol.dispose]();
    },
  };
}

/** The commits that rewrote a gate. */
export const gateCommits = (commits: readonly SentCommit[]): SentCommit[] =>
  commits.filter((commit) => writes(commit, "gate"));
