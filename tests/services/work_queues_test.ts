import { assert, assertEquals, assertRejects } from "@std/assert";
import { DomainError } from "../../src/errors.ts";
import { queuePolledKey } from "../../src/kv/keys.ts";
import { closeQueues } from "../../src/services/gate/closing.ts";
import { CheckedKv } from "../testing/checked_kv.ts";
import { POOL, World } from "./factories.ts";
import { hookedWorld } from "./hooked_world.ts";

const PAGE = { limit: 200, offset: 0 };

const priorities = async (world: World) =>
  Object.fromEntries(
    (await world.services.workQueues.list(POOL, null, PAGE)).map((
      { queue, config },
    ) => [queue.name, config.priority]),
  );

Deno.test("WorkQueues follows the reference's worked example of priorities", async () => {
  using world = new World();
  await world.pool();
  const { workQueues } = world.services;
  const create = (name: string, priority?: number) =>
    workQueues.create(POOL, { name, is_paused: false, ...(priority === undefined ? {} : { priority }) });
  await create("a");
  assertEquals(await priorities(world), { default: 1, a: 2 });
  await create("b", 1);
  assertEquals(await priorities(world), { b: 1, default: 2, a: 3 });
  await create("d", 10);
  await create("e");
  assertEquals(await priorities(world), { b: 1, default: 2, a: 3, e: 4, d: 10 });
  await workQueues.update(POOL, "a", { priority: 1 });
  assertEquals(await priorities(world), { a: 1, b: 2, default: 3, e: 4, d: 10 });
  await workQueues.update(POOL, "b", { priority: 10 });
  assertEquals(await priorities(world), { a: 1, default: 3, e: 4, b: 10, d: 11 });
  await workQueues.updateById((await workQueues.get(POOL, "e")).queue.id, { priority: 10 });
  assertEquals(
    await priorities(world),
    { a: 1, default: 3, b: 10, e: 10, d: 11 },
    "by id it is written as it is",
  );
  await workQueues.delete(POOL, "default").catch(() => {});
  await workQueues.delete(POOL, "a");
  await create("f");
  assertEquals(await priorities(world), { f: 1, default: 3, b: 10, e: 10, d: 11 }, "deleting leaves a gap");
});

Deno.test("WorkQueues.create() refuses a name that is taken in the pool", async () => {
  using world = new World();
  await world.pool({ queues: { q: {} } });
  await world.pool({ name: "other", queues: { q: {} } });
  const create = () => world.services.workQueues.create(POOL, { name: "q", is_paused: false });
  assertEquals((await assertRejects(create, DomainError, "already exists")).code, "conflict");
  await assertRejects(
    () => world.services.workQueues.create("nowhere", { name: "q", is_paused: false }),
    DomainError,
    `Work pool "nowhere" not found`,
  );
});

Deno.test("WorkQueues.update() writes only what is given, and renames", async () => {
  using world = new World();
  await world.pool({ queues: { q: { concurrency_limit: 3, priority: 7, description: "d" }, taken: {} } });
  const { workQueues } = world.services;
  const { queue: { id } } = await workQueues.get(POOL, "q");
  await workQueues.update(POOL, "q", { is_paused: true, name: "r" });
  const view = await workQueues.get(POOL, "r");
  assertEquals([
    view.queue.id,
    view.config.paused,
    view.config.limit,
    view.config.priority,
    view.queue.description,
  ], [
    id,
    true,
    3,
    7,
    "d",
  ]);
  assertEquals(view.status, "PAUSED");
  await assertRejects(() => workQueues.get(POOL, "q"), DomainError, "'pool/q' not found");
  await workQueues.updateById(id, { concurrency_limit: null, description: null, is_paused: null });
  const cleared = await workQueues.byId(id);
  assertEquals([cleared.config.limit, cleared.config.paused, cleared.queue.description], [null, true, null]);
  await assertRejects(() => workQueues.updateById(id, { name: "taken" }), DomainError, "already exists");
  await workQueues.create(POOL, { name: "q", is_paused: false });
  await assertRejects(() => workQueues.updateById(crypto.randomUUID(), {}), DomainError, "not found");
});

Deno.test("WorkQueues counts the slots that are taken", async () => {
  using world = new World();
  await world.pool({ queues: { q: {} } });
  for (const run of await world.runs(2, { queue: "q" })) await world.propose(run, "PENDING");
  const held = async (name: string) => (await world.services.workQueues.get(POOL, name)).held;
  assertEquals([await held("q"), await held("default")], [2, 0]);
});

