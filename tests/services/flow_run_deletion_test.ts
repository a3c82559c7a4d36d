import { assert, assertEquals, assertRejects } from "@std/assert";
import { DomainError } from "../../src/errors.ts";
import { World } from "./factories.ts";
import { HookedKv, writes } from "./hooked_kv.ts";

const LARGE = `{"x":"${"a".repeat(150_000)}"}`;

/** Every key that is stored, without the journal of changes, and the marks that keep logs deleted for a day. */
async function allKeys(kv: Deno.Kv): Promise<string[]> {
  const entries = await Array.fromAsync(kv.list({ prefix: [] }));
  return entries.filter(({ key }) => key[0] !== "journal" && key[0] !== "log_merge").map(({ key }) =>
    JSON.stringify(key)
  );
}

/** A run with everything that a run can have, held by an agent. */
async function fullRun(
  world: World,
  keeper: Parameters<World["claim"]>[0],
  session: string,
): Promise<string> {
  const run = await world.run({
    parameters: LARGE,
    context: LARGE,
    job_variables: LARGE,
    labels: `{"a":1}`,
    idempotency_key: "k",
  });
  for (let i = 0; i < 100; i++) await world.propose(run, "SCHEDULED", { name: `${i}`, data: LARGE });
  await world.services.flowRuns.updateLabels(run, `{"b":2}`);
  for (let i = 0; i < 30; i++) {
    await world.services.flowRunInputs.create(run, { key: `k${i}`, value: "x".repeat(1_000_000) });
  }
  const line = { name: "n", level: 20, message: "x".repeat(100_000), flow_run_id: run };
  await world.services.logs.create(Array.from({ length: 30 }, (_, i) => ({ ...line, timestamp: i })));
  await world.claim(keeper, 1, session);
  return run;
}

Deno.test("FlowRuns.delete() leaves no key of a run that had everything, in commits of bounded size", async () => {
  const kv = new HookedKv(await Deno.openKv(":memory:"));
  using world = new World({ kv });
  const { keeper } = await world.pool();
  await world.flow();
  const session = await world.session();
  const before = await allKeys(kv);
  const run = await fullRun(world, keeper, session);
  const most = (await allKeys(kv)).length - before.length;
  assert(most > 1_000, `${most} keys`);
  kv.commits.length = 0;
  await world.services.flowRuns.delete(run);
  assertEquals(await allKeys(kv), before);
  assert(kv.commits.every(({ mutations }) => mutations.length < 450));
  assertEquals(await world.faults(), []);
});

Deno.test("FlowRuns.delete() of many runs at once deletes all of them", async () => {
  using world = new World({ kv: await Deno.openKv(":memory:") });
  const { keeper } = await world.pool();
  await world.flow();
  const session = await world.session();
  const before = await allKeys(world.kv);
  const runs = await world.runs(40, { parameters: LARGE });
  await world.claim(keeper, 10, session);
  await Promise.all(runs.map((run) => world.services.flowRuns.delete(run)));
  assertEquals(await allKeys(world.kv), before);
  assertEquals(await world.faults(), []);
});

Deno.test("A deletion that ends early anywhere is finished by the next request or the next start", async () => {
  for (const finish of ["request", "start"]) {
    for (let commits = 1, isDone = false; !isDone; commits++) {
      const kv = new HookedKv(await Deno.openKv(":memory:"));
      using world = new World({ kv });
      await world.pool();
      await world.flow();
      const before = await allKeys(kv);
      const run = await world.run({ parameters: LARGE });
      for (let i = 0; i < 120; i++) await world.propose(run, "SCHEDULED", { name: `${i}`, data: LARGE });
      let sent = 0;
      kv.onCommit = (commit) =>
        sent++ < commits ? commit.send() : Promise.reject(new Error("the process dies"));
      isDone = await world.services.flowRuns.delete(run).then(() => true, () => false);
      const next = new World({ kv: kv.behind, seed: 2 });
      if (finish === "start") await next.services.leftovers.sweep();
      else await assertRejects(() => next.services.flowRuns.delete(run), DomainError, "Flow run not found");
      assertEquals(await allKeys(kv.behind), before, `${finish} after ${commits} commits`);
      assert(!isDone || commits > 3, `${commits}`);
    }
  }
});

Deno.test("FlowRuns.delete() by two servers at once deletes once", async () => {
  using world = new World({ kv: await Deno.openKv(":memory:"), shared: true });
  const other = new World({ kv: world.kv, seed: 2, shared: true });
  await world.pool();
  const run = await world.run({ parameters: LARGE });
  const outcomes = await Promise.allSettled(
    [world, other].map(({ services }) => services.flowRuns.delete(run)),
  );
  assert(outcomes.some(({ status }) => status === "fulfilled"));
  assertEquals((await allKeys(world.kv)).filter((key) => key.includes(run) && !key.includes("once")), []);
  assertEquals(await world.faults(), []);
});

Deno.test("FlowRuns.delete() takes along what a change of the description writes meanwhile", async () => {
  const kv = new HookedKv(await Deno.openKv(":memory:"));
  using world = new World({ kv });
  const rival = new World({ kv: kv.behind, seed: 2 });
  await world.pool();
  await world.flow();
  const before = await allKeys(kv);
  const run = await world.run({ parameters: LARGE });
  let isFirst = true;
  kv.onCommit = async (commit) => {
    if (isFirst && writes(commit, "deleted_run")) {
      isFirst = false;
      await rival.services.flowRuns.update(run, { parameters: LARGE.replaceAll("a", "b") });
    }
    return await commit.send();
  };
  await world.services.flowRuns.delete(run);
  assertEquals(await allKeys(kv), before);
});

Deno.test("FlowRuns.delete() leaves no text of a change that was under way when the run went", async () => {
  const kv = new HookedKv(await Deno.openKv(":memory:"));
  using world = new World({ kv });
  const rivalKv = new HookedKv(kv.behind);
  const rival = new World({ kv: rivalKv, seed: 2 });
  await world.pool();
  await world.flow();
  const before = await allKeys(kv);
  const run = await world.run({ parameters: LARGE });
  const release = Promise.withResolvers<void>();
  rivalKv.onCommit = async ({ send }) => {
    await release.promise;
    return await send();
  };
  const changing = rival.services.flowRuns.update(run, { parameters: LARGE.replaceAll("a", "b") });
  kv.onCommit = async (commit) => {
    if (writes(commit, "run_doc")) { // the run itself is gone
      release.resolve();
      await changing;
    }
    return await commit.send();
  };
  await world.services.flowRuns.delete(run);
  assertEquals(await allKeys(kv), before);
});
