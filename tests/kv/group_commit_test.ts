import { assertEquals, assertRejects } from "@std/assert";
import { DomainError } from "../../src/errors.ts";
import { Commit } from "../../src/kv/commit.ts";
import { GroupCommit } from "../../src/kv/group_commit.ts";
import { type CommitAnswer, HookedKv } from "../services/hooked_kv.ts";
import { FakeClock } from "../testing/fake_clock.ts";
import { FakeKv } from "../testing/fake_kv.ts";
import { FakeKvStore } from "../testing/fake_kv_store.ts";

function started() {
  const kv = new HookedKv(new FakeKv(new FakeKvStore()));
  const clock = new FakeClock();
  return { kv, clock, group: new GroupCommit(kv, clock), [Symbol.dispose]: () => kv.close() };
}

const one = (name: string): Commit => new Commit().checkAbsent([name]).set([name], 1);

Deno.test("GroupCommit.send() puts what arrives meanwhile into one commit", async () => {
  using world = started();
  const { group, kv } = world;
  assertEquals(await Promise.all(["a", "b", "c"].map((name) => group.send(one(name)))), [true, true, true]);
  assertEquals(kv.commits.map(({ mutations }) => mutations.length), [1, 2]);
});

Deno.test("GroupCommit.send() lets a failed check hurt nobody else", async () => {
  using world = started();
  const { group, kv } = world;
  await kv.set(["b"], 0);
  assertEquals(await Promise.all(["a", "b", "c"].map((name) => group.send(one(name)))), [true, false, true]);
});

Deno.test("GroupCommit.send() goes on after a commit that is never answered", async () => {
  using world = started();
  const { group, kv, clock } = world;
  kv.onCommit = () => new Promise<CommitAnswer>(() => {});
  const stuck = assertRejects(() => group.send(one("a")), DomainError, "did not answer in time");
  kv.onCommit = ({ send }) => send();
  const next = group.send(one("b"));
  await clock.advance(10_000);
  await stuck;
  assertEquals(await next, true);
});

Deno.test("GroupCommit.send() says that nobody knows when the store fails", async () => {
  using world = started();
  const { group, kv } = world;
  kv.onCommit = () => Promise.reject(new Error("the disk is full"));
  const error = await assertRejects(() => group.send(one("a")), DomainError, "failed");
  assertEquals(error.code, "unknown_outcome");
});