Deno.test("WorkQueues.list() filters by id, name and start of name, by priority, in pages", async () => {
  using world = new World();
  await world.pool({ queues: { "gpu-1": {}, "gpu-2": {}, cpu: { priority: 1 } } });
  await world.pool({ name: "other", queues: { "gpu-3": {} } });
  const names = async (...args: Parameters<typeof world.services.workQueues.list>) =>
    (await world.services.workQueues.list(...args)).map(({ queue }) => queue.name);
  assertEquals(await names(POOL, null, PAGE), ["cpu", "default", "gpu-1", "gpu-2"]);
  assertEquals(await names(POOL, null, { limit: 2, offset: 1 }), ["default", "gpu-1"]);
  assertEquals(await names(POOL, { operator: "and_", name: { startswith_: ["gpu", "c"] } }, PAGE), [
    "cpu",
    "gpu-1",
    "gpu-2",
  ]);
  assertEquals(await names(POOL, { operator: "and_", name: { any_: [] } }, PAGE), []);
  assertEquals(await names(POOL, { operator: "and_", name: { any_: null } }, PAGE), [
    "cpu",
    "default",
    "gpu-1",
    "gpu-2",
  ]);
  const all = await world.services.workQueues.listAll(
    { operator: "and_", name: { startswith_: ["gpu"] } },
    PAGE,
  );
  assertEquals(all.map(({ queue, pool }) => `${pool.name}/${queue.name}`), [
    "pool/gpu-1",
    "pool/gpu-2",
    "other/gpu-3",
  ]);
});

Deno.test("WorkQueues.createWithoutPool() makes the default agent pool with the first queue", async () => {
  using world = new World();
  const { workQueues } = world.services;
  const create = (name: string) => workQueues.createWithoutPool({ name, is_paused: false });
  const first = await create("default");
  assertEquals([first.pool.name, first.queue.name], ["default-agent-pool", "default"]);
  assertEquals((await assertRejects(() => create("default"), DomainError)).code, "conflict");
  assertEquals((await create("q")).pool.name, "default-agent-pool");
  assertEquals((await workQueues.withoutPool("q")).queue.name, "q");
  await assertRejects(() => workQueues.withoutPool("r"), DomainError, "not found");
});

Deno.test("WorkQueues.ensure() makes a missing queue once", async () => {
  using world = new World();
  await world.pool();
  const pool = await world.services.workPools.require(POOL);
  const queues = await Promise.all([1, 2, 3, 4].map(() => world.services.workQueues.ensure(pool, "q")));
  assertEquals(new Set(queues.map(({ id }) => id)).size, 1);
});

Deno.test("WorkQueues.delete() is refused with the count while runs hold slots or wait, and taken back", async () => {
  using world = new World();
  const pool = await world.pool({ queues: { q: { priority: 5, concurrency_limit: 4 } } });
  const runs = await world.runs(3, { queue: "q" });
  await world.propose(runs[0]!, "PENDING");
  const remove = () => world.services.workQueues.delete(POOL, "q");
  await assertRejects(remove, DomainError, "1 runs hold slots here");
  await world.propose(runs[0]!, "COMPLETED");
  await assertRejects(remove, DomainError, "2 runs wait here");
  const { queue, config } = await world.services.workQueues.get(POOL, "q");
  assertEquals([queue.state, config.paused, config.priority, config.limit], ["open", false, 5, 4]);
  assertEquals((await world.claim(pool.keeper, 5)).length, 2);
});

Deno.test("WorkQueues.delete() says 'at least' when more wait than were counted", async () => {
  using world = new World();
  await world.pool({ queues: { q: {} } });
  await world.runs(100, { queue: "q" });
  await assertRejects(
    () => world.services.workQueues.delete(POOL, "q"),
    DomainError,
    "at least 64 runs wait here",
  );
});

Deno.test("WorkQueues.delete() that is refused keeps what was changed meanwhile", async () => {
  using hooked = hookedWorld();
  const { world, kv } = hooked;
  await world.pool({ queues: { q: {}, r: {} } });
  await world.run({ queue: "q" });
  const { workQueues } = world.services;
  let change: Promise<unknown> | undefined;
  kv.beforeRead = ([kind]) => {
    // The look for waiting runs comes after closing and before reopening.
    if (kind === "wait") change ??= workQueues.update(POOL, "q", { concurrency_limit: 9, priority: 1 });
    return Promise.resolve();
  };
  await assertRejects(() => workQueues.delete(POOL, "q"), DomainError, "1 runs wait here");
  assert(change);
  await change;
  const { config } = await workQueues.get(POOL, "q");
  assertEquals([config.limit, config.priority, config.paused], [9, 1, false]);
  assertEquals(await priorities(world), { q: 1, default: 2, r: 3 });
});

Deno.test("WorkQueues.delete() by two at once leaves the queue as it was when both are refused", async () => {
  using world = new World();
  await world.pool({ queues: { q: {} } });
  await world.run({ queue: "q" });
  const deleting = [1, 2].map(() =>
    world.services.workQueues.delete(POOL, "q").catch((error: DomainError) => error.code)
  );
  assertEquals(await Promise.all(deleting), ["conflict", "conflict"]);
  const { queue, config } = await world.services.workQueues.get(POOL, "q");
  assertEquals([queue.state, config.paused], ["open", false]);
});

