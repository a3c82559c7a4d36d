import { assert, assertEquals, assertRejects } from "@std/assert";
import { DomainError } from "../../src/errors.ts";
import type { FlowRunCreate } from "../../src/schemas/flow_run.ts";
import { move, MovedError } from "../../src/services/gate/run_operations.ts";
import { readAll } from "./audit.ts";
import { listBody, POOL, World } from "./factories.ts";
import { HookedKv } from "./hooked_kv.ts";
import { hookedWorld } from "./hooked_world.ts";

const body = { parameters: "{}", context: "{}", tags: [] };

/** A run of no pool. */
async function alone(world: World, changes: Partial<FlowRunCreate> = {}) {
  return await world.services.flowRuns.create({ flow_id: await world.flow(), ...body, ...changes });
}

/** What is stored of a run, by kind of key. */
/** Kinds of the keys that name the run, without the mark that keeps merges from bringing its logs back for a day. */
async function keysOf(world: World, run: string): Promise<string[]> {
  const kinds: string[] = [];
  for await (const { key } of world.kv.list({ prefix: [] })) {
    if (key.includes(run) && key[0] !== "log_merge") kinds.push(String(key[0]));
  }
  return kinds.sort();
}

async function countChunks(world: World): Promise<number> {
  return (await Array.fromAsync(world.kv.list({ prefix: ["chunk"] }))).length;
}

Deno.test("FlowRuns.create() makes one run of twenty concurrent creates with one idempotency key", async () => {
  using hooked = hookedWorld();
  const { world } = hooked;
  await world.pool();
  const deployment = await world.deployment();
  const made = await hooked.inOneGroup(() =>
    Array.from(
      { length: 20 },
      () => world.services.flowRuns.createFromDeployment(deployment, { ...body, idempotency_key: "once" }),
    )
  );
  assertEquals(new Set(made.map(({ view }) => view.run.id)).size, 1);
  assertEquals(made.filter(({ isNew }) => isNew).length, 1);
  const stored = await readAll(world.kv);
  assertEquals([stored.runs.size, stored.waits.length], [1, 1]);
});

Deno.test("FlowRuns.create() knows an idempotency key for as long as its run is there, and per flow", async () => {
  using world = new World();
  await world.pool();
  const first = await alone(world, { idempotency_key: "k" });
  const again = await alone(world, { idempotency_key: "k", name: "ignored" });
  assertEquals([again.view.run.id, again.isNew], [first.view.run.id, false]);
  const { flow } = await world.services.flows.create({ name: "other", tags: [], labels: "{}" });
  assertEquals((await alone(world, { idempotency_key: "k", flow_id: flow.id })).isNew, true);
  await world.services.flowRuns.delete(first.view.run.id);
  assertEquals((await alone(world, { idempotency_key: "k" })).isNew, true);
});

Deno.test("FlowRuns.update() keeps each of several concurrent changes", async () => {
  using hooked = hookedWorld();
  const { world } = hooked;
  const { view: { run: { id } } } = await alone(world);
  await hooked.inOneGroup(() => [
    world.services.flowRuns.update(id, { name: "renamed" }),
    world.services.flowRuns.update(id, { infrastructure_pid: "host:1" }),
    world.services.flowRuns.update(id, { tags: ["a"] }),
  ]);
  const { doc } = await world.services.flowRuns.get(id);
  assertEquals([doc.name, doc.infrastructurePid, doc.tags], ["renamed", "host:1", ["a"]]);
});

Deno.test("Flows.create() makes one flow of several concurrent creates of one name", async () => {
  using hooked = hookedWorld();
  const { flows } = hooked.world.services;
  const made = await hooked.inOneGroup(() =>
    [1, 2, 3].map(() => flows.create({ name: "same", tags: [], labels: "{}" }))
  );
  assertEquals(new Set(made.map(({ flow }) => flow.id)).size, 1);
  assertEquals(made.filter(({ isNew }) => isNew).length, 1);
});

