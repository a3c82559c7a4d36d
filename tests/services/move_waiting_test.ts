import { assertEquals, assertRejects } from "@std/assert";
import { DomainError } from "../../src/errors.ts";
import { SECOND, World } from "./factories.ts";

/** A deployment in pool `a` with runs that wait there, the first due now and each next one a second later. */
async function waiting(world: World, count: number) {
  const a = await world.pool({ name: "a", queues: { high: {} } });
  const b = await world.pool({ name: "b", queues: { later: {} } });
  const deployment = await world.deployment({ work_pool_name: "a", work_queue_name: "high" });
  const runs: string[] = [];
  for (let i = 0; i < count; i++) runs.push(await create(world, deployment, world.now + i * SECOND));
  return { a, b, deployment, runs };
}

const create = async (world: World, deployment: string, scheduled_time = world.now) => {
  const state = { type: "SCHEDULED" as const, state_details: { scheduled_time } };
  const { view } = await world.services.flowRuns.createFromDeployment(deployment, {
    parameters: "{}",
    context: "{}",
    tags: [],
    state,
  });
  return view.run.id;
};

const point = (world: World, deployment: string, work_pool_name: string, work_queue_name?: string) =>
  world.services.deployments.update(deployment, {
    work_pool_name,
    ...(work_queue_name === undefined ? {} : { work_queue_name }),
  });

const places = async (world: World, runs: readonly string[]) => {
  const views = await world.services.flowRuns.views(runs);
  return views.map(({ poolName, queueName }) => `${poolName}/${queueName}`);
};

Deno.test("MoveWaiting.follow() brings what waits to where the deployment points, in its order, and back", async () => {
  using world = new World();
  const { a, b, deployment, runs } = await waiting(world, 3);
  await point(world, deployment, "b");
  assertEquals(await places(world, runs), Array(3).fill("a/high"), "without being told, runs stay");
  assertEquals(await world.soon(world.services.moveWaiting.follow(deployment)), 3);
  assertEquals(await places(world, runs), Array(3).fill("b/default"));
  assertEquals(await world.claim(a.keeper, 3, await world.session("a")), []);
  await world.deps.advance(1_000);
  const granted = await world.claim(b.keeper, 3, await world.session("b"));
  assertEquals(granted.map(({ id }) => id), runs.slice(0, 2));
  await point(world, deployment, "a", "high");
  assertEquals(await world.soon(world.services.moveWaiting.follow(deployment)), 1);
  assertEquals(await places(world, runs), ["b/default", "b/default", "a/high"], "what is held stays");
  assertEquals(await world.faults(), []);
});

Deno.test("MoveWaiting.follow() moves within a pool, and only runs of this deployment", async () => {
  using world = new World();
  const { deployment, runs } = await waiting(world, 2);
  const other = await world.deployment({ name: "other", work_pool_name: "a", work_queue_name: "high" });
  const others = [await create(world, other), await world.run({ pool: "a" })];
  await point(world, deployment, "a");
  assertEquals(await world.soon(world.services.moveWaiting.follow(deployment)), 2);
  assertEquals(await places(world, runs), ["a/default", "a/default"]);
  assertEquals(await places(world, others), ["a/high", "a/default"]);
  assertEquals(await world.soon(world.services.moveWaiting.follow(deployment)), 0);
});

Deno.test("MoveWaiting.follow() takes any number of runs, and wakes who waits for them", async () => {
  using world = new World();
  const { b, deployment } = await waiting(world, 450);
  const claim = b.keeper.claim(world.claimOf(await world.session("b"), 1), 20_000);
  await point(world, deployment, "b", "later");
  assertEquals(await world.soon(world.services.moveWaiting.follow(deployment)), 450);
  assertEquals((await world.soon(claim)).length, 1);
  assertEquals(await world.faults(), []);
});

Deno.test("MoveWaiting.follow() goes on where it was broken off", async () => {
  using world = new World();
  const { deployment, runs } = await waiting(world, 4);
  await point(world, deployment, "b");
  const target = (await world.services.deployments.get(deployment)).deployment.queue!;
  for (const run of runs.slice(0, 2)) await world.services.flowRuns.move(run, target);
  assertEquals(await world.soon(world.services.moveWaiting.follow(deployment)), 2);
  assertEquals(await places(world, runs), Array(4).fill("b/default"));
});

Deno.test("MoveWaiting.follow() leaves everything when the deployment points nowhere, and refuses a closing queue", async () => {
  using world = new World();
  const { deployment, runs } = await waiting(world, 1);
  await world.services.deployments.update(deployment, { work_pool_name: null, work_queue_name: null });
  assertEquals(await world.soon(world.services.moveWaiting.follow(deployment)), 0);
  assertEquals(await places(world, runs), ["a/high"]);
  await point(world, deployment, "b", "later");
  const { queue } = (await world.services.deployments.get(deployment)).deployment;
  const record = (await world.kv.get(["queue", queue!])).value as object;
  await world.kv.set(["queue", queue!], { ...record, state: "closing" });
  await assertRejects(
    () => world.soon(world.services.moveWaiting.follow(deployment)),
    DomainError,
    "was deleted",
  );
  await assertRejects(() => world.services.moveWaiting.follow(runs[0]!), DomainError, "not found");
});
