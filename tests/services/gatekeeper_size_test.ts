/** A batch stays within what one commit takes, so that a large operation does not fail its neighbours. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { DomainError } from "../../src/errors.ts";
import { Commit } from "../../src/kv/commit.ts";
import { waitKey } from "../../src/kv/keys.ts";
import { POOL, World } from "./factories.ts";
import { hookedWorld } from "./hooked_world.ts";

Deno.test("Gatekeeper takes a hundred reports with the longest messages at once", async () => {
  using hooked = hookedWorld();
  const { world } = hooked;
  await world.pool();
  const runs = await world.runs(100);
  const message = "語".repeat(20_000);
  const { answers, commits } = await hooked.inOneBatch(() =>
    runs.map((run) => world.propose(run, "FAILED", { message }))
  );
  assert(answers.every(({ answer }) => answer.status === "ACCEPT"));
  assert(commits > 3, "more than one commit takes");
  const kept = (await world.record(runs[0]!)).state.message!;
  assert(kept.startsWith("語".repeat(10_000)) && kept.length < 10_050);
});

Deno.test("Gatekeeper looks at a claim that came with a batch that was full without it", async () => {
  using hooked = hookedWorld();
  const { world } = hooked;
  const pool = await world.pool();
  await world.runs(12);
  const session = await world.session();
  const held = await world.claim(pool.keeper, 12, session);
  const next = await world.run();
  const message = "語".repeat(10_000);
  let claiming: Promise<{ id: string }[]> | undefined;
  // Reports that free nothing, and just as many as one commit takes.
  await hooked.inOneBatch(() => {
    claiming = pool.keeper.claim(world.claimOf(session), 60_000);
    return held.map(({ id, token }) => world.propose(id, "RUNNING", { token: token!, message }));
  });
  assertEquals((await claiming)?.map(({ id }) => id), [next]);
});

Deno.test("Gatekeeper takes many reports with data and details at once", async () => {
  using hooked = hookedWorld();
  const { world } = hooked;
  await world.pool();
  const runs = await world.runs(120);
  const data = JSON.stringify("語".repeat(1_300));
  const details = { cache_key: "語".repeat(2_000), traceparent: "語".repeat(2_000) };
  const { answers } = await hooked.inOneBatch(() =>
    runs.map((run, i) => world.propose(run, "FAILED", i % 2 ? { data } : { details }))
  );
  assert(answers.every(({ answer }) => answer.status === "ACCEPT"));
});

Deno.test("Gatekeeper refuses a state that no record can hold, and does the others of its batch", async () => {
  using hooked = hookedWorld();
  const { world } = hooked;
  await world.pool();
  const [large, small] = await world.runs(2);
  const entries = Array.from({ length: 400 }, (_, i) => [`${i}`.padEnd(200, "k"), "v".repeat(200)]);
  const { answers: [refused, answered] } = await hooked.inOneBatch(() => [
    world.propose(large!, "SCHEDULED", { details: { run_input_keyset: Object.fromEntries(entries) } })
      .then(() => "accepted", (error: DomainError) => error.code),
    world.propose(small!, "PENDING"),
  ]);
  assertEquals([refused, answered.answer.status], ["too_large", "ACCEPT"]);
  assertEquals(await world.faults(), []);
});

Deno.test("Gatekeeper deletes a run with a long and large history, and does the others of its batch", async () => {
  using hooked = hookedWorld();
  const { world } = hooked;
  await world.pool();
  const [large, small] = await world.runs(2);
  const { state } = await world.record(large!);
  for (let i = 1; i <= 45; i++) {
    const data = { version: `version ${i}`, chunks: 30 };
    await world.kv.set(["run_state", large!, state.timestamp + i], { ...state, data });
  }
  const { answers: [, answered] } = await hooked.inOneBatch(() => [
    world.services.flowRuns.delete(large!),
    world.propose(small!, "PENDING"),
  ]);
  assertEquals(answered.answer.status, "ACCEPT");
  await assertRejects(() => world.services.flowRuns.get(large!), DomainError, "not found");
  assertEquals(await Array.fromAsync(world.kv.list({ prefix: ["run_state", large!] })), []);
  assertEquals(await world.faults(), []);
});

Deno.test("Gatekeeper hands out more runs than it keeps in memory, each once", async () => {
  using world = new World();
  const pool = await world.pool({ is_paused: true });
  const template = await world.run();
  const runs = [template, ...await copiesOf(world, template, 5_199)];
  const session = await world.session();
  const claims = Array.from({ length: 60 }, () => pool.keeper.claim(world.claimOf(session, 100), 60_000));
  await world.services.workPools.update(POOL, { is_paused: false });
  const granted = (await Promise.all(claims)).flat();
  while (granted.length < runs.length) granted.push(...await world.claim(pool.keeper, 100, session));
  assertEquals(granted.map(({ id }) => id).toSorted(), runs.toSorted());
  assertEquals(await world.faults(), []);
});

/** Copies of a waiting run, stored as creating them would. */
async function copiesOf(world: World, template: string, count: number): Promise<string[]> {
  const run = await world.record(template);
  const ids = Array.from({ length: count }, () => world.deps.ids.uuid());
  for (let i = 0; i < count; i += 200) {
    const commit = new Commit();
    for (const id of ids.slice(i, i + 200)) {
      commit.writeRun(null, { ...run, id }).set(waitKey(run.pool!, run.queueNo, run.t, id), 0);
    }
    await commit.send(world.kv);
  }
  return ids;
}