Deno.test("WorkQueues.delete() does not drop a queue that was reopened meanwhile", async () => {
  using hooked = hookedWorld();
  const { world, kv, rival } = hooked;
  await world.pool({ queues: { q: {} } });
  await rival.flow();
  kv.onCommit = async (commit) => {
    if (!commit.mutations.some(({ type, key }) => type === "delete" && key[0] === "queue")) {
      return await commit.send();
    }
    kv.onCommit = ({ send }) => send();
    // Another server takes the deletion over, is refused, and reopens the queue, which gets a run at once.
    const { queue } = await rival.services.workQueues.get(POOL, "q");
    await rival.kv.set(["queue", queue.id], { ...queue, state: "open" });
    await rival.run({ queue: "q" });
    await rival.services.workPools.update(POOL, { description: "changed" });
    return await commit.send();
  };
  const error = await assertRejects(
    () => world.soon(world.services.workQueues.delete(POOL, "q")),
    DomainError,
  );
  assertEquals(error.code, "conflict");
  assertEquals(await world.faults(), []);
});

Deno.test("WorkQueues.delete() takes over what a server left behind that stopped while it deleted", async () => {
  using hooked = hookedWorld();
  const { world, kv } = hooked;
  await world.pool({ queues: { q: {} } });
  kv.beforeRead = ([kind]) =>
    kind === "wait" ? Promise.reject(new Error("the server stops")) : Promise.resolve();
  kv.onCommit = (commit) => {
    kv.onCommit = () => Promise.reject(new Error("the server stops")); // after the closing
    return commit.send();
  };
  await assertRejects(() => world.services.workQueues.delete(POOL, "q"));
  kv.beforeRead = () => Promise.resolve();
  kv.onCommit = ({ send }) => send();
  await world.services.workQueues.delete(POOL, "q");
  assertEquals(await world.faults(), []);
});

Deno.test("WorkQueues.update() takes a deletion back that never came to its end", async () => {
  using world = new World();
  const { workQueues } = world.services;
  const { keeper } = await world.pool({ queues: { q: {} } });
  const run = await world.run({ queue: "q" });
  const { queue } = await workQueues.get(POOL, "q");
  await keeper.submit(closeQueues(world.kv, [queue.id], { evenIfHeld: false, now: world.now }));
  assertEquals((await workQueues.get(POOL, "q")).status, "PAUSED");
  assertEquals((await world.propose(run, "RUNNING")).answer.status, "ABORT");
  await workQueues.update(POOL, "q", { concurrency_limit: 4 });
  assertEquals((await workQueues.get(POOL, "q")).queue.state, "closing");
  await workQueues.update(POOL, "q", { is_paused: false });
  assertEquals((await workQueues.get(POOL, "q")).queue.state, "open");
  assertEquals((await world.propose(run, "RUNNING")).answer.status, "ACCEPT");
  assertEquals(await world.faults(), []);
});

Deno.test("WorkQueues.delete() of the pool's default queue is refused", async () => {
  using world = new World();
  await world.pool();
  const error = await assertRejects(() => world.services.workQueues.delete(POOL, "default"), DomainError);
  assertEquals(error.code, "conflict");
});

Deno.test("WorkQueues.delete() takes along the note of when the queue was polled", async () => {
  using world = new World();
  await world.pool({ queues: { q: {} } });
  const { id } = (await world.services.workQueues.get(POOL, "q")).queue;
  const poll = { queueNames: ["q"], scheduledBefore: null, scheduledAfter: null, limit: 1 };
  await world.services.scheduledRuns.ofPool(POOL, poll);
  const noted = async () => (await world.deps.kv.get(queuePolledKey(id))).value !== null;
  assertEquals(await noted(), true);
  await world.services.workQueues.delete(POOL, "q");
  assertEquals(await noted(), false);
});

Deno.test("WorkQueues.delete() frees the name, never the number", async () => {
  using world = new World();
  await world.pool({ queues: { q: {} } });
  const before = await world.services.workQueues.get(POOL, "q");
  await world.services.workQueues.deleteById(before.queue.id);
  const after = await world.services.workQueues.create(POOL, { name: "q", is_paused: false });
  assert(after.queue.id !== before.queue.id && after.queue.no > before.queue.no);
  await assertRejects(() => world.services.workQueues.byId(before.queue.id), DomainError, "not found");
  assertEquals(await world.faults(), []);
});

