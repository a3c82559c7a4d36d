/** What is left of writes that end in the middle, and that it is found. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { World } from "./factories.ts";
import { HookedKv, type SentCommit, writes } from "./hooked_kv.ts";

/** Above what one commit takes together with its record. */
const HUGE = `{"x":"${"a".repeat(400_000)}"}`;
const DAY_MS = 24 * 60 * 60 * 1000;

async function textKeys(kv: Deno.Kv): Promise<string[]> {
  const keys: string[] = [];
  for (const prefix of ["chunk", "ahead"]) {
    for await (const { key } of kv.list({ prefix: [prefix] })) keys.push(key.join(" "));
  }
  return keys;
}

/** What stores texts ahead of a record, and how the record's commit is known. */
const WRITES: Record<
  string,
  [write: (world: World, run: string) => Promise<unknown>, isRecord: (commit: SentCommit) => boolean]
> = {
  create: [
    (world) => world.run({ parameters: HUGE, context: HUGE }),
    (commit) => writes(commit, "run_doc"),
  ],
  update: [
    (world, run) => world.services.flowRuns.update(run, { parameters: HUGE, job_variables: HUGE }),
    (commit) => writes(commit, "run_doc"),
  ],
  "state data": [
    (world, run) => world.propose(run, "CANCELLED", { data: HUGE }),
    (commit) => writes(commit, "run_state"),
  ],
  input: [
    (world, run) => world.services.flowRunInputs.create(run, { key: "k", value: HUGE + HUGE }),
    (commit) => writes(commit, "run_input"),
  ],
};

for (const [title, [write, isRecord]] of Object.entries(WRITES)) {
  Deno.test(`Leftovers.sweep() finds the pieces of a text whose record never came: ${title}`, async () => {
    const kv = new HookedKv(await Deno.openKv(":memory:"));
    using world = new World({ kv });
    await world.pool();
    const run = await world.run();
    kv.onCommit = (commit) =>
      isRecord(commit) ? Promise.reject(new Error("the process dies")) : commit.send();
    await assertRejects(() => write(world, run));
    assert((await textKeys(kv)).length > 0);
    await world.services.leftovers.sweep();
    assert((await textKeys(kv)).length > 0, "not before it is certain");
    await world.deps.advance(DAY_MS + 1);
    await world.services.leftovers.sweep();
    assertEquals(await textKeys(kv), []);
    const { doc, parameters } = await world.services.flowRuns.get(run);
    assertEquals([parameters, doc.jobVariables], ["{}", "{}"], "and nothing half-written");
  });

  Deno.test(`No text is left ahead, nor swept away, once its record points at it: ${title}`, async () => {
    using world = new World({ kv: await Deno.openKv(":memory:") });
    await world.pool();
    await write(world, await world.run());
    const stored = await textKeys(world.kv);
    assert(stored.length > 0);
    assert(stored.every((key) => key.startsWith("chunk")));
    await world.deps.advance(DAY_MS + 1);
    await world.services.leftovers.sweep();
    assertEquals(await textKeys(world.kv), stored);
  });
}

Deno.test("A refused state, or one that another took the place of, leaves no piece of its data", async () => {
  using world = new World();
  const { keeper } = await world.pool();
  const run = await world.run({ empirical_policy: { max_retries: 0, retry_delay_seconds: 0, retries: 1 } });
  const [held] = await world.claim(keeper);
  const token = held!.token!;
  assertEquals((await world.propose(run, "COMPLETED", { data: HUGE })).answer.status, "ABORT");
  await assertRejects(() => world.propose(run, "COMPLETED", { data: HUGE, token: "another" }));
  await world.propose(run, "RUNNING", { token });
  const { answer } = await world.propose(run, "FAILED", { token, data: HUGE });
  assertEquals([answer.status, (await world.record(run)).state.name], ["REJECT", "AwaitingRetry"]);
  assertEquals(await textKeys(world.kv), []);
});

Deno.test("A change that loses its run leaves no piece of its texts", async () => {
  const kv = new HookedKv(await Deno.openKv(":memory:"));
  using world = new World({ kv });
  const rival = new World({ kv: kv.behind, seed: 2 });
  await world.pool();
  const run = await world.run();
  let isFirst = true;
  kv.onCommit = async (commit) => {
    if (isFirst && writes(commit, "run_doc")) {
      isFirst = false;
      await rival.services.flowRuns.delete(run);
    }
    return await commit.send();
  };
  await assertRejects(() => world.services.flowRuns.update(run, { parameters: HUGE, job_variables: HUGE }));
  assertEquals(await textKeys(kv), []);
});

Deno.test("Leftovers.keepSweeping() goes on after a failure, and ends with the server", async () => {
  const kv = new HookedKv(await Deno.openKv(":memory:"));
  using world = new World({ kv });
  let sweeps = 0;
  kv.beforeRead = (key) => {
    if (key[0] !== "deleted_run") return Promise.resolve();
    return sweeps++ === 0 ? Promise.reject(new Error("no")) : Promise.resolve();
  };
  const sweeping = world.services.leftovers.keepSweeping();
  await world.deps.advance(0);
  await world.deps.advance(60 * 60 * 1000);
  await world.deps.advance(0);
  assertEquals(sweeps, 2);
  world.deps.controller.abort();
  await sweeping;
});
