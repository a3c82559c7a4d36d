import { assert, assertEquals, assertRejects } from "@std/assert";
import { CheckedKv, CommitViolation } from "./checked_kv.ts";
import { FakeKv } from "./fake_kv.ts";
import { FakeKvStore } from "./fake_kv_store.ts";
import { valueBytes } from "./kv_size.ts";

const ABSENT = null;
const open = (options = {}) => new CheckedKv(new FakeKv(new FakeKvStore()), options);

Deno.test("CheckedKv refuses a commit without a check on a key that it writes", async () => {
  const kv = open();
  const blind = () => kv.set(["run", "r"], 1);
  const elsewhere = () => kv.atomic().check({ key: ["gate"], versionstamp: ABSENT }).set(["run"], 1).commit();
  const vain = () => kv.atomic().check({ key: ["run"], versionstamp: ABSENT }).delete(["run"]).commit();
  for (const commit of [blind, elsewhere, vain]) {
    await assertRejects(commit, CommitViolation, "has no check on a key that it writes");
  }
  assertEquals(kv.violations.length, 3);
  assertEquals((await kv.get(["run", "r"])).value, null);
});

Deno.test("CheckedKv lets guarded commits pass, and blind ones of bells and polls", async () => {
  const kv = open({ repeatCommits: true });
  const made = await kv.atomic().check({ key: ["run"], versionstamp: ABSENT }).set(["run"], 1).commit();
  assert(made.ok);
  assert(
    (await kv.atomic().check({ key: ["run"], versionstamp: made.versionstamp }).delete(["run"]).commit()).ok,
  );
  await kv.set(["bell", "p"], 1);
  await kv.atomic().set(["queue_polled", "q"], 1).set(["deployment_polled", "d"], 1).commit();
  assert((await kv.atomic().commit()).ok);
  assertEquals(kv.violations, []);
});

Deno.test("CheckedKv refuses more than ten checks", async () => {
  const kv = open();
  const keys = Array.from({ length: 11 }, (_, i) => ({ key: ["a", i], versionstamp: ABSENT }));
  await assertRejects(
    () => kv.atomic().check(...keys).set(["a", 0], 1).commit(),
    CommitViolation,
    "11 checks",
  );
});

Deno.test("CheckedKv repeats commits and reports one that is applied twice", async () => {
  // A KV that forgets to check.
  class Careless extends FakeKv {
    override atomic(): Deno.AtomicOperation {
      const operation = super.atomic();
      operation.check = () => operation;
      return operation;
    }
  }
  const kv = new CheckedKv(new Careless(new FakeKvStore()), { repeatCommits: true });
  const commit = () => kv.atomic().check({ key: ["a"], versionstamp: ABSENT }).set(["a"], 1).commit();
  await assertRejects(commit, CommitViolation, "was applied a second time");
});

Deno.test("CheckedKv counts what goes through", async () => {
  const kv = open({ repeatCommits: true });
  const value = { text: "x".repeat(100) };
  const operation = kv.atomic().check({ key: ["a", 0], versionstamp: ABSENT });
  for (let i = 0; i < 250; i++) operation.set(["a", i], value);
  await operation.commit();
  assertEquals({ ...kv.cost }, {
    reads: 0,
    entries: 0,
    lists: 0,
    commits: 1,
    failedCommits: 0,
    mutations: 250,
    bytes: 250 * valueBytes(value),
  });
  kv.cost.reset();
  await kv.get(["a", 1]);
  await kv.getMany([["a", 1], ["b"]]);
  await Array.fromAsync(kv.list({ prefix: ["a"] }));
  await Array.fromAsync(kv.list({ prefix: ["a"] }, { limit: 100 }));
  await Array.fromAsync(kv.list({ prefix: ["none"] }));
  await operation.commit();
  const { reads, entries, lists, commits, failedCommits } = kv.cost;
  assertEquals({ reads, entries, lists, commits, failedCommits }, {
    reads: 2 + 3 + 1 + 1,
    entries: 1 + 1 + 250 + 100,
    lists: 3,
    commits: 0,
    failedCommits: 1,
  });
});

Deno.test("CheckedKv works over a real KV", async () => {
  using kv = new CheckedKv(await Deno.openKv(":memory:"), { repeatCommits: true });
  const parts: readonly unknown[] = ["journal", kv.commitVersionstamp()];
  const made = await kv.atomic().check({ key: ["a"], versionstamp: ABSENT }).set(["a"], 1)
    .set(parts as Deno.KvKey, 1).commit();
  assert(made.ok);
  assertEquals((await Array.fromAsync(kv.list({ prefix: ["journal"] }))).length, 1);
  const reader = kv.watch([["a"]]).getReader();
  assertEquals((await reader.read()).value?.[0]?.value, 1);
  await reader.cancel();
});
