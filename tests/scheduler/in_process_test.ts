import { assertEquals } from "@std/assert";
import { InProcessDriver } from "../../src/scheduler/in_process.ts";
import type { Loop } from "../../src/scheduler/loop.ts";
import { buildLoops, startScheduler } from "../../src/scheduler/scheduler.ts";
import { settle, World } from "../services/factories.ts";
import { fakeDeps } from "../testing/fake_deps.ts";

/** A loop that tells when its rounds began. */
function recorded(deps: ReturnType<typeof fakeDeps>, answer: () => Awaited<ReturnType<Loop["runOnce"]>>) {
  const rounds: number[] = [];
  const start = deps.clock.now();
  const loop: Loop = {
    name: "test",
    everyMs: 5_000,
    runOnce(now) {
      rounds.push((now - start) / 1e6);
      return Promise.resolve().then(answer);
    },
  };
  return { rounds, driver: new InProcessDriver(deps, loop) };
}

Deno.test("InProcessDriver has a round at once and at each interval, until the server stops", async () => {
  const deps = fakeDeps();
  const { rounds, driver } = recorded(deps, () => ({ done: { made: 2 }, isMore: false }));
  const running = driver.run();
  await deps.advance(10_000);
  assertEquals(rounds, [0, 5, 10]);
  assertEquals([driver.counter.rounds, driver.counter.done], [3, { made: 6 }]);
  deps.controller.abort();
  await running;
  await deps.advance(60_000);
  assertEquals(rounds.length, 3);
  deps.kv.close();
});

Deno.test("InProcessDriver goes on at once when there is more to do, and when it is poked, also within a round", async () => {
  const deps = fakeDeps();
  let more = 2;
  const { rounds, driver } = recorded(deps, () => {
    if (rounds.length === 4) driver.poke();
    return { done: {}, isMore: more-- > 0 };
  });
  const running = driver.run();
  await deps.advance(1_000);
  assertEquals(rounds, [0, 0, 0]);
  driver.poke();
  await deps.advance(1_000);
  assertEquals(rounds.slice(3), [1, 1], "poked once more within that round");
  await deps.advance(3_999);
  assertEquals(rounds.length, 5);
  deps.controller.abort();
  await running;
  deps.kv.close();
});

Deno.test("a round that fails is told, and the next one comes", async () => {
  const deps = fakeDeps();
  const warned: unknown[] = [];
  deps.log = { ...deps.log, warn: (message) => warned.push(message) };
  const { rounds, driver } = recorded(deps, () => {
    if (rounds.length === 1) throw new Error("broken");
    return { done: {}, isMore: false };
  });
  const running = driver.run();
  await deps.advance(5_000);
  assertEquals([rounds, warned.length, driver.counter.failures], [[0, 5], 1, 1]);
  deps.controller.abort();
  await running;
  deps.kv.close();
});

Deno.test("startScheduler() makes runs of what this server changes at once, and names late ones", async () => {
  using world = new World();
  await world.pool();
  const scheduler = startScheduler(world.deps, world.services);
  await world.soon(settle());
  const id = await world.deployment({ schedules: [{ schedule: { interval: 30 }, active: true }] });
  await world.soon(settle(20));
  const views = () => world.services.scheduledRuns.ofDeployments([id], { scheduledBefore: null, limit: 200 });
  assertEquals((await views()).length, 100, "an hour ahead, but not more than a hundred");
  await world.deps.advance(50_000);
  assertEquals((await views()).filter(({ run }) => run.state.name === "Late").length, 1);
  world.deps.controller.abort();
  await scheduler.stopped;
  const counted = [...scheduler.counters].map((
    [name, { done }],
  ) => [name, done["made"] ?? done["marked"] ?? 0]);
  assertEquals(counted, [["schedules", 101], ["late runs", 1], ["pauses", 0]]);
});

Deno.test("each loop's second round at the same time finds nothing to do", async () => {
  using world = new World();
  await world.pool();
  await world.deployment({ schedules: [{ schedule: { interval: 60 }, active: true }] });
  await world.run();
  await world.deps.advance(20_000);
  const twice: unknown[] = [];
  for (const { name, runOnce } of buildLoops(world.services)) {
    await runOnce(world.now);
    const { done } = await runOnce(world.now);
    twice.push([name, Object.values(done).every((count) => count === 0)]);
  }
  assertEquals(twice, [["schedules", true], ["late runs", true], ["pauses", true]]);
});