Deno.test("WorkQueues.health() counts what waits 15 s after its time, up to a bound, and wants a poll each minute", async () => {
  using world = new World();
  const { workQueues, scheduledRuns } = world.services;
  await world.pool({ queues: { q: {}, r: {} } });
  const { queue } = await workQueues.get(POOL, "q");
  const health = async () => Object.values(await workQueues.health(queue.id));
  assertEquals(await health(), [0, null, false]);
  const request = { scheduledBefore: null, scheduledAfter: null, limit: 5 };
  await scheduledRuns.ofQueue(queue.id, request, false);
  assertEquals(await health(), [0, null, false], "looking is no poll");
  await scheduledRuns.ofQueue(queue.id, request);
  const polled = world.now;
  assertEquals(await health(), [0, polled, true]);
  await world.run({ queue: "q" });
  await world.run({ queue: "q", at: world.now + 1 });
  await world.run({ queue: "r" });
  await world.deps.advance(14_999);
  assertEquals(await health(), [0, polled, true]);
  await world.deps.advance(1);
  assertEquals(await health(), [1, polled, false]);
  await world.runs(1_003, { queue: "q", at: world.now - 60_000_000 });
  assertEquals((await health())[0], 1_000);
  const error = await assertRejects(() => workQueues.health(crypto.randomUUID()), DomainError);
  assertEquals(error.code, "missing_object");
});

Deno.test("WorkQueues.update() writes when the queue was polled, if it is told", async () => {
  using world = new World();
  await world.pool();
  await world.services.workQueues.update(POOL, "default", { last_polled: world.now - 1 });
  const { lastPolled, status } = await world.services.workQueues.get(POOL, "default");
  assertEquals([lastPolled, status], [world.now - 1, "READY"]);
});

Deno.test("WorkQueues.create() costs the same in a pool of many queues, and writes one chunk of their settings", async () => {
  const kv = new CheckedKv(await Deno.openKv(":memory:"));
  using world = new World({ kv });
  await world.pool();
  const make = async (from: number, count: number) => {
    kv.cost.reset();
    for (let i = from; i < from + count; i++) {
      await world.services.workQueues.create(POOL, { name: `q${i}`, is_paused: false });
    }
    const { reads, entries, mutations, bytes } = kv.cost;
    return { reads, entries, mutations, bytes };
  };
  await make(0, 10);
  const few = await make(10, 20);
  await make(30, 770);
  const many = await make(800, 20);
  assertEquals({ ...many, bytes: 0 }, { ...few, bytes: 0 });
  assert(many.bytes < 20 * 40_000, `${many.bytes} bytes`);
  assertEquals(kv.violations, []);
});

Deno.test("WorkQueues: claims find queues by names that were made, changed and taken away meanwhile", async () => {
  using world = new World();
  const { keeper } = await world.pool();
  const { workQueues } = world.services;
  const session = await world.session();
  const claim = async () => {
    const runs = keeper.claim(world.claimOf(session, 9, { prefixes: ["gpu"] }), 0);
    return (await world.soon(runs)).length;
  };
  assertEquals(await claim(), 0);
  await workQueues.create(POOL, { name: "gpu-1", is_paused: false });
  await workQueues.create(POOL, { name: "cpu-1", is_paused: false });
  await world.run({ queue: "gpu-1" });
  assertEquals(await claim(), 1);
  await workQueues.update(POOL, "cpu-1", { name: "gpu-2" });
  await world.run({ queue: "gpu-2" });
  assertEquals(await claim(), 1);
  await workQueues.update(POOL, "gpu-2", { name: "cpu-1" });
  await world.run({ queue: "cpu-1" });
  assertEquals(await claim(), 0);
  assertEquals(await world.faults(), []);
});

Deno.test("WorkQueues are made where a deployment or its run names one that is missing", async () => {
  using world = new World();
  await world.pool();
  const { deployments, flowRuns, workQueues } = world.services;
  const body = { parameters: "{}", context: "{}", tags: [] };
  const pooled = await world.deployment({ work_queue_name: "a" });
  await flowRuns.createFromDeployment(pooled, { ...body, work_queue_name: "b" });
  assertEquals(await priorities(world), { default: 1, a: 2, b: 3 });
  const flow_id = await world.flow();
  const { view } = await deployments.upsert({ name: "unpooled", flow_id, work_queue_name: "c" });
  assertEquals([view.poolName, view.queueName], ["default-agent-pool", "c"]);
  const { view: nowhere } = await deployments.upsert({ name: "nowhere", flow_id });
  const run = await flowRuns.createFromDeployment(nowhere.deployment.id, { ...body, work_queue_name: "d" });
  assertEquals([run.view.poolName, run.view.queueName], ["default-agent-pool", "d"]);
  const agents = await workQueues.list("default-agent-pool", null, PAGE);
  assertEquals(agents.map(({ queue, config }) => [queue.name, config.priority]), [
    ["d", 1],
    ["c", 2],
    ["default", 3],
  ]);
  await assertRejects(() => world.run({ queue: "unknown" }), DomainError, "not found");
});
