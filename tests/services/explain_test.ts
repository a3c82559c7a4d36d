import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Reason } from "../../src/schemas/explanation.ts";
import { SeededRandom } from "../testing/seeded_random.ts";
import { POOL, SECOND, World } from "./factories.ts";

async function kinds(world: World, run: string): Promise<Reason["kind"][]> {
  return (await world.services.explain.explain(run)).reasons.map(({ kind }) => kind);
}

/** An agent that has asked for work just now. */
async function withAgent(world: World): Promise<void> {
  await world.services.agents.claim(POOL, {
    session: await world.session(),
    claim_id: "nothing",
    queues: [],
    prefixes: [],
    n: 1,
    prefetch: 0,
    wait: 0,
  }, new AbortController().signal);
}

Deno.test("explain() says nothing when the next claim takes the run", async () => {
  using world = new World();
  await world.pool();
  await withAgent(world);
  const { startable, reasons } = await world.services.explain.explain(await world.run());
  assertEquals([startable, reasons], [true, []]);
});

Deno.test("explain() tells when a run is due", async () => {
  using world = new World();
  await world.pool();
  await withAgent(world);
  const run = await world.run({ at: world.now + 90 * SECOND });
  const { startable, reasons: [reason] } = await world.services.explain.explain(run);
  assertEquals([startable, reason?.kind], [false, "not_due"]);
  assertMatch(reason!.message, /in 90 s/);
});

Deno.test("explain() names what is paused", async () => {
  using world = new World();
  await world.pool({ is_paused: true, queues: { q: { is_paused: true } } });
  await withAgent(world);
  assertEquals(await kinds(world, await world.run({ queue: "q" })), ["pool_paused", "queue_paused"]);
  assertEquals(await kinds(world, await world.run()), ["pool_paused"]);
});

Deno.test("explain() names the limit that is reached and who holds the slots", async () => {
  using world = new World();
  const pool = await world.pool({ concurrency_limit: 3, queues: { q: { concurrency_limit: 1 } } });
  await withAgent(world);
  const [first] = await world.runs(2, { queue: "q" });
  await world.run();
  assertEquals((await world.claim(pool.keeper, 2)).length, 2, "one of them holds a slot of another queue");
  const waiting = await world.run({ queue: "q" });
  const { reasons: [reason] } = await world.services.explain.explain(waiting);
  assertEquals([reason?.kind, reason?.limit, reason?.held], ["queue_full", 1, 1]);
  assertEquals(reason?.holders.map(({ flow_run_id, agent, host }) => [flow_run_id, agent, host]), [
    [first!, "agent", "host"],
  ]);
  await world.services.workPools.update(POOL, { concurrency_limit: 1 });
  assertEquals(await kinds(world, waiting), ["pool_full", "queue_full"]);
  assertEquals(await kinds(world, await world.run()), ["pool_full"]);
});

Deno.test("explain() counts the runs that stand before it, and says what they use up", async () => {
  using world = new World();
  await world.pool({ concurrency_limit: 2 });
  await withAgent(world);
  const runs = await world.runs(4);
  assertEquals(await kinds(world, runs[1]!), []);
  const { startable, reasons: [reason] } = await world.services.explain.explain(runs[3]!);
  assertEquals([startable, reason?.kind, reason?.ahead], [false, "behind", 2]);
  assertMatch(reason!.message, /2 of 2 slots/);
});

Deno.test("explain() says that nobody asks, and who asked last", async () => {
  using world = new World();
  await world.pool();
  const run = await world.run();
  const never = await world.services.explain.explain(run);
  assertEquals([never.startable, never.reasons.map(({ kind }) => kind)], [true, ["no_agent"]]);
  assertMatch(never.reasons[0]!.message, /none yet/);
  await world.session();
  assertMatch(
    (await world.services.explain.explain(run)).reasons[0]!.message,
    /Online are 'agent', for other/,
  );
  await world.deps.advance(120_000);
  assertMatch(
    (await world.services.explain.explain(run)).reasons[0]!.message,
    /last one was 'agent' on host/,
  );
});

Deno.test("explain() says that all agents are full", async () => {
  using world = new World();
  const pool = await world.pool();
  const { sessions } = await world.services.agents.open({
    name: "small",
    host: "h",
    version: "1",
    pools: [POOL],
    queues: [],
    prefixes: [],
    limit: 1,
  });
  await world.runs(2);
  await world.claim(pool.keeper, 1, sessions[0]!.id);
  const { reasons } = await world.services.explain.explain(await world.run());
  assertEquals(reasons.map(({ kind }) => kind), ["agents_full"]);
  assertMatch(reasons[0]!.message, /'small' \(1\)/);
});

Deno.test("explain() tells where a run is that does not wait", async () => {
  using world = new World();
  const pool = await world.pool();
  const run = await world.run();
  const [claimed] = await world.claim(pool.keeper, 1);
  assertEquals(await kinds(world, run), ["handed_out"]);
  await world.propose(run, "RUNNING", { token: claimed!.token! });
  assertEquals(await kinds(world, run), ["started"]);
  await world.propose(run, "COMPLETED", { token: claimed!.token! });
  assertEquals(await kinds(world, run), ["ended"]);
});

Deno.test("what explain() calls startable is what the next claim takes", async () => {
  for (let seed = 1; seed <= 150; seed++) {
    using world = new World({ seed });
    const random = new SeededRandom(seed);
    const upTo = (n: number) => random.int(n + 1);
    const limit = () => random.chance(0.4) ? null : upTo(3);
    const queues = Object.fromEntries(["a", "b", "c"].map((name) => [name, {
      concurrency_limit: limit(),
      is_paused: random.chance(0.2),
      ...(random.chance(0.5) ? { priority: 1 + upTo(3) } : {}),
    }]));
    const pool = await world.pool({ concurrency_limit: limit(), queues });
    const runs: string[] = [];
    for (let i = upTo(8); i >= 0; i--) {
      const queue = ["a", "b", "c", "default"][upTo(3)]!;
      runs.push(await world.run({ queue, at: world.now + (upTo(6) - 4) * SECOND }));
    }
    await world.claim(pool.keeper, upTo(3));
    const startable: string[] = [];
    for (const run of runs) if ((await world.services.explain.explain(run)).startable) startable.push(run);
    const claimed = (await world.claim(pool.keeper, 100)).map(({ id }) => id);
    assertEquals(startable.toSorted(), claimed.toSorted(), `seed ${seed}`);
    assert(runs.length > 0);
  }
});
