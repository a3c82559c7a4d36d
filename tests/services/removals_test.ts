import { assertEquals, assertRejects } from "@std/assert";
import { DomainError } from "../../src/errors.ts";
import { Cancelling, Moving } from "../../src/services/clearing.ts";
import { POOL, World } from "./factories.ts";
import { hookedWorld } from "./hooked_world.ts";

const stateOf = async (world: World, run: string) => (await world.record(run)).state.type;

const refused = async (call: () => Promise<unknown>, says: string) =>
  (await assertRejects(call, DomainError, says)).code;

const isThere = async (world: World, queue: string) =>
  await world.services.workQueues.get(POOL, queue).then(() => true, () => false);

Deno.test("Removals without a wish refuse with the counts of all that is in use, and change nothing", async () => {
  using world = new World();
  await world.pool({ queues: { q: {} } });
  await world.deployment({ work_queue_name: "q" });
  const [held] = await world.runs(3, { queue: "q" });
  await world.propose(held!, "PENDING");
  const remove = () => world.services.removals.queue(POOL, "q", {});
  const counts = "It is in use: 1 runs hold slots here, 2 runs wait here, 1 deployments point here.";
  assertEquals(await refused(remove, counts), "conflict");
  assertEquals(await refused(() => world.services.removals.pool(POOL, {}), counts), "conflict");
  const { queue, config } = await world.services.workQueues.get(POOL, "q");
  assertEquals([queue.state, config.closing], ["open", undefined]);
  await world.services.workQueues.create(POOL, { name: "idle", is_paused: false });
  await world.services.removals.queue(POOL, "idle", {});
});

Deno.test("Removals that cancel end what waits, stop what runs, and go on when sent again", async () => {
  using world = new World();
  const { keeper } = await world.pool({ queues: { q: {}, r: {} } });
  const deployment = await world.deployment({ work_queue_name: "q" });
  await world.runs(2, { queue: "q" });
  const elsewhere = await world.run({ queue: "r" });
  const session = await world.session();
  const claiming = keeper.claim(world.claimOf(session, 1, { queues: ["q"] }), 0);
  const [held] = await world.soon(claiming);
  const remove = () => world.services.removals.queue(POOL, "q", { cascade: "cancel" });
  assertEquals(await refused(remove, "1 runs hold slots here and are being cancelled"), "conflict");
  assertEquals(await stateOf(world, held!.id), "CANCELLING");
  assertEquals((await world.services.deployments.get(deployment)).queueName, null);
  const { queue, status } = await world.services.workQueues.get(POOL, "q");
  assertEquals([queue.state, status], ["closing", "PAUSED"], "nothing new starts meanwhile");
  assertEquals(await refused(() => world.run({ queue: "q" }), "deleted"), "conflict");
  assertEquals(await refused(remove, "1 runs hold slots here"), "conflict");
  await world.propose(held!.id, "CANCELLED", { token: held!.token! });
  await remove();
  assertEquals(await isThere(world, "q"), false);
  const runs = await Array.fromAsync(
    world.kv.list<{ id: string }>({ prefix: ["run"] }),
    ({ value }) => value.id,
  );
  const states = await Promise.all(runs.filter((id) => id !== elsewhere).map((id) => stateOf(world, id)));
  assertEquals(states, ["CANCELLED", "CANCELLED"]);
  assertEquals(await stateOf(world, elsewhere), "SCHEDULED");
  assertEquals(await world.faults(), []);
});

Deno.test("Removals that move take what waits and the deployments to the other queue, in order", async () => {
  using world = new World();
  const { keeper } = await world.pool({ queues: { q: {} } });
  const other = await world.pool({ name: "other", queues: { target: {} } });
  const deployment = await world.deployment({ work_queue_name: "q" });
  const runs = [];
  for (let i = 0; i < 130; i++) runs.push(await world.run({ queue: "q", at: world.now + i }));
  await world.deps.advance(1);
  await world.services.removals.queue(POOL, "q", { move_to: "other/target" });
  assertEquals(await isThere(world, "q"), false);
  const view = await world.services.deployments.get(deployment);
  assertEquals([view.poolName, view.queueName], ["other", "target"]);
  const granted = (await world.claim(keeper, 5)).length;
  const session = await world.session("other");
  const taken = await world.soon(other.keeper.claim(world.claimOf(session, 200), 0));
  assertEquals([granted, taken.map(({ id }) => id)], [0, runs]);
  assertEquals(await world.faults(), []);
});

