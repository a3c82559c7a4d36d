import { assertEquals, assertRejects } from "@std/assert";
import { DomainError } from "../../src/errors.ts";
import { World } from "./factories.ts";
import { HookedKv, writes } from "./hooked_kv.ts";

async function started(world: World): Promise<string> {
  await world.pool();
  return await world.run();
}

const add = (world: World, run: string, key: string, value = "v", sender?: string) =>
  world.services.flowRunInputs.create(run, { key, value, sender });

const keys = async (
  world: World,
  run: string,
  changes: { prefix?: string; limit?: number; exclude_keys?: string[] } = {},
) =>
  (await world.services.flowRunInputs.list(run, { prefix: "", limit: 100, exclude_keys: [], ...changes }))
    .map(({ input }) => input.key);

Deno.test("FlowRunInputs lists by prefix, oldest first, without the excluded", async () => {
  using world = new World();
  const run = await started(world);
  for (const key of ["m-z", "m-a", "other", "m-k"]) await add(world, run, key, `value of ${key}`, "me");
  assertEquals(await keys(world, run), ["m-z", "m-a", "other", "m-k"]);
  assertEquals(await keys(world, run, { prefix: "m-" }), ["m-z", "m-a", "m-k"]);
  assertEquals(await keys(world, run, { prefix: "m-", limit: 2, exclude_keys: ["m-z"] }), ["m-a", "m-k"]);
  assertEquals(await keys(world, run, { limit: 0 }), []);
  assertEquals(await keys(world, crypto.randomUUID()), []);
  const [first] = await world.services.flowRunInputs.list(run, { prefix: "m", limit: 1, exclude_keys: [] });
  assertEquals([first?.value, first?.input.sender, first?.input.created], ["value of m-z", "me", world.now]);
});

Deno.test("FlowRunInputs refuses a key twice, and what belongs to no run", async () => {
  using world = new World();
  const run = await started(world);
  await add(world, run, "k", "first");
  const code = (work: Promise<unknown>) => work.then(() => "done", (error: DomainError) => error.code);
  assertEquals(await code(add(world, run, "k", "second")), "conflict");
  assertEquals(await world.services.flowRunInputs.value(run, "k"), "first");
  assertEquals(await code(add(world, crypto.randomUUID(), "k")), "not_found");
  assertEquals(await code(world.services.flowRunInputs.value(run, "none")), "not_found");
  assertEquals(await code(world.services.flowRunInputs.delete(run, "none")), "not_found");
  const other = await world.run();
  assertEquals(await code(add(world, other, "k")), "done");
});

Deno.test("FlowRunInputs makes one of several concurrent inputs with one key", async () => {
  using world = new World({ kv: await Deno.openKv(":memory:") });
  const run = await started(world);
  const made = await Promise.allSettled([1, 2, 3].map((n) => add(world, run, "k", `${n}`)));
  assertEquals(made.map(({ status }) => status).sort(), ["fulfilled", "rejected", "rejected"]);
});

Deno.test("FlowRunInputs keeps texts of megabytes byte for byte, under keys of any kind, and deletes all of them", async () => {
  using world = new World({ kv: await Deno.openKv(":memory:") });
  const run = await started(world);
  const value = "é\u{1f600}".repeat(500_000);
  const key = `${"ü/%".repeat(600)}`;
  await add(world, run, key, value);
  assertEquals(await world.services.flowRunInputs.value(run, key) === value, true);
  assertEquals(await Array.fromAsync(world.kv.list({ prefix: ["ahead"] })), []);
  await world.services.flowRunInputs.delete(run, key);
  assertEquals(await Array.fromAsync(world.kv.list({ prefix: ["chunk"] })), []);
  const error = await assertRejects(() => add(world, run, "k", "x".repeat(4 * 1024 * 1024 + 1)), DomainError);
  assertEquals([error.code, error.field], ["too_large", ["value"]]);
});

Deno.test("FlowRunInputs adds nothing to a run that is deleted meanwhile", async () => {
  const kv = new HookedKv(await Deno.openKv(":memory:"));
  using world = new World({ kv });
  const rival = new World({ kv: kv.behind, seed: 2 });
  const run = await started(world);
  let isFirst = true;
  kv.onCommit = async (commit) => {
    if (isFirst && writes(commit, "run_input")) {
      isFirst = false;
      await rival.services.flowRuns.delete(run);
    }
    return await commit.send();
  };
  await assertRejects(() => add(world, run, "k", "x".repeat(700_000)), DomainError, "Flow run not found");
  for (const prefix of ["run_input", "chunk", "ahead"]) {
    assertEquals(await Array.fromAsync(kv.list({ prefix: [prefix] })), [], prefix);
  }
});

Deno.test("FlowRunInputs takes its own write, whose answer was lost, for done", async () => {
  const kv = new HookedKv(await Deno.openKv(":memory:"));
  using world = new World({ kv });
  const run = await started(world);
  kv.onCommit = async (commit) => {
    const answer = await commit.send();
    return writes(commit, "run_input") && answer.ok ? { ok: false } : answer;
  };
  await add(world, run, "k");
  assertEquals(await keys(world, run), ["k"]);
});
