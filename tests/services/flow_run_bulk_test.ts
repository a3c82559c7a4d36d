import { assertEquals } from "@std/assert";
import { World } from "./factories.ts";
import { HookedKv, writes } from "./hooked_kv.ts";

const all = { filter: null, limit: 50 };
const only = (...any_: string[]) => ({ filter: { operator: "and_" as const, id: { any_ } }, limit: 50 });

Deno.test("FlowRunBulk.delete() deletes what matches, newest first, up to the limit", async () => {
  using world = new World();
  const { keeper } = await world.pool();
  const runs = (await world.runs(6)).sort();
  await world.claim(keeper, 2);
  const { flowRunBulk, flowRunList } = world.services;
  assertEquals((await flowRunBulk.delete({ filter: null, limit: 2 })).sort(), runs.slice(-2));
  assertEquals(await flowRunBulk.delete(only(runs[0]!, runs[5]!)), [runs[0]]);
  assertEquals((await flowRunBulk.delete(all)).length, 3);
  assertEquals(await flowRunList.count({}), 0);
  assertEquals(await world.faults(), []);
});

Deno.test("FlowRunBulk.delete() does not tell of a run that somebody else deleted", async () => {
  const kv = new HookedKv(await Deno.openKv(":memory:"));
  using world = new World({ kv });
  const rival = new World({ kv: kv.behind, seed: 2 });
  await world.pool();
  const runs = await world.runs(3);
  let isFirst = true;
  kv.onCommit = async (commit) => {
    if (isFirst && writes(commit, "deleted_run")) {
      isFirst = false;
      await rival.services.flowRuns.delete(runs[1]!);
    }
    return await commit.send();
  };
  assertEquals((await world.services.flowRunBulk.delete(all)).sort(), [runs[0]!, runs[2]!].sort());
});

Deno.test("FlowRunBulk.setState() decides about each run by itself", async () => {
  using world = new World();
  const { keeper } = await world.pool({ concurrency_limit: 2 });
  const runs = await world.runs(4);
  const [held] = await world.claim(keeper);
  const ended = runs.find((run) => run !== held!.id)!;
  await world.propose(ended, "COMPLETED");
  const results = await world.services.flowRunBulk.setState(all, {
    state: { type: "PENDING" },
    force: false,
  });
  const statusOf = (run: string) => {
    const result = results.find((one) => one.run === run)!;
    return [result.answer.status, result.view?.run.state.type, result.view?.isWritten];
  };
  assertEquals(results.map(({ run }) => run), runs.toSorted().reverse());
  assertEquals(statusOf(held!.id), ["ABORT", "PENDING", false]);
  assertEquals(statusOf(ended), ["ABORT", "COMPLETED", false]);
  const others = runs.filter((run) => run !== held!.id && run !== ended).map(statusOf).sort();
  assertEquals(others, [["ABORT", "SCHEDULED", false], ["ACCEPT", "PENDING", true]], "one slot was left");
  assertEquals(await world.faults(), []);
});

Deno.test("FlowRunBulk.setState() tells of a run that is gone, and goes on", async () => {
  const kv = new HookedKv(await Deno.openKv(":memory:"));
  using world = new World({ kv });
  const rival = new World({ kv: kv.behind, seed: 2 });
  await world.pool();
  const runs = await world.runs(2);
  let isFirst = true;
  kv.onCommit = async (commit) => {
    if (isFirst && writes(commit, "gate")) {
      isFirst = false;
      await rival.services.flowRuns.delete(runs[0]!);
    }
    return await commit.send();
  };
  const results = await world.services.flowRunBulk.setState(all, {
    state: { type: "CANCELLED" },
    force: true,
  });
  const [gone, other] = runs.map((run) => results.find((one) => one.run === run)!);
  assertEquals([gone!.answer.status, gone!.view], ["ABORT", null]);
  assertEquals([other!.answer.status, other!.view?.run.state.type], ["ACCEPT", "CANCELLED"]);
});
