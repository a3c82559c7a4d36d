import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeKv, type KvFaults, NO_FAULTS } from "./fake_kv.ts";
import { type AppliedCommit, FakeKvStore } from "./fake_kv_store.ts";
import { SimScheduler } from "./sim_scheduler.ts";

const ABSENT = null;

/** Commits one guarded write under the given faults, in a hundred worlds. */
async function outcomes(
  faults: Partial<KvFaults>,
): Promise<{ answers: Set<string>; most: number; none: boolean }> {
  const answers = new Set<string>();
  let most = 0;
  let none = false;
  for (let seed = 1; seed <= 100; seed++) {
    const scheduler = new SimScheduler({ seed });
    const store = new FakeKvStore();
    let applied = 0;
    store.onCommit = () => applied++;
    const kv = new FakeKv(store, { who: "a", scheduler, faults: { ...NO_FAULTS, ...faults } });
    scheduler.start("a", async () => {
      const commit = kv.atomic().check({ key: ["a"], versionstamp: ABSENT }).set(["a"], 1).commit();
      answers.add(await commit.then(({ ok }) => String(ok), (error: Error) => error.message.slice(0, 18)));
    });
    await scheduler.run(() => false, 1_000);
    most = Math.max(most, applied);
    none ||= applied === 0;
  }
  return { answers, most, none };
}

Deno.test("FakeKv: a commit whose answer was lost is repeated: applied once, sometimes answered ok: false", async () => {
  const { answers, most, none } = await outcomes({ lostAnswer: 0.5 });
  assertEquals(answers, new Set(["true", "false"]));
  assertEquals([most, none], [1, false]);
});

Deno.test("FakeKv: an unknown outcome is applied or not", async () => {
  const { answers, most, none } = await outcomes({ unknownOutcome: 1 });
  assertEquals(answers, new Set(["simulated failure,"]));
  assertEquals([most, none], [1, true]);
});

Deno.test("FakeKv: a locked database has written nothing", async () => {
  const { answers, most } = await outcomes({ locked: 1 });
  assertEquals([[...answers], most], [["database is locked"], 0]);
});

Deno.test("FakeKv: a blind commit is applied twice when its answer is lost", async () => {
  const store = new FakeKvStore();
  const faults = { ...NO_FAULTS, lostAnswer: 1, appliedThough: 1 };
  let applied = 0;
  store.onCommit = () => {
    applied++;
    faults.lostAnswer = 0;
  };
  await new FakeKv(store, { faults }).set(["bell"], 1);
  assertEquals(applied, 2);
});

Deno.test("FakeKv: the process that reads may act on what is no longer so", async () => {
  let stale = 0;
  for (let seed = 1; seed <= 50; seed++) {
    const scheduler = new SimScheduler({ seed });
    const store = new FakeKvStore();
    const faults = { ...NO_FAULTS, slowAnswer: 0.5 };
    const reader = new FakeKv(store, { who: "reader", scheduler, faults });
    const writer = new FakeKv(store, { who: "writer", scheduler, faults });
    scheduler.start("writer", () => writer.set(["a"], 1));
    scheduler.start("reader", async () => {
      if ((await reader.get(["a"])).value === null && store.peek(["a"]) === 1) stale++;
    });
    await scheduler.run(() => false, 100);
  }
  assert(stale > 0);
});

Deno.test("FakeKv: two handles share a store, watches included", async () => {
  const store = new FakeKvStore();
  using one = new FakeKv(store);
  using two = new FakeKv(store);
  const reader = two.watch([["bell"]]).getReader();
  await reader.read();
  const change = reader.read();
  await one.set(["bell"], "rung");
  assertEquals((await change).value?.[0]?.value, "rung");
});

Deno.test("FakeKvStore.onCommit() sees who committed what", async () => {
  const store = new FakeKvStore();
  const seen: AppliedCommit[] = [];
  store.onCommit = (commit) => seen.push(commit);
  const kv = new FakeKv(store, { who: "srv0" });
  const { ok } = await kv.atomic().check({ key: ["a"], versionstamp: ABSENT }).set(["a"], 1).delete(["b"])
    .commit();
  assert(ok);
  assertEquals(seen.map(({ who, checks, mutations }) => ({ who, checks, mutations })), [{
    who: "srv0",
    checks: [{ key: ["a"], versionstamp: ABSENT }],
    mutations: [{ type: "set", key: ["a"], value: 1 }, { type: "delete", key: ["b"] }],
  }]);
  assertEquals([...store.peekAll([])].map(({ key }) => key), [["a"]]);
});

Deno.test("FakeKv throws for eleven checks, as a shared KV server does", async () => {
  const kv = new FakeKv(new FakeKvStore());
  const checks = Array.from({ length: 11 }, (_, i) => ({ key: ["a", i], versionstamp: ABSENT }));
  await assertRejects(() => kv.atomic().check(...checks).commit(), TypeError, "Too many checks (max 10)");
});

Deno.test("FakeKv refuses what Sluice must not use", async () => {
  const kv = new FakeKv(new FakeKvStore());
  await assertRejects(async () => await kv.atomic().sum(["a"], 1n).commit(), TypeError, "no sum");
  await assertRejects(async () => await kv.enqueue(), TypeError, "no enqueue");
});