Deno.test("Removals of a pool move to a queue of another pool only; of a queue also to one beside it", async () => {
  using world = new World();
  await world.pool({ queues: { q: {}, r: {} } });
  await world.pool({ name: "other" });
  const { removals } = world.services;
  const run = await world.run({ queue: "q" });
  assertEquals(await refused(() => removals.pool(POOL, { move_to: "r" }), "deleted with it"), "invalid");
  assertEquals(
    await refused(() => removals.pool(POOL, { move_to: `${POOL}/r` }), "deleted with it"),
    "invalid",
  );
  assertEquals(
    await refused(() => removals.queue(POOL, "q", { move_to: "q" }), "deleted with it"),
    "invalid",
  );
  assertEquals(await refused(() => removals.pool(POOL, { move_to: "other/x" }), "not found"), "not_found");
  await removals.queue(POOL, "q", { move_to: "r" });
  await removals.pool(POOL, { move_to: "other/default" });
  const { poolName, queueName } = await world.services.flowRuns.get(run);
  assertEquals([poolName, queueName], ["other", "default"]);
  assertEquals(await world.services.workPools.find(POOL), undefined);
  assertEquals(await world.faults(), []);
});

Deno.test("Removals that move are refused while runs hold slots, and leave all where it is", async () => {
  using world = new World();
  await world.pool({ queues: { q: {}, r: {} } });
  const deployment = await world.deployment({ work_queue_name: "q" });
  const [held, waiting] = await world.runs(2, { queue: "q" });
  await world.propose(held!, "RUNNING");
  const move = () => world.services.removals.queue(POOL, "q", { move_to: "r" });
  assertEquals(await refused(move, "1 runs hold slots here, 1 runs wait here"), "conflict");
  assertEquals((await world.services.flowRuns.get(waiting!)).queueName, "q");
  assertEquals((await world.services.deployments.get(deployment)).queueName, "q");
  await world.propose(held!, "COMPLETED");
  await move();
  assertEquals((await world.services.flowRuns.get(waiting!)).queueName, "r");
});

Deno.test("Removals are taken up again where a server stopped that was moving", async () => {
  using hooked = hookedWorld();
  const { world, kv, rival } = hooked;
  await world.pool({ queues: { q: {}, r: {} } });
  const runs = await world.runs(70, { queue: "q" });
  let moves = 0;
  kv.onCommit = (commit) => {
    const moved = commit.mutations.some(({ type, key }) => type === "delete" && key[0] === "wait");
    return moved && ++moves > 1 || moves > 1 ? Promise.reject(new Error("the server stops")) : commit.send();
  };
  const how = { move_to: "r" };
  await assertRejects(() => world.soon(world.services.removals.queue(POOL, "q", how)));
  kv.onCommit = ({ send }) => send();
  const { queue } = await rival.services.workQueues.get(POOL, "q");
  assertEquals(queue.state, "closing");
  await rival.soon(rival.services.removals.queue(POOL, "q", how));
  assertEquals(await isThere(rival, "q"), false);
  for (const run of runs) assertEquals((await rival.services.flowRuns.get(run)).queueName, "r");
  assertEquals(await rival.faults(), []);
});

Deno.test("clearing handles so many runs in one request, says that there are more, and goes on when sent again", async () => {
  using world = new World();
  await world.pool({ queues: { q: {}, r: {} } });
  const { workQueues, flowRuns, setState } = world.services;
  const { queue: target } = await workQueues.get(POOL, "r");
  const waiting = async () => (await Array.fromAsync(world.kv.list({ prefix: ["wait"] }))).length;
  for (
    const clearing of [
      new Moving(world.deps, flowRuns, target, 100),
      new Cancelling(world.deps, setState, 100),
    ]
  ) {
    const before = await waiting();
    await Promise.all(Array.from({ length: 150 }, () => world.run({ queue: "q" })));
    const remove = () => workQueues.delete(POOL, "q", clearing);
    assertEquals(await refused(remove, "Send it again"), "busy");
    assertEquals((await workQueues.get(POOL, "q")).queue.state, "closing");
    await remove();
    assertEquals(await waiting(), clearing.closesHeld ? before : before + 150);
    await workQueues.create(POOL, { name: "q", is_paused: false });
  }
  assertEquals(await world.faults(), []);
});
