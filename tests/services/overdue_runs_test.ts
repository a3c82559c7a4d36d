import { assertEquals } from "@std/assert";
import { SECOND, settle, World } from "./factories.ts";
import { hookedWorld } from "./hooked_world.ts";
import { writes } from "./hooked_kv.ts";

const nameOf = async (world: World, run: string) => (await world.record(run)).state.name;

Deno.test("OverdueRuns.markLate() names what waits 15 s after its time, once, with its time and place", async () => {
  using world = new World();
  const { keeper } = await world.pool();
  const deployment = await world.deployment();
  const early = await world.run({ at: world.now, deployment_id: deployment });
  const slot = await world.run();
  await world.propose(slot, "SCHEDULED", {
    name: "AwaitingConcurrencySlot",
    details: { scheduled_time: world.now },
  });
  const second = await world.run({ at: world.now + 10 * SECOND });
  const third = await world.run({ at: world.now + SECOND });
  const time = world.now;
  const look = (most = 400) => world.services.overdueRuns.markLate(world.now, most);
  await world.deps.advance(14_999);
  assertEquals(await look(), { changed: 0, failed: 0, isMore: false });
  await world.deps.advance(1);
  assertEquals((await look()).changed, 1);
  await world.deps.advance(10_000);
  assertEquals(await look(1), { changed: 1, failed: 0, isMore: true });
  assertEquals(
    [await nameOf(world, third), await nameOf(world, second)],
    ["Late", "Scheduled"],
    "the longest first",
  );
  assertEquals((await look()).changed, 1);
  assertEquals((await look()).changed, 0, "the second time");
  const run = await world.record(early);
  assertEquals([run.state.name, run.nextStart, run.expectedStart, run.t], ["Late", time, time, time]);
  assertEquals(await nameOf(world, slot), "AwaitingConcurrencySlot");
  assertEquals(await world.faults(), []);
  assertEquals((await world.claim(keeper, 9)).map(({ id }) => id), [early, slot, third, second]);
});

Deno.test("OverdueRuns.markLate() leaves a run alone that is handed out in the same moment", async () => {
  using hooked = hookedWorld();
  const { world, kv, rival } = hooked;
  await world.pool();
  const run = await world.run();
  await world.deps.advance(20_000);
  await rival.deps.advance(20_000);
  const pool = rival.services.gates.of((await world.record(run)).pool!);
  let claimed = 0;
  kv.onCommit = async (commit) => {
    if (writes(commit, "run", run) && claimed === 0) claimed += (await rival.claim(pool)).length;
    return await commit.send();
  };
  const late = await world.services.overdueRuns.markLate(world.now, 400);
  assertEquals([claimed, late], [1, { changed: 0, failed: 0, isMore: false }]);
  assertEquals((await world.record(run)).state.type, "PENDING");
  assertEquals(await world.faults(), []);
});

Deno.test("OverdueRuns.markLate() leaves a run alone that is given another time in the same moment", async () => {
  using hooked = hookedWorld();
  const { world, kv, rival } = hooked;
  await world.pool();
  const run = await world.run();
  await world.deps.advance(20_000);
  const later = world.now + 60 * SECOND;
  let isMoved = false;
  kv.onCommit = async (commit) => {
    if (writes(commit, "run", run) && !isMoved) {
      isMoved = true;
      await rival.propose(run, "SCHEDULED", { details: { scheduled_time: later } });
    }
    return await commit.send();
  };
  assertEquals((await world.services.overdueRuns.markLate(world.now, 400)).changed, 0);
  const { state, nextStart } = await world.record(run);
  assertEquals([isMoved, state.name, nextStart], [true, "Scheduled", later]);
});

Deno.test("OverdueRuns.markLate() marks runs that their deployment's limit has parked, where they are", async () => {
  using world = new World();
  const { keeper } = await world.pool();
  const deployment = await world.deployment({ concurrency_limit: 1 });
  const create = () =>
    world.services.flowRuns.createFromDeployment(deployment, { parameters: "{}", context: "{}", tags: [] });
  const runs = [await create(), await create(), await create()].map(({ view }) => view.run.id);
  const [holder] = await world.claim(keeper, 3);
  await settle();
  await world.deps.advance(20_000);
  assertEquals((await world.services.overdueRuns.markLate(world.now, 400)).changed, 2);
  assertEquals(await world.faults(), []);
  await world.propose(holder!.id, "RUNNING", { token: holder!.token! });
  await world.propose(holder!.id, "COMPLETED", { token: holder!.token! });
  assertEquals((await world.claim(keeper, 3)).map(({ id }) => id), [runs[1]!]);
});

Deno.test("OverdueRuns.failExpiredPauses() fails what was not resumed in time, held or suspended", async () => {
  using world = new World();
  const { keeper } = await world.pool();
  const deployment = await world.deployment();
  const pauseAt = async (seconds: number, details: object = {}) => {
    const { view } = await world.services.flowRuns.createFromDeployment(deployment, {
      parameters: "{}",
      context: "{}",
      tags: [],
    });
    const [run] = await world.claim(keeper);
    await world.propose(view.run.id, "RUNNING", { token: run!.token! });
    const pause_timeout = world.now + seconds * SECOND;
    await world.propose(view.run.id, "PAUSED", {
      token: run!.token!,
      details: { pause_timeout, ...details },
    });
    return view.run.id;
  };
  const held = await pauseAt(10);
  const suspended = await pauseAt(10, { pause_reschedule: true });
  const later = await pauseAt(11);
  const look = () => world.services.overdueRuns.failExpiredPauses(world.now, { most: 1_000, offset: 0 });
  await world.deps.advance(9_999);
  assertEquals((await look()).changed, 0);
  await world.deps.advance(1);
  assertEquals(await look(), { changed: 2, failed: 0, seen: 3, isMore: false });
  assertEquals((await look()).changed, 0);
  const states: string[] = [];
  for (const run of [held, suspended, later]) states.push((await world.record(run)).state.type);
  assertEquals(states, ["FAILED", "FAILED", "PAUSED"]);
  assertEquals((await world.record(held)).state.message, "The flow was paused and never resumed.");
  assertEquals(await world.faults(), []);
});
