import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { FakeKv, NO_FAULTS } from "./fake_kv.ts";
import { FakeKvStore } from "./fake_kv_store.ts";
import { SIM_START, SimScheduler } from "./sim_scheduler.ts";

const NEVER = () => false;

/** Three actors that increment a counter without a check, so that order shows in the result. */
async function world(seed: number): Promise<{ trace: string[]; end: unknown }> {
  const scheduler = new SimScheduler({ seed });
  const store = new FakeKvStore();
  for (const who of ["a", "b", "c"]) {
    const kv = new FakeKv(store, {
      who,
      scheduler,
      faults: { ...NO_FAULTS, lostAnswer: 0.2, slowAnswer: 0.3 },
    });
    scheduler.start(who, async () => {
      for (let i = 0; i < 5; i++) {
        const { value } = await kv.get<number>(["n"]);
        await kv.set(["n"], (value ?? 0) + 1);
        await scheduler.sleep(who, scheduler.random.int(20));
      }
    });
  }
  await scheduler.run(NEVER, 10_000);
  return { trace: scheduler.trace, end: store.peek(["n"]) };
}

Deno.test("SimScheduler replays a seed exactly", async () => {
  for (let seed = 1; seed <= 20; seed++) assertEquals(await world(seed), await world(seed));
});

Deno.test("SimScheduler tries every order of three actors", async () => {
  const orders = new Set<string>();
  for (let seed = 1; seed <= 60; seed++) {
    const scheduler = new SimScheduler({ seed });
    let order = "";
    for (const who of ["a", "b", "c"]) scheduler.point(who, "acts").then(() => order += who);
    await scheduler.run(NEVER, 10);
    orders.add(order);
  }
  assertEquals([...orders].sort(), ["abc", "acb", "bac", "bca", "cab", "cba"]);
});

Deno.test("SimScheduler worlds of different seeds differ", async () => {
  assertNotEquals((await world(1)).trace, (await world(2)).trace);
});

Deno.test("SimScheduler.sleep() wakes in order of time and moves the clock to each", async () => {
  const scheduler = new SimScheduler({ seed: 1 });
  const woken: [string, number][] = [];
  for (const [who, ms] of [["late", 30], ["early", 10], ["middle", 20.5]] as const) {
    scheduler.sleep(who, ms).then(() => woken.push([who, scheduler.now() - SIM_START]));
  }
  assertEquals(await scheduler.run(NEVER, 100), "stuck");
  assertEquals(woken, [["early", 10_000], ["middle", 20_500], ["late", 30_000]]);
});

Deno.test("SimScheduler.sleep() ends at once when its signal aborts, before or meanwhile", async () => {
  const scheduler = new SimScheduler({ seed: 1 });
  await scheduler.sleep("a", 1000, AbortSignal.abort());
  const controller = new AbortController();
  const sleeping = scheduler.sleep("a", 1000, controller.signal);
  controller.abort();
  await sleeping;
  assertEquals(scheduler.now(), SIM_START);
  assertEquals(await scheduler.run(NEVER, 10), "stuck");
  assertEquals(scheduler.now(), SIM_START);
});

Deno.test("SimScheduler lets the clock jump past actors that could act, sometimes", async () => {
  const steps = async (jumpChance: number) => {
    const scheduler = new SimScheduler({ seed: 3, jumpChance });
    let count = 0;
    let due = false;
    scheduler.sleep("sleeper", 1000).then(() => due = true);
    scheduler.start("busy", async () => {
      for (;; count++) await scheduler.point("busy", "works");
    });
    await scheduler.run(() => due, 500);
    return count;
  };
  assert(await steps(0.05) < 200);
  assert(await steps(0) > 400);
});

Deno.test("SimScheduler.kill() stops a process where it stands, others go on", async () => {
  const scheduler = new SimScheduler({ seed: 1 });
  const done: string[] = [];
  const work = (who: string) => async () => {
    for (let i = 0; i < 3; i++) await scheduler.point(who, `step ${i}`);
    await scheduler.sleep(who, 5);
    done.push(who);
  };
  scheduler.start("a", work("a"));
  scheduler.start("b", work("b"));
  // An actor of a killed process may still be waiting for another one's promise.
  const handed = Promise.withResolvers<void>();
  scheduler.start("a", async () => {
    await handed.promise;
    await scheduler.point("a", "after the kill");
    done.push("a, after the kill");
  });
  scheduler.sleep("chaos", 1).then(() => {
    scheduler.kill("a");
    handed.resolve();
  });
  assertEquals(await scheduler.run(NEVER, 100), "stuck");
  assertEquals(done, ["b"]);
});

Deno.test("SimScheduler.run() tells why it ended", async () => {
  const scheduler = new SimScheduler({ seed: 1 });
  let steps = 0;
  scheduler.start("a", async () => {
    for (; steps < 50; steps++) await scheduler.point("a", "step");
  });
  assertEquals(await scheduler.run(() => steps >= 10, 100), "done");
  assertEquals(await scheduler.run(NEVER, 5), "exhausted");
  assertEquals(await scheduler.run(NEVER, 100), "stuck");
});

Deno.test("SimScheduler.run() throws what a living actor throws, not what a dead one does", async () => {
  const scheduler = new SimScheduler({ seed: 1 });
  const gate = Promise.withResolvers<void>();
  scheduler.start("dead", () => gate.promise);
  await scheduler.run(NEVER, 10);
  scheduler.kill("dead");
  gate.reject(new Error("nobody hears this"));
  assertEquals(await scheduler.run(NEVER, 10), "stuck");
  scheduler.start("a", () => Promise.reject(new Error("planted")));
  await assertRejects(() => scheduler.run(NEVER, 10), Error, "planted");
});
