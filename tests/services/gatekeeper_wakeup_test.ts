/**
 * Each way to lose a wake-up (docs/gate.md, H31 and "Waking up"). Time stands still unless a test moves it, so a
 * claim that is answered was woken, and not found by the slow look of the safety net.
 */
import { assertEquals, assertRejects } from "@std/assert";
import { DomainError } from "../../src/errors.ts";
import type { RunRecord } from "../../src/schemas/records.ts";
import { settle, World } from "./factories.ts";
import { hookedWorld } from "./hooked_world.ts";

const MINUTE = 60_000;
const ids = (runs: readonly RunRecord[]) => runs.map(({ id }) => id);

/** A pool whose claims find nothing yet. */
async function waitingClaim(world: World, options: Parameters<World["pool"]>[0] = {}, n = 1) {
  const pool = await world.pool(options);
  const session = await world.session();
  const begin = () => {
    const claiming = pool.keeper.claim(world.claimOf(session, n), MINUTE);
    return settle().then(() => ({ answer: claiming }));
  };
  return { pool, session, begin };
}

/** The runs granted without any time passing; "waits" when there is no answer. */
async function granted(claiming: Promise<RunRecord[]>): Promise<string[] | "waits"> {
  let answer: string[] | "waits" = "waits";
  claiming.then((runs) => answer = ids(runs), () => {});
  await settle(5);
  return answer;
}

Deno.test("claim() is woken by a run that is enqueued", async () => {
  using world = new World();
  const { begin } = await waitingClaim(world);
  const { answer } = await begin();
  assertEquals(await granted(answer), "waits");
  const run = await world.run();
  assertEquals(await granted(answer), [run]);
});

Deno.test("claim() sees a run that is enqueued while the claim registers", async () => {
  using world = new World();
  const { pool, session } = await waitingClaim(world);
  for (let turn = 0; turn < 30; turn++) {
    // Each time the enqueue has got a little further when the claim comes.
    const enqueueing = world.run();
    for (let i = 0; i < turn; i++) await Promise.resolve();
    const claiming = pool.keeper.claim(world.claimOf(session), MINUTE);
    assertEquals(await granted(claiming), [await enqueueing], `after ${turn} microtasks`);
  }
});

Deno.test("claim() sees a run that is enqueued while the window is being read", async () => {
  using hooked = hookedWorld();
  const { world, kv } = hooked;
  const { pool, session } = await waitingClaim(world);
  let run: string | undefined;
  kv.beforeRead = async ([kind]) => {
    if (kind !== "wait" || run !== undefined) return;
    run = "being made";
    run = await world.run();
  };
  assertEquals(await granted(pool.keeper.claim(world.claimOf(session), MINUTE)), [run!]);
});

Deno.test("claim() sees a run that is enqueued just after the window was read", async () => {
  using hooked = hookedWorld();
  const { world, kv } = hooked;
  const { pool, session } = await waitingClaim(world);
  const list = kv.list.bind(kv);
  let made: Promise<string> | undefined;
  kv.list = <T>(selector: Deno.KvListSelector, options?: Deno.KvListOptions) => {
    const entries = list<T>(selector, options);
    const isWindow = "start" in selector && selector.start[0] === "wait";
    const next = entries.next.bind(entries);
    entries.next = async () => {
      const result = await next();
      if (isWindow && result.done && !made) await (made = world.run());
      return result;
    };
    return entries;
  };
  const claiming = pool.keeper.claim(world.claimOf(session), MINUTE);
  const got = await granted(claiming);
  assertEquals(got, [await made!]);
});

Deno.test("claim() is answered when a run becomes due, and not before", async () => {
  using world = new World();
  const { begin } = await waitingClaim(world);
  const run = await world.run({ at: world.now + 2_000_000 });
  const { answer } = await begin();
  await world.deps.advance(1_999);
  assertEquals(await granted(answer), "waits");
  await world.deps.advance(1);
  assertEquals(await granted(answer), [run]);
});

Deno.test("claim() is answered in time for a run that is enqueued for later while it waits", async () => {
  using world = new World();
  const { begin } = await waitingClaim(world);
  const { answer } = await begin();
  await world.run({ at: world.now + 3_000_000 });
  const run = await world.run({ at: world.now + 1_000_000 });
  await world.deps.advance(999);
  assertEquals(await granted(answer), "waits");
  await world.deps.advance(1);
  assertEquals(await granted(answer), [run]);
});

Deno.test("claim() with prefetch is answered that much earlier", async () => {
  using world = new World();
  const { pool, session } = await waitingClaim(world);
  const run = await world.run({ at: world.now + 12_000_000 });
  const claiming = pool.keeper.claim(world.claimOf(session, 1, { prefetch: 10_000_000 }), MINUTE);
  await world.deps.advance(1_999);
  assertEquals(await granted(claiming), "waits");
  await world.deps.advance(1);
  assertEquals(await granted(claiming), [run]);
});

