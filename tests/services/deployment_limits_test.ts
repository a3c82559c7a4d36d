import { assert, assertEquals, assertMatch } from "@std/assert";
import type { CollisionStrategy, RunRecord } from "../../src/schemas/records.ts";
import { readAll } from "./audit.ts";
import { SECOND, World } from "./factories.ts";
import { hookedWorld } from "./hooked_world.ts";

/** A pool and a deployment in it with a limit. */
async function limited(
  world: World,
  options: { limit?: number; strategy?: CollisionStrategy; queues?: Record<string, object> } = {},
) {
  const pool = await world.pool({ queues: options.queues ?? {} });
  const deployment = await world.deployment();
  const { limit = 1, strategy = "ENQUEUE" } = options;
  await world.services.deploymentLimits.set(deployment, { limit, strategy });
  return { pool, deployment };
}

async function runOf(world: World, deployment: string, queue?: string, at = world.now): Promise<string> {
  const { view } = await world.services.flowRuns.createFromDeployment(deployment, {
    parameters: "{}",
    context: "{}",
    tags: [],
    work_queue_name: queue ?? null,
    state: { type: "SCHEDULED", state_details: { scheduled_time: at } },
  });
  return view.run.id;
}

async function runsOf(world: World, deployment: string, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) ids.push(await runOf(world, deployment));
  return ids;
}

const finish = (world: World, { id, token }: RunRecord) =>
  world.propose(id, "COMPLETED", { token: token!, force: true });

const ids = (runs: readonly RunRecord[]) => runs.map(({ id }) => id);

async function sound(world: World) {
  const stored = await readAll(world.kv);
  assertEquals(stored.faults(), []);
  return stored;
}

Deno.test("a deployment's limit lets no more of its runs start, and holds up nobody behind them", async () => {
  using world = new World();
  const { pool, deployment } = await limited(world);
  const [first, second, third] = await runsOf(world, deployment, 3);
  const other = await world.run();
  const claimed = await world.claim(pool.keeper, 10);
  assertEquals(ids(claimed), [first, other]);
  assertEquals((await sound(world)).parked.map(({ run }) => run), [second, third]);
  await finish(world, claimed[0]!);
  const [next] = await world.claim(pool.keeper, 10);
  assertEquals(next?.id, second);
  await finish(world, next!);
  const [last] = await world.claim(pool.keeper, 10);
  assertEquals(last?.id, third);
  await finish(world, last!);
  await world.run();
  await world.claim(pool.keeper, 10);
  const stored = await sound(world);
  const lanes = stored.limits.get(deployment)?.lanes;
  assertEquals([stored.parked.length, lanes], [0, []], "an empty lane is dropped");
});

Deno.test("a parked run that is cancelled, moved, put off or deleted holds up nobody behind it", async () => {
  const ways: ((world: World, run: string) => Promise<unknown>)[] = [
    (world, run) => world.propose(run, "CANCELLED", { force: true }),
    (world, run) => world.services.flowRuns.delete(run),
    (world, run) =>
      world.propose(run, "SCHEDULED", { details: { scheduled_time: world.now + 3_600 * SECOND } }),
    async (world, run) => {
      const pool = await world.services.workPools.require("pool");
      const queue = await world.services.workQueues.find(pool, "q");
      await world.services.flowRuns.move(run, queue!.id);
    },
  ];
  for (const way of ways) {
    using world = new World();
    const { pool, deployment } = await limited(world, { queues: { q: { is_paused: true } } });
    const [, second, third] = await runsOf(world, deployment, 3);
    const [held] = await world.claim(pool.keeper, 10);
    await way(world, second!);
    await sound(world);
    await finish(world, held!);
    assertEquals(ids(await world.claim(pool.keeper, 10)), [third]);
    await sound(world);
  }
});

Deno.test("a slot that comes free in one pool lets a run in another pool start", async () => {
  using world = new World();
  const { pool, deployment } = await limited(world);
  const { pool: record } = await world.services.workPools.create({
    name: "other",
    type: "process",
    base_job_template: "{}",
    is_paused: false,
  });
  const other = world.services.gates.of(record.id);
  const [first, second] = await runsOf(world, deployment, 2);
  await world.services.flowRuns.move(second!, record.defaultQueue);
  const [held] = await world.claim(pool.keeper, 1);
  assertEquals(held?.id, first);
  const session = await world.session("other");
  assertEquals(await world.claim(other, 1, session), []);
  await sound(world);
  const waiting = other.claim(world.claimOf(session, 1), 60_000);
  await world.deps.advance(10);
  await finish(world, held!);
  assertEquals(ids(await world.soon(waiting)), [second]);
  await sound(world);
});

Deno.test("a slot that comes free while the other pool's gate changes loses no count there", async () => {
  using hooked = hookedWorld();
  const { world, kv, rival } = hooked;
  const { pool, deployment } = await limited(world);
  const { pool: other } = await world.services.workPools.create({
    name: "other",
    type: "process",
    base_job_template: "{}",
    is_paused: false,
  });
  const [, second] = await runsOf(world, deployment, 2);
  await world.services.flowRuns.move(second!, other.defaultQueue);
  await world.run({ pool: "other" });
  const [held] = await world.claim(pool.keeper, 1);
  const session = await world.session("other");
  assertEquals((await world.claim(world.services.gates.of(other.id), 1, session)).length, 1);
  // Another server takes a slot in the other pool just before the freed slot is committed.
  const free = await world.run({ pool: "other" });
  let isFirst = true;
  kv.onCommit = async ({ send }) => {
    if (isFirst) {
      isFirst = false;
      assertEquals((await rival.propose(free, "RUNNING")).answer.status, "ACCEPT");
    }
    return await send();
  };
  await finish(world, held!);
  const stored = await sound(world);
  assertEquals(stored.gates.get(other.id)?.occ, 2);
  assertEquals(ids(await world.claim(world.services.gates.of(other.id), 1, session)), [second]);
});