Deno.test("FlowRuns.create() of many runs at once puts all of them into the index", async () => {
  using world = new World({ kv: await Deno.openKv(":memory:") });
  const pool = await world.pool();
  await world.flow();
  const ids = await Promise.all(Array.from({ length: 300 }, () => world.run()));
  assertEquals(new Set(ids).size, 300);
  assertEquals(await world.faults(), []);
  const granted = [];
  const session = await world.session();
  for (let i = 0; i < 3; i++) granted.push(...await world.claim(pool.keeper, 100, session));
  assertEquals(granted.map(({ id }) => id), ids.toSorted(), "by id, since all have one time");
});

Deno.test("FlowRuns.create() into a queue that is deleted meanwhile leaves no run behind", async () => {
  for (let turn = 0; turn < 40; turn++) {
    using world = new World();
    const pool = await world.pool({ queues: { q: {} } });
    await world.flow();
    const creating = world.run({ queue: "q" }).then(() => "made", (error: DomainError) => error.code);
    // Each time the enqueue has got a little further when the queue is deleted.
    for (let i = 0; i < turn; i++) await Promise.resolve();
    const deleting = world.services.workQueues.delete(POOL, "q").then(() => "deleted", ({ code }) => code);
    const [made, deleted] = await Promise.all([creating, deleting]);
    const about = `after ${turn} microtasks: ${made}, ${deleted}`;
    assert(!(made === "made" && deleted === "deleted"), about);
    assertEquals(await world.faults(), [], about);
    const queue = await world.services.workQueues.find(
      (await world.services.workPools.get(pool.name)).pool,
      "q",
    );
    assertEquals(queue?.state, deleted === "deleted" ? undefined : "open", about);
  }
});

Deno.test("FlowRuns.create() follows a deployment that is pointed elsewhere meanwhile", async () => {
  for (let turn = 0; turn < 30; turn++) {
    using world = new World();
    const other = await world.pool({ name: "other" });
    await world.pool();
    const deployment = await world.deployment();
    const creating = world.services.flowRuns.createFromDeployment(deployment, body);
    for (let i = 0; i < turn; i++) await Promise.resolve();
    let isSwitched = false;
    await world.services.deployments.update(deployment, { work_pool_name: "other" }).then(() =>
      isSwitched = true
    );
    const { view } = await creating;
    assert(isSwitched);
    const after = await world.services.flowRuns.createFromDeployment(deployment, body);
    assertEquals(after.view.run.pool, other.id);
    assert([other.name, POOL].includes(view.poolName!));
    assertEquals(await world.faults(), []);
  }
});

Deno.test("FlowRuns.create() merges parameters, labels, tags from flow, deployment and request", async () => {
  using world = new World();
  await world.pool({ queues: { q: {} } });
  const { flow } = await world.services.flows.create({
    name: "labelled",
    tags: ["f"],
    labels: `{"a":1,"b":1}`,
  });
  const deployment = await world.deployment({
    flow_id: flow.id,
    parameters: `{"x":1,"y":5.0}`,
    tags: ["b", "a"],
    labels: `{"b":2}`,
    job_variables: `{"env":{"A":"1"}}`,
    version: "v1",
  });
  const { view } = await world.services.flowRuns.createFromDeployment(deployment, {
    ...body,
    parameters: `{"x":2.50}`,
    tags: ["c", "a"],
    labels: `{"c":3}`,
    work_queue_name: "q",
    name: "given",
  });
  assertEquals(view.parameters, `{"x":2.50,"y":5.0}`);
  assertEquals(view.doc.tags, ["a", "b", "c"]);
  const labels = JSON.parse(view.doc.labels);
  assertEquals([labels.a, labels.b, labels.c], [1, 2, 3]);
  assertEquals([labels["prefect.flow.id"], labels["prefect.deployment.id"]], [flow.id, deployment]);
  assertEquals([view.doc.name, view.queueName, view.jobVariables], ["given", "q", "{}"]);
  assertEquals(view.doc.deploymentVersion, "v1");
  assertEquals(await world.services.flowRuns.get(view.run.id), view, "what create answers is what is stored");
});

Deno.test("FlowRuns.create() makes a queue that a deployment's run names, and refuses one that a plain run names", async () => {
  using world = new World();
  await world.pool();
  const deployment = await world.deployment();
  const { view } = await world.services.flowRuns.createFromDeployment(deployment, {
    ...body,
    work_queue_name: "new",
  });
  assertEquals(view.queueName, "new");
  await assertRejects(() => world.run({ queue: "newer" }), DomainError, "'pool/newer' not found");
  await assertRejects(() => world.run({ pool: "nowhere" }), DomainError, "not found");
  const missing = crypto.randomUUID();
  await assertRejects(
    () => world.services.flowRuns.createFromDeployment(missing, body),
    DomainError,
    "not found",
  );
  const error = await assertRejects(() => alone(world, { flow_id: missing }), DomainError);
  assertEquals(error.code, "conflict");
});