/** A pool that is full with one run; the next one waits, and a claim for it. */
async function full(world: World, options: Parameters<World["pool"]>[0] = { concurrency_limit: 1 }) {
  const waiting = await waitingClaim(world, options);
  const held = await world.run();
  const [grant] = await world.claim(waiting.pool.keeper, 1, waiting.session);
  const next = await world.run();
  const { answer } = await waiting.begin();
  assertEquals(await granted(answer), "waits");
  return { ...waiting, held, token: grant!.token!, next, answer };
}

for (const type of ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"] as const) {
  Deno.test(`claim() is woken when a slot comes free by ${type}`, async () => {
    using world = new World();
    const { held, token, next, answer } = await full(world);
    await world.propose(held, type, { token });
    assertEquals(await granted(answer), [next]);
  });
}

Deno.test("claim() is woken when the holder is forced out, when its run is deleted, and when it suspends", async () => {
  const ways: ((world: World, held: string, token: string) => Promise<unknown>)[] = [
    (world, held) => world.propose(held, "CANCELLED", { force: true }),
    (world, held) => world.services.flowRuns.delete(held),
    async (world, held, token) => {
      await world.propose(held, "RUNNING", { token });
      await world.propose(held, "PAUSED", { token, details: { pause_reschedule: true } });
    },
  ];
  for (const free of ways) {
    using world = new World();
    await world.pool({ name: "other" });
    const { pool, begin, session } = await waitingClaim(world, { concurrency_limit: 1 });
    const held = await world.run({ deployment_id: await world.deployment() });
    const [grant] = await world.claim(pool.keeper, 1, session);
    const next = await world.run();
    const { answer } = await begin();
    assertEquals(await granted(answer), "waits");
    await free(world, held, grant!.token!);
    assertEquals(await granted(answer), [next]);
  }
});

Deno.test("claim() is woken by a cancelled run only when its holder reports the end", async () => {
  using world = new World();
  const { held, token, next, answer } = await full(world);
  await world.propose(held, "CANCELLING");
  assertEquals(await granted(answer), "waits");
  await world.propose(held, "CANCELLED", { token });
  assertEquals(await granted(answer), [next]);
});

Deno.test("claim() is woken when a run is released", async () => {
  using world = new World();
  const { pool, begin } = await waitingClaim(world);
  const run = await world.run();
  const [grant] = await world.claim(pool.keeper);
  const { answer } = await begin();
  await world.propose(run, "SCHEDULED", { token: grant!.token! });
  assertEquals(await granted(answer), [run]);
});

Deno.test("claim() is woken when an ended run is scheduled again", async () => {
  using world = new World();
  const { begin } = await waitingClaim(world);
  const run = await world.run({ deployment_id: await world.deployment() });
  await world.propose(run, "FAILED");
  const { answer } = await begin();
  assertEquals(await granted(answer), "waits");
  await world.propose(run, "SCHEDULED");
  assertEquals(await granted(answer), [run]);
});

Deno.test("claim() is woken when a waiting run is brought forward", async () => {
  using world = new World();
  const { begin } = await waitingClaim(world);
  const run = await world.run({ at: world.now + 3_600_000_000 });
  const { answer } = await begin();
  await world.propose(run, "SCHEDULED", { details: { scheduled_time: world.now } });
  assertEquals(await granted(answer), [run]);
});

Deno.test("claim() is woken when the pool's limit is raised or cleared", async () => {
  for (const concurrency_limit of [2, null]) {
    using world = new World();
    const { pool, next, answer } = await full(world);
    await world.services.workPools.update(pool.name, { concurrency_limit });
    assertEquals(await granted(answer), [next]);
  }
});

Deno.test("claim() is woken when the queue's limit is raised or cleared", async () => {
  for (const concurrency_limit of [1, null]) {
    using world = new World();
    const { pool, begin } = await waitingClaim(world, { queues: { q: { concurrency_limit: 0 } } });
    const run = await world.run({ queue: "q" });
    const { answer } = await begin();
    assertEquals(await granted(answer), "waits");
    await world.services.workQueues.update(pool.name, "q", { concurrency_limit });
    assertEquals(await granted(answer), [run]);
  }
});

Deno.test("claim() is woken when the pool or the queue is resumed", async () => {
  const resume = [
    [
      { is_paused: true },
      (world: World, pool: string) => world.services.workPools.update(pool, { is_paused: false }),
    ],
    [
      { queues: { q: { is_paused: true } } },
      (world: World, pool: string) => world.services.workQueues.update(pool, "q", { is_paused: false }),
    ],
  ] as const;
  for (const [options, resumed] of resume) {
    using world = new World();
    const { pool, begin } = await waitingClaim(world, { queues: { q: {} }, ...options });
    const run = await world.run({ queue: "q" });
    const { answer } = await begin();
    assertEquals(await granted(answer), "waits");
    await resumed(world, pool.name);
    assertEquals(await granted(answer), [run]);
  }
});

Deno.test("claim() follows a priority that changes while it waits", async () => {
  using world = new World();
  const { pool, begin } = await waitingClaim(world, { is_paused: true, queues: { a: {}, b: {} } });
  await world.run({ queue: "a" });
  const b = await world.run({ queue: "b" });
  const { answer } = await begin();
  await world.services.workQueues.update(pool.name, "b", { priority: 1 });
  await world.services.workPools.update(pool.name, { is_paused: false });
  assertEquals(await granted(answer), [b]);
});

