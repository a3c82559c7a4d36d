/** What a claim costs does not depend on how many runs wait, have ended, or stand in queues that are full or empty. */
import { assert, assertEquals } from "@std/assert";
import { serialize } from "node:v8";
import { Commit } from "../../src/kv/commit.ts";
import { gateKey, runDocKey, waitKey } from "../../src/kv/keys.ts";
import { get } from "../../src/kv/read.ts";
import type { GateRecord, RunRecord } from "../../src/schemas/records.ts";
import { CheckedKv } from "../testing/checked_kv.ts";
import { POOL, World } from "./factories.ts";

/** Copies of a waiting run, stored as creating them would. */
async function seed(
  world: World,
  template: string,
  count: number,
  change: Partial<RunRecord> = {},
): Promise<void> {
  const run = await world.record(template);
  const { doc } = await world.services.flowRuns.get(template);
  for (let done = 0; done < count; done += 100) {
    const marker = ["seeded", world.deps.ids.uuid()];
    const commit = new Commit().checkAbsent(marker).set(marker, 0);
    for (let i = done; i < Math.min(done + 100, count); i++) {
      const id = world.deps.ids.uuid();
      const copy = { ...run, id, ...change };
      commit.writeRun(null, copy).set(runDocKey(id), { ...doc, id });
      const waits = copy.state.type === "SCHEDULED";
      if (waits) commit.set(waitKey(copy.pool!, copy.queueNo, copy.t, id), 0);
    }
    await commit.send(world.kv);
  }
}

interface Cost {
  reads: number;
  commits: number;
  mutations: number;
}

/** The cost of five claims of ten runs, each run started and finished. */
async function costOfWork(world: World): Promise<Cost> {
  const kv = world.kv as CheckedKv;
  const pool = await world.services.workPools.require(POOL);
  const keeper = world.services.gates.of(pool.id);
  const session = await world.session();
  await world.claim(keeper, 1, session);
  kv.cost.reset();
  for (let i = 0; i < 5; i++) {
    const granted = await world.claim(keeper, 10, session);
    assertEquals(granted.length, 10);
    for (const type of ["RUNNING", "COMPLETED"] as const) {
      await Promise.all(granted.map((run) => world.propose(run.id, type, { token: run.token! })));
    }
  }
  assertEquals(kv.violations, []);
  const { reads, commits, mutations } = kv.cost;
  return { reads, commits, mutations };
}

async function openWorld(): Promise<World> {
  return new World({ kv: new CheckedKv(await Deno.openKv(":memory:")) });
}

async function baseline(): Promise<Cost> {
  using world = await openWorld();
  await world.pool({ queues: { high: { priority: 1, concurrency_limit: 0 } } });
  await seed(world, await world.run(), 100);
  return await costOfWork(world);
}

Deno.test("a claim costs the same with 100 and with 10,000 waiting runs, and few reads and commits", async () => {
  const small = await baseline();
  using world = await openWorld();
  await world.pool({ queues: { high: { priority: 1, concurrency_limit: 0 } } });
  await seed(world, await world.run(), 10_000);
  const large = await costOfWork(world);
  assertEquals(large.commits, small.commits);
  assertEquals(large.mutations, small.mutations);
  assert(Math.abs(large.reads - small.reads) <= 2, `${large.reads} reads against ${small.reads}`);
  // A round is one claim, and starts and finishes that came while a commit was under way: five commits.
  assert(small.commits <= 25, `${small.commits} commits for 50 runs`);
  assert(small.reads <= 60, `${small.reads} reads for 50 runs`);
});

Deno.test("a claim costs the same with 10,000 runs waiting in a full queue of higher priority", async () => {
  const small = await baseline();
  using world = await openWorld();
  await world.pool({ queues: { high: { priority: 1, concurrency_limit: 0 } } });
  await seed(world, await world.run({ queue: "high" }), 10_000);
  await seed(world, await world.run(), 100);
  const blocked = await costOfWork(world);
  assertEquals(blocked.commits, small.commits);
  assert(Math.abs(blocked.reads - small.reads) <= 2, `${blocked.reads} reads against ${small.reads}`);
});

Deno.test("a claim costs the same with 10,000 ended runs", async () => {
  const small = await baseline();
  using world = await openWorld();
  await world.pool({ queues: { high: { priority: 1, concurrency_limit: 0 } } });
  const template = await world.run();
  const { state } = await world.record(template);
  await seed(world, template, 10_000, { state: { ...state, type: "COMPLETED", name: "Completed" } });
  await seed(world, template, 100);
  const full = await costOfWork(world);
  assertEquals(full.commits, small.commits);
  assert(Math.abs(full.reads - small.reads) <= 2, `${full.reads} reads against ${small.reads}`);
});

Deno.test("a claim costs the same with 1,000 queues, and the gate stays small", async () => {
  const small = await baseline();
  using world = await openWorld();
  const { id } = await world.pool({ queues: { high: { priority: 1, concurrency_limit: 0 } } });
  const names = Array.from({ length: 998 }, (_, i) => `q${i}`);
  await Promise.all(names.map((name) => world.services.workQueues.create(POOL, { name, is_paused: false })));
  await seed(world, await world.run(), 100);
  const many = await costOfWork(world);
  assertEquals(many.commits, small.commits);
  assert(Math.abs(many.reads - small.reads) <= 2, `${many.reads} reads against ${small.reads}`);

  for (const name of names) await world.run({ queue: name });
  await world.claim(world.services.gates.of(id), 20);
  assert(await gateBytes(world, id) <= 300, `${await gateBytes(world, id)} bytes with about 20 busy queues`);
  for (let i = 0; i < 11; i++) await world.claim(world.services.gates.of(id), 100);
  const gate = (await get(world.kv, gateKey(id))).value!;
  assert(gate.q.length / 2 >= 998, `${gate.q.length / 2} busy queues`);
  assert(await gateBytes(world, id) <= 4_096, `${await gateBytes(world, id)} bytes with 1,000 busy queues`);
});

async function gateBytes(world: World, pool: string): Promise<number> {
  const gate: GateRecord | null = (await get(world.kv, gateKey(pool))).value;
  return serialize(gate).byteLength;
}