Deno.test("FlowRuns.create() refuses a pooled run in a state that would hold a slot", async () => {
  using world = new World();
  await world.pool();
  for (const type of ["PENDING", "RUNNING", "PAUSED", "CANCELLING"] as const) {
    await assertRejects(() => world.run({ state: { type } }), DomainError, `not ${type}`);
  }
  const run = await world.run({ state: { type: "COMPLETED" } });
  assertEquals((await world.record(run)).state.type, "COMPLETED");
  assertEquals(await world.faults(), []);
});

Deno.test("FlowRuns.create() refuses what no record can hold, and makes the others of its group", async () => {
  using hooked = hookedWorld();
  const { world } = hooked;
  await world.flow();
  const tags = Array.from({ length: 5_000 }, (_, i) => `${i}`.padEnd(20, "x"));
  const made = await hooked.inOneGroup(() =>
    [[], tags, ["a"]].map((tags) =>
      alone(world, { tags }).then(() => "made", (error: DomainError) => error.code)
    )
  );
  assertEquals(made, ["made", "too_large", "made"]);
});

Deno.test("FlowRuns keeps parameters of 500 KiB byte for byte, and numbers as they were written", async () => {
  using world = new World({ kv: await Deno.openKv(":memory:") });
  await world.pool();
  const text = "é\u{1f600}\\n".repeat(50_000);
  const parameters = `{"f":5.0,"n":12345678901234567890,"e":1e-7,"text":${JSON.stringify(text)}}`;
  assert(new TextEncoder().encode(parameters).length > 450_000);
  const made = await Promise.all([1, 2, 3].map(() => alone(world, { parameters, context: parameters })));
  for (const { view } of made) {
    const again = await world.services.flowRuns.get(view.run.id);
    assert(again.parameters === parameters && again.context === parameters);
  }
});

Deno.test("FlowRuns refuses parameters above 512 KiB, and takes those of exactly that size", async () => {
  using world = new World();
  const sized = (bytes: number) => `{"x":"${"é".repeat((bytes - 8) / 2)}"}`;
  const exact = sized(524_288);
  assertEquals(new TextEncoder().encode(exact).length, 524_288);
  const { view } = await alone(world, { parameters: exact });
  assert((await world.services.flowRuns.get(view.run.id)).parameters === exact);
  for (
    const refused of [
      () => alone(world, { parameters: sized(524_290) }),
      () => world.services.flowRuns.update(view.run.id, { parameters: sized(524_290) }),
    ]
  ) {
    const error = await assertRejects(refused, DomainError, "have 524290 bytes; at most 524288 are allowed");
    assertEquals([error.code, error.field], ["too_large", ["parameters"]]);
  }
});

Deno.test("FlowRuns.update() replaces large parameters and leaves no pieces of the old ones", async () => {
  using world = new World();
  const large = (letter: string) => `{"x":"${letter.repeat(200_000)}"}`;
  const { view: { run: { id } } } = await alone(world, { parameters: large("a") });
  const pieces = await countChunks(world);
  await world.services.flowRuns.update(id, { parameters: large("b") });
  assertEquals(await countChunks(world), pieces);
  assert((await world.services.flowRuns.get(id)).parameters === large("b"));
  await world.services.flowRuns.update(id, { parameters: "{}" });
  assertEquals([await countChunks(world), (await world.services.flowRuns.get(id)).parameters], [0, "{}"]);
});

Deno.test("FlowRuns.update() writes only what is given", async () => {
  using world = new World();
  const { view } = await alone(world, { name: "n", tags: ["t"], flow_version: "1" });
  await world.services.flowRuns.update(view.run.id, { flow_version: null, infrastructure_pid: "p" });
  const { doc } = await world.services.flowRuns.get(view.run.id);
  assertEquals([doc.name, doc.tags, doc.flowVersion, doc.infrastructurePid], ["n", ["t"], null, "p"]);
  await assertRejects(
    () => world.services.flowRuns.update(crypto.randomUUID(), {}),
    DomainError,
    "not found",
  );
});

