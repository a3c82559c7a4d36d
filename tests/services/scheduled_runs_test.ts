import { assertEquals, assertRejects } from "@std/assert";
import { DomainError } from "../../src/errors.ts";
import type { PollRequest } from "../../src/services/scheduled_runs.ts";
import { POOL, SECOND, World } from "./factories.ts";

async function poll(world: World, request: Partial<PollRequest> = {}, pool = POOL): Promise<string[]> {
  const views = await world.services.scheduledRuns.ofPool(pool, {
    queueNames: [],
    scheduledBefore: null,
    scheduledAfter: null,
    limit: 200,
    ...request,
  });
  return views.map(({ run }) => run.id);
}

Deno.test("ScheduledRuns shows what could be claimed, in the order in which it would be", async () => {
  using world = new World();
  const pool = await world.pool({
    concurrency_limit: 5,
    queues: { low: {}, high: { priority: 1, concurrency_limit: 2 }, paused: { is_paused: true } },
  });
  const at = (seconds: number) => world.now + seconds * SECOND;
  const low = [await world.run({ queue: "low", at: at(-5) }), await world.run({ queue: "low", at: at(-9) })];
  const high = [
    await world.run({ queue: "high", at: at(-1) }),
    await world.run({ queue: "high", at: at(-1) }),
  ];
  await world.run({ queue: "high" });
  await world.run({ queue: "paused", at: at(-99) });
  const plain = await world.run({ at: at(-50) });
  const shown = await poll(world);
  assertEquals(shown, [...high, plain, low[1]!, low[0]!]);
  assertEquals(await poll(world), shown, "nothing is reserved");
  assertEquals((await world.claim(pool.keeper, 10)).map(({ id }) => id), shown);
});

Deno.test("ScheduledRuns cuts to the limit, to the time, and to the queues that are named", async () => {
  using world = new World();
  await world.pool({ queues: { a: {}, b: {} } });
  const at = (seconds: number) => world.now + seconds * SECOND;
  const a = [await world.run({ queue: "a", at: at(-10) }), await world.run({ queue: "a", at: at(10) })];
  const b = [await world.run({ queue: "b", at: at(-20) }), await world.run({ queue: "b", at: at(3_600) })];
  assertEquals(await poll(world), [...a, ...b], "without a bound, everything that waits");
  assertEquals(await poll(world, { limit: 1 }), [a[0]!]);
  assertEquals(await poll(world, { limit: 0 }), []);
  assertEquals(await poll(world, { scheduledBefore: at(0) }), [a[0]!, b[0]!]);
  assertEquals(await poll(world, { scheduledBefore: at(15) }), [...a, b[0]!]);
  assertEquals(await poll(world, { scheduledAfter: at(-15) }), [...a, b[1]!]);
  assertEquals(await poll(world, { scheduledAfter: at(-10), scheduledBefore: at(10) }), a);
  assertEquals(await poll(world, { queueNames: ["b"] }), b);
  assertEquals(await poll(world, { queueNames: ["b", "b", "a"] }), [...a, ...b]);
});

Deno.test("ScheduledRuns shows no more than the slots that are free", async () => {
  using world = new World();
  await world.pool({ concurrency_limit: 3, queues: { q: { concurrency_limit: 2 } } });
  await world.propose(await world.run({ queue: "q" }), "RUNNING");
  const [one] = await world.runs(2, { queue: "q" });
  assertEquals(await poll(world), [one!], "one in the queue");
  const others = await world.runs(3);
  assertEquals(await poll(world), others.slice(0, 2), "two in the pool");
  await world.services.workPools.update(POOL, { concurrency_limit: 1 });
  assertEquals(await poll(world), []);
  await world.services.workPools.update(POOL, { concurrency_limit: null, is_paused: true });
  assertEquals(await poll(world), []);
});

Deno.test("ScheduledRuns shows runs of all SCHEDULED names, not those that retry inside their process", async () => {
  using world = new World();
  await world.pool();
  const late = await world.run();
  await world.propose(late, "SCHEDULED", { name: "Late", details: { scheduled_time: world.now } });
  const policy = { max_retries: 0, retry_delay_seconds: 0, retries: 1, retry_delay: 0 };
  const retrying = await world.run({ empirical_policy: policy });
  await world.propose(retrying, "RUNNING");
  const { run } = await world.propose(retrying, "FAILED");
  assertEquals([run.state.type, run.state.name], ["SCHEDULED", "AwaitingRetry"]);
  assertEquals(await poll(world), [late]);
});

Deno.test("ScheduledRuns answers not_found for a pool or queue that is not there", async () => {
  using world = new World();
  await world.pool();
  await assertRejects(() => poll(world, {}, "nowhere"), DomainError, `"nowhere" not found`);
  await assertRejects(() => poll(world, { queueNames: ["default", "q"] }), DomainError, "'pool/q' not found");
});