Deno.test("raising and clearing a limit lets parked runs start; lowering it takes nothing away", async () => {
  using world = new World();
  const { pool, deployment } = await limited(world);
  const runs = await runsOf(world, deployment, 6);
  const limits = world.services.deploymentLimits;
  const claimed = await world.claim(pool.keeper, 10);
  assertEquals(ids(claimed), runs.slice(0, 1));
  await limits.set(deployment, { limit: 3, strategy: "ENQUEUE" });
  await sound(world);
  claimed.push(...await world.claim(pool.keeper, 10));
  assertEquals(ids(claimed), runs.slice(0, 3));
  await limits.set(deployment, { limit: 1, strategy: "ENQUEUE" });
  for (const run of claimed.slice(0, 2)) await finish(world, run);
  assertEquals(await world.claim(pool.keeper, 10), [], "one is still held");
  await limits.set(deployment, { limit: null, strategy: "ENQUEUE" });
  await sound(world);
  assertEquals(ids(await world.claim(pool.keeper, 10)), runs.slice(3));
  await sound(world);
});

Deno.test("the first limit counts what runs already", async () => {
  using world = new World();
  const pool = await world.pool();
  const deployment = await world.deployment();
  await runsOf(world, deployment, 4);
  const held = await world.claim(pool.keeper, 2);
  await world.services.deploymentLimits.set(deployment, { limit: 2, strategy: "ENQUEUE" });
  assertEquals((await sound(world)).limits.get(deployment)?.occ, 2);
  assertEquals(await world.claim(pool.keeper, 2), []);
  await finish(world, held[0]!);
  assertEquals((await world.claim(pool.keeper, 2)).length, 1);
  await sound(world);
});

Deno.test("a limit that cancels what collides cancels it when it would be handed out", async () => {
  using world = new World();
  const { pool, deployment } = await limited(world, { strategy: "CANCEL_NEW" });
  const [first, second] = await runsOf(world, deployment, 2);
  assertEquals(ids(await world.claim(pool.keeper, 10)), [first]);
  const { run } = await world.services.flowRuns.get(second!);
  assertEquals([run.state.type, run.state.message], ["CANCELLED", "Deployment concurrency limit reached."]);
  await sound(world);
});

Deno.test("a third party is told that the deployment is full, and the run keeps its place", async () => {
  using world = new World();
  const { pool, deployment } = await limited(world);
  const [first, second, third] = await runsOf(world, deployment, 3);
  assertEquals((await world.propose(first!, "PENDING")).answer.status, "ACCEPT");
  const { answer, run } = await world.propose(second!, "PENDING");
  assertEquals([answer.status, run.state.name], ["REJECT", "AwaitingConcurrencySlot"]);
  assertEquals(run.state.details.scheduled_time, world.now + 30 * SECOND);
  const running = await world.propose(third!, "RUNNING");
  assertEquals(running.answer.status, "ABORT");
  assertMatch(running.answer.reason!, /Deployment 'deployment' has as many runs as it may have: 1 of 1/);
  await sound(world);
  await world.propose(first!, "COMPLETED");
  assertEquals(ids(await world.claim(pool.keeper, 1)), [second], "not 30 seconds later");
});

Deno.test("2,000 runs without room are parked once each, and one behind them starts soon", async () => {
  using world = new World();
  const { pool, deployment } = await limited(world);
  const count = 2_000;
  await runsOf(world, deployment, count);
  const free = await world.run();
  const started = performance.now();
  const session = await world.session();
  const claimed = new Set(ids(await world.soon(pool.keeper.claim(world.claimOf(session, 2), 30_000))));
  while (!claimed.has(free)) {
    for (const { id } of await world.soon(pool.keeper.claim(world.claimOf(session, 2), 30_000))) {
      claimed.add(id);
    }
  }
  const ms = performance.now() - started;
  assert(ms < 5_000, `${ms} ms`);
  assertEquals((await sound(world)).parked.length, count - 1);
});

Deno.test("explain() says that the deployment is full, and who holds its slots", async () => {
  using world = new World();
  const { pool, deployment } = await limited(world);
  await world.run();
  const [first, second] = await runsOf(world, deployment, 2);
  assertEquals((await world.claim(pool.keeper, 2)).length, 2, "one of them is of no deployment");
  const { startable, reasons } = await world.services.explain.explain(second!);
  const holders = reasons[0]?.holders.map(({ flow_run_id }) => flow_run_id);
  assertEquals([startable, reasons[0]?.kind, holders], [false, "deployment_full", [first!]]);
});

Deno.test("Deployments puts a limit into effect, changes and clears it, and shows what is held", async () => {
  using world = new World();
  const pool = await world.pool();
  const deployment = await world.deployment({ concurrency_limit: 1 });
  await runsOf(world, deployment, 3);
  const claim = async () => (await world.claim(pool.keeper, 10)).length;
  assertEquals(await claim(), 1);
  assertEquals((await world.services.deployments.get(deployment)).held, 1);
  await world.services.deployments.update(deployment, { concurrency_limit: 2 });
  assertEquals(await claim(), 1);
  await world.services.deployments.update(deployment, { description: "says nothing of the limit" });
  assertEquals(await claim(), 0);
  await world.services.deployments.update(deployment, { concurrency_limit: null });
  assertEquals(await claim(), 1);
  await sound(world);
});