Deno.test("claim() by name is woken when a queue with waiting runs gets that name", async () => {
  using world = new World();
  const { pool, session } = await waitingClaim(world, { queues: { old: {} } });
  const run = await world.run({ queue: "old" });
  const claiming = pool.keeper.claim(world.claimOf(session, 1, { queues: ["new"] }), MINUTE);
  assertEquals(await granted(claiming), "waits");
  await world.services.workQueues.update(pool.name, "old", { name: "new" });
  assertEquals(await granted(claiming), [run]);
});

Deno.test("claim() is woken by a run that moves into the pool, and into another queue of it", async () => {
  using world = new World();
  await world.pool({ name: "other" });
  const { pool, session } = await waitingClaim(world, { queues: { q: {} } });
  const run = await world.run({ pool: "other" });
  const target = (await world.services.workQueues.get(pool.name, "default")).queue;
  const q = (await world.services.workQueues.get(pool.name, "q")).queue;
  const claiming = pool.keeper.claim(world.claimOf(session, 1, { queues: ["q"] }), MINUTE);
  assertEquals(await world.services.flowRuns.move(run, target.id), true);
  assertEquals(await granted(claiming), "waits");
  assertEquals(await world.services.flowRuns.move(run, q.id), true);
  assertEquals(await granted(claiming), [run]);
  assertEquals(await world.faults(), []);
});

Deno.test("claim() is woken by a move into the pool whose answer was lost", async () => {
  using hooked = hookedWorld();
  const { world, kv } = hooked;
  await world.pool({ name: "other" });
  const { pool, begin } = await waitingClaim(world);
  const run = await world.run({ pool: "other" });
  const target = (await world.services.workQueues.get(pool.name, "default")).queue;
  const { answer } = await begin();
  kv.onCommit = async ({ send }) => {
    await send();
    throw new Error("the connection broke");
  };
  await assertRejects(() => world.services.flowRuns.move(run, target.id), DomainError, "did not answer");
  kv.onCommit = ({ send }) => send();
  assertEquals(await granted(answer), [run]);
});

Deno.test("claim() is woken by an enqueue whose answer was lost", async () => {
  using hooked = hookedWorld();
  const { world, kv } = hooked;
  const { begin } = await waitingClaim(world);
  await world.flow();
  const { answer } = await begin();
  let isFirst = true;
  kv.onCommit = async ({ send }) => {
    const result = await send();
    if (!isFirst) return result;
    isFirst = false;
    throw new Error("the connection broke");
  };
  await assertRejects(() => world.run(), DomainError, "look, then try again");
  assertEquals((await answer).length, 1);
});

Deno.test("claim() is refused at once when the pool is deleted while it waits", async () => {
  using world = new World();
  const { pool, begin } = await waitingClaim(world);
  const { answer } = await begin();
  const refusal = assertRejects(() => answer, DomainError, "does not exist");
  await world.services.workPools.delete(pool.name);
  await refusal;
});

Deno.test("claim() finds by its slow look what no signal told", async () => {
  using hooked = hookedWorld();
  const { world, rival } = hooked;
  const { begin } = await waitingClaim(world);
  const { answer } = await begin();
  const run = await rival.run();
  assertEquals(await granted(answer), "waits");
  await world.deps.advance(10_000);
  assertEquals(await granted(answer), [run]);
});

Deno.test("claim() is empty when its time is over, not earlier, and looks once more before", async () => {
  using world = new World();
  const { pool, session } = await waitingClaim(world);
  const claiming = pool.keeper.claim(world.claimOf(session), 7_000);
  await world.deps.advance(6_999);
  assertEquals(await granted(claiming), "waits");
  await world.deps.advance(1);
  assertEquals(await granted(claiming), []);
  assertEquals([pool.keeper.waitingClaims, world.deps.clock.sleeping], [0, 0]);
});

Deno.test("claim() that does not wait is looked at once", async () => {
  using world = new World();
  const { pool, session } = await waitingClaim(world);
  const run = await world.run();
  assertEquals(ids(await world.claim(pool.keeper, 5, session)), [run]);
  assertEquals(ids(await world.claim(pool.keeper, 5, session)), []);
});

Deno.test("claim() is empty at shutdown", async () => {
  using world = new World();
  const { pool, begin } = await waitingClaim(world);
  const { answer } = await begin();
  world.deps.controller.abort();
  assertEquals(await granted(answer), []);
  assertEquals([pool.keeper.isIdle, world.deps.clock.sleeping], [true, 0]);
});

Deno.test("claim() of a client that leaves is empty, and nothing of the gate goes on", async () => {
  using world = new World();
  const { pool, session } = await waitingClaim(world);
  const client = new AbortController();
  const claiming = pool.keeper.claim(world.claimOf(session, 1, { signal: client.signal }), MINUTE);
  await settle();
  client.abort();
  assertEquals(await granted(claiming), []);
  assertEquals([pool.keeper.isIdle, pool.keeper.waitingClaims, world.deps.clock.sleeping], [true, 0, 0]);
});