Deno.test("ScheduledRuns marks the queues and deployments that it asked, also when there is nothing", async () => {
  using world = new World();
  await world.pool({ queues: { a: {}, b: {} } });
  const deployment = await world.deployment({ work_queue_name: "a" });
  await poll(world, { queueNames: ["a"] });
  const status = async (name: string) => (await world.services.workQueues.get(POOL, name)).status;
  assertEquals([await status("a"), await status("b")], ["READY", "NOT_READY"]);
  assertEquals((await world.services.deployments.get(deployment)).status, "READY");
  await world.deps.advance(59_999);
  assertEquals(await status("a"), "READY");
  await world.deps.advance(1);
  assertEquals(await status("a"), "NOT_READY");
  await world.services.workQueues.update(POOL, "a", { is_paused: true });
  await poll(world, { queueNames: ["a"] });
  assertEquals(await status("a"), "PAUSED");
});

Deno.test("ScheduledRuns.ofQueue() shows one queue, and marks it only when it is a poll", async () => {
  using world = new World();
  await world.pool({ queues: { q: {} } });
  const { queue: { id } } = await world.services.workQueues.get(POOL, "q");
  const run = await world.run({ queue: "q" });
  await world.run();
  const look = async (isPoll: boolean) =>
    (await world.services.scheduledRuns.ofQueue(
      id,
      { scheduledBefore: world.now, scheduledAfter: null, limit: 10 },
      isPoll,
    )).map((view) => view.run.id);
  const status = async () => (await world.services.workQueues.get(POOL, "q")).status;
  assertEquals([await look(false), await status()], [[run], "NOT_READY"]);
  assertEquals([await look(true), await status()], [[run], "READY"]);
  await world.services.workPools.update(POOL, { is_paused: true });
  assertEquals(await look(true), []);
  const missing = await assertRejects(
    () =>
      world.services.scheduledRuns.ofQueue(crypto.randomUUID(), {
        scheduledBefore: null,
        scheduledAfter: null,
        limit: 1,
      }),
    DomainError,
  );
  assertEquals(missing.code, "missing_object");
});

Deno.test("ScheduledRuns and set_state by twenty pollers hand out each run once, within the limits", async () => {
  using world = new World({ kv: await Deno.openKv(":memory:") });
  const pool = await world.pool({ concurrency_limit: 7, queues: { a: { concurrency_limit: 1 }, b: {} } });
  const runs = [
    ...await world.runs(15, { queue: "a" }),
    ...await world.runs(15, { queue: "b" }),
    ...await world.runs(10),
  ];
  const handedOut: string[] = [];
  const poller = async () => {
    for (;;) {
      const seen = await poll(world, { limit: 3 });
      const held = (await world.services.gates.read(pool.id))!.occ;
      if (seen.length === 0 && held === 0) return;
      for (const run of seen) {
        const { answer } = await world.propose(run, "PENDING");
        if (answer.status !== "ACCEPT") continue;
        handedOut.push(run);
        const gate = (await world.services.gates.read(pool.id))!;
        assertEquals(gate.occ <= 7, true);
        await world.propose(run, "RUNNING");
        await world.propose(run, "COMPLETED");
      }
    }
  };
  await Promise.all(Array.from({ length: 20 }, poller));
  assertEquals(handedOut.toSorted(), runs.toSorted());
  assertEquals(await world.faults(), []);
});

Deno.test("ScheduledRuns.ofQueue() keeps to the queue's own filter of tags and deployments", async () => {
  using world = new World();
  await world.pool({ queues: { q: {} } });
  const { workQueues, scheduledRuns } = world.services;
  const deployment = await world.deployment({ work_queue_name: "q" });
  const both = await world.run({ queue: "q", tags: ["a", "b"] });
  const one = await world.run({ queue: "q", tags: ["a"], deployment_id: deployment });
  await world.run({ queue: "q" });
  const { queue } = await workQueues.get(POOL, "q");
  const runs = async (filter: unknown, limit = 10) => {
    await workQueues.update(POOL, "q", { filter: filter === null ? null : JSON.stringify(filter) });
    const request = { scheduledBefore: null, scheduledAfter: null, limit };
    return (await scheduledRuns.ofQueue(queue.id, request)).map(({ run }) => run.id);
  };
  assertEquals((await runs(null)).length, 3);
  assertEquals((await runs({ tags: null, deployment_ids: null })).length, 3);
  assertEquals(await runs({ tags: ["a"] }), [both, one]);
  assertEquals(await runs({ tags: ["a"] }, 1), [both]);
  assertEquals(await runs({ tags: ["b", "a"] }), [both]);
  assertEquals(await runs({ deployment_ids: [deployment] }), [one]);
  assertEquals(await runs({ tags: ["b"], deployment_ids: [deployment] }), []);
});