Deno.test("FlowRuns.delete() leaves nothing of a run: waiting, held, ended, with history, data, logs and chunks", async () => {
  using world = new World();
  const pool = await world.pool();
  const large = `{"x":"${"a".repeat(100_000)}"}`;
  const deployment = await world.deployment();
  const states: ((run: string) => Promise<unknown>)[] = [
    () => Promise.resolve(),
    (run) => world.propose(run, "RUNNING"),
    () => world.claim(pool.keeper),
    (run) => world.propose(run, "COMPLETED", { data: large }),
    async (run) => {
      for (let i = 0; i < 70; i++) await world.propose(run, "SCHEDULED", { name: `again ${i}`, data: large });
    },
  ];
  for (const drive of states) {
    const run = await world.run({
      parameters: large,
      context: large,
      idempotency_key: "k",
      deployment_id: deployment,
    });
    await drive(run);
    await world.services.logs.create([
      { name: "n", level: 20, message: "x".repeat(100_000), timestamp: 1, flow_run_id: run },
    ]);
    await world.services.flowRuns.delete(run);
    assertEquals([await keysOf(world, run), await countChunks(world)], [[], 0]);
    assertEquals((await Array.fromAsync(world.kv.list({ prefix: ["idem"] }))).length, 0);
    assertEquals(await world.faults(), []);
  }
  await assertRejects(() => world.services.flowRuns.delete(crypto.randomUUID()), DomainError, "not found");
});

Deno.test("FlowRuns.delete() of a run without pool leaves nothing either", async () => {
  using world = new World();
  const { view: { run: { id } } } = await alone(world);
  await world.propose(id, "RUNNING");
  await world.services.flowRuns.delete(id);
  assertEquals(await keysOf(world, id), []);
});

Deno.test("FlowRuns.move() moves what waits, and nothing else", async () => {
  using world = new World();
  await world.pool({ queues: { q: {} } });
  const other = await world.pool({ name: "other" });
  const queue = async (pool: string, name: string) =>
    (await world.services.workQueues.get(pool, name)).queue.id;
  const run = await world.run();
  assertEquals(await world.services.flowRuns.move(run, await queue(POOL, "q")), true);
  assertEquals((await world.services.flowRuns.get(run)).queueName, "q");
  assertEquals(await world.services.flowRuns.move(run, await queue("other", "default")), true);
  assertEquals((await world.record(run)).pool, other.id);
  await world.propose(run, "PENDING");
  assertEquals(await world.services.flowRuns.move(run, await queue(POOL, "q")), false);
  await assertRejects(() => world.services.flowRuns.move(run, crypto.randomUUID()), DomainError, "deleted");
  assertEquals(await world.faults(), []);
});

Deno.test("FlowRuns.move() goes on although the target queue is changed all the time", async () => {
  using world = new World();
  await world.pool({ queues: { q: {} } });
  const id = (await world.services.workQueues.get(POOL, "q")).queue.id;
  const runs = await world.runs(20);
  const moving = runs.map((run) => world.services.flowRuns.move(run, id));
  const changing = runs.map((_, i) => world.services.workQueues.update(POOL, "q", { description: `${i}` }));
  assert((await Promise.all(moving)).every(Boolean));
  await Promise.all(changing);
  assertEquals(await world.faults(), []);
});

Deno.test("FlowRuns.move() into a pool that met the run while it was elsewhere leaves the run whole", async () => {
  using world = new World();
  const pool = await world.pool();
  await world.pool({ name: "other", queues: { q: {} } });
  const home = (await world.services.workQueues.get(POOL, "default")).queue.id;
  const run = await world.run({ pool: "other", queue: "q" });
  // Somebody looked the run up just before it moved away, and asks the gate that it has left.
  await assertRejects(() => pool.keeper.submit(move(run, home, () => world.now)), MovedError);
  await world.services.flowRuns.move(run, home);
  assertEquals((await world.claim(pool.keeper)).map(({ id }) => id), [run]);
  assertEquals(await world.faults(), []);
});

