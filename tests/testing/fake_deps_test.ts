import { assert, assertEquals } from "@std/assert";
import { fakeDeps, simDeps } from "./fake_deps.ts";
import { FakeKv } from "./fake_kv.ts";
import { FakeKvStore } from "./fake_kv_store.ts";
import { SIM_START, SimScheduler } from "./sim_scheduler.ts";

Deno.test("fakeDeps().advance() wakes sleepers in order, also those who fall asleep meanwhile", async () => {
  const { clock, advance } = fakeDeps({ start: 5_000_000 });
  const woken: [string, number, number][] = [];
  const note = (who: string) => woken.push([who, clock.now(), clock.monotonic()]);
  clock.sleep(30).then(() => note("late"));
  clock.sleep(10).then(async () => {
    note("early");
    await clock.sleep(5);
    note("again");
  });
  clock.sleep(100).then(() => note("too late"));
  await advance(30);
  assertEquals(woken, [["early", 5_010_000, 10], ["again", 5_015_000, 15], ["late", 5_030_000, 30]]);
  assertEquals([clock.now(), clock.sleeping], [5_030_000, 1]);
});

Deno.test("FakeClock.sleep() ends when its signal aborts", async () => {
  const { clock } = fakeDeps();
  const controller = new AbortController();
  const sleeping = clock.sleep(10, controller.signal);
  controller.abort();
  await sleeping;
  await clock.sleep(10, controller.signal);
  assertEquals(clock.sleeping, 0);
});

Deno.test("FakeClock.untilAsleep() waits for the sleepers", async () => {
  const { clock } = fakeDeps();
  const both = clock.untilAsleep(2).then(() => clock.sleeping);
  clock.sleep(1);
  clock.sleep(1);
  assertEquals(await both, 2);
});

Deno.test("FakeClock.jump() moves the wall clock alone", async () => {
  const { clock } = fakeDeps();
  let awake = false;
  clock.sleep(1000).then(() => awake = true);
  clock.jump(-60_000);
  await clock.advance(0);
  assertEquals([clock.now(), clock.monotonic(), awake], [SIM_START - 60_000_000, 0, false]);
});

Deno.test("fakeDeps() of one seed make the same ids and tokens, of another seed others", () => {
  const make = (seed: number) => {
    const { ids } = fakeDeps({ seed });
    return [ids.uuid(), ids.token(), ids.op()];
  };
  assertEquals(make(1), make(1));
  assert(make(1).every((id, i) => id !== make(2)[i]));
});

Deno.test("simDeps() takes time from the scheduler and gives each process random numbers of its own", async () => {
  const scheduler = new SimScheduler({ seed: 1 });
  const store = new FakeKvStore();
  const [one, two] = ["a", "b"].map((who) => simDeps(scheduler, who, new FakeKv(store, { who, scheduler })));
  assert(one && two);
  assert(one.ids.uuid() !== two.ids.uuid());
  let slept = 0;
  scheduler.start("a", async () => {
    await one.kv.get(["a"]);
    await one.clock.sleep(7);
    slept = one.clock.now() - SIM_START;
  });
  await scheduler.run(() => false, 100);
  assertEquals(slept, 7_000);
  one.controller.abort();
  assertEquals([one.shutdown.aborted, two.shutdown.aborted], [true, false]);
});