Deno.test("FlowRuns.move() to and fro between pools at the same time as claims loses no run", async () => {
  using world = new World({ kv: await Deno.openKv(":memory:") });
  const pools = [await world.pool(), await world.pool({ name: "other" })];
  const queues = await Promise.all(
    pools.map(async ({ name }) => (await world.services.workQueues.get(name, "default")).queue.id),
  );
  const runs = await world.runs(30);
  const sessions = await Promise.all(pools.map(({ name }) => world.session(name)));
  const moves = runs.flatMap((run, i) =>
    [0, 1, 2].map((turn) => world.services.flowRuns.move(run, queues[(i + turn) % 2]!))
  );
  const claims = pools.flatMap(({ keeper }, i) =>
    [1, 2, 3].map(() => keeper.claim(world.claimOf(sessions[i]!, 5), 60_000))
  );
  await Promise.all(moves);
  world.deps.controller.abort();
  const granted = (await Promise.all(claims)).flat().map(({ id }) => id);
  assertEquals(new Set(granted).size, granted.length, "each once");
  assertEquals(await world.faults(), []);
  const stored = await readAll(world.kv);
  assertEquals(stored.waits.length + stored.leases.length, runs.length);
});

Deno.test("FlowRunList lists by filters on runs and on what they belong to", async () => {
  using world = new World();
  await world.pool({ queues: { q: {} } });
  await world.pool({ name: "other" });
  const deployment = await world.deployment();
  const inQueue = await world.run({ queue: "q", tags: ["a"] });
  const elsewhere = await world.run({ pool: "other" });
  const { view: { run: { id: byDeployment } } } = await world.services.flowRuns.createFromDeployment(
    deployment,
    body,
  );
  const { view: { run: { id: bare } } } = await alone(world);
  const all = [inQueue, elsewhere, byDeployment, bare];
  const cases: [Parameters<typeof listBody>[0], string[]][] = [
    [{}, all],
    [{ flow_runs: { operator: "and_", id: { any_: [bare, inQueue, inQueue] } } }, [bare, inQueue]],
    [{ flow_runs: { operator: "and_", id: { any_: [] } } }, []],
    [{
      flow_runs: {
        operator: "or_",
        id: { any_: [] },
        state: { operator: "and_", type: { any_: ["PENDING"] } },
      },
    }, [bare]],
    [
      { flow_runs: { operator: "and_", state: { operator: "and_", type: { any_: ["SCHEDULED"] } } } },
      all.slice(0, 3),
    ],
    [{ flow_runs: { operator: "and_", work_queue_name: { operator: "and_", any_: ["q"] } } }, [inQueue]],
    [{ work_pools: { operator: "and_", name: { any_: ["other"] } } }, [elsewhere]],
    [{ work_pool_queues: { operator: "and_", name: { any_: ["default"] } } }, [elsewhere, byDeployment]],
    [{ deployments: { operator: "and_", name: { any_: ["deployment"] } } }, [byDeployment]],
    [{ flows: { operator: "and_", name: { any_: ["flow"] } } }, all],
    [{ flows: { operator: "and_", name: { any_: [] } } }, []],
    [{
      work_pools: { operator: "and_", name: { any_: [POOL] } },
      flow_runs: { operator: "and_", tags: { operator: "and_", all_: ["a"] } },
    }, [inQueue]],
  ];
  for (const [filters, expected] of cases) {
    const found = await world.services.flowRunList.list(listBody(filters));
    assertEquals(found.map(({ run }) => run.id), expected.toSorted().reverse(), JSON.stringify(filters));
    assertEquals(await world.services.flowRunList.count(filters), expected.length);
  }
  const page = await world.services.flowRunList.list({
    ...listBody({}),
    sort: "ID_DESC",
    limit: 2,
    offset: 1,
  });
  assertEquals(page.map(({ run }) => run.id), all.toSorted().reverse().slice(1, 3));
});

Deno.test("FlowRunList answers an idle client's question for no runs without reading", async () => {
  const kv = new HookedKv(await Deno.openKv(":memory:"));
  using world = new World({ kv });
  await world.pool();
  let reads = 0;
  kv.beforeRead = () => {
    reads++;
    return Promise.resolve();
  };
  await world.services.flowRunList.list(listBody({ flow_runs: { operator: "and_", id: { any_: [] } } }));
  assertEquals(reads, 0);
});
