import { assert, assertEquals, assertRejects } from "@std/assert";
import { DomainError } from "../../src/errors.ts";
import { gateKey } from "../../src/kv/keys.ts";
import type { GateRecord } from "../../src/schemas/records.ts";
import { POOL, World } from "./factories.ts";
import { writes } from "./hooked_kv.ts";
import { type HookedWorld, hookedWorld } from "./hooked_world.ts";

const PAGE = { limit: 200, offset: 0 };

/** What is stored, by kind of key, without what every world has. */
async function kinds(world: World): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for await (const { key } of world.kv.list({ prefix: [] })) {
    counts[String(key[0])] = (counts[String(key[0])] ?? 0) + 1;
  }
  return counts;
}

Deno.test("WorkPools.create() makes the default queue with priority 1 and an empty gate", async () => {
  using world = new World();
  const view = await world.services.workPools.create({
    name: "p",
    description: "d",
    type: "process",
    base_job_template: "{}",
    is_paused: false,
    concurrency_limit: 0,
  });
  assertEquals([view.gate.limit, view.gate.occ, view.gate.paused, view.status], [0, 0, false, "NOT_READY"]);
  const [queue] = await world.services.workQueues.list("p", null, PAGE);
  assertEquals([queue?.queue.name, queue?.config.priority, queue?.queue.id], [
    "default",
    1,
    view.pool.defaultQueue,
  ]);
  assertEquals(await world.services.workPools.get("p"), view);
});

Deno.test("WorkPools.create() refuses a name that is taken or reserved", async () => {
  using world = new World();
  await world.pool();
  const codeOf = async (name: string) => (await assertRejects(() => world.pool({ name }), DomainError)).code;
  assertEquals(await codeOf(POOL), "conflict");
  for (const name of ["prefect", "Prefect-x", "PREFECT pool"]) assertEquals(await codeOf(name), "forbidden");
  const made = await Promise.allSettled(Array.from({ length: 5 }, () => world.pool({ name: "raced" })));
  assertEquals(made.filter(({ status }) => status === "fulfilled").length, 1);
});

Deno.test("WorkPools keeps a template of 1 MiB byte for byte, and numbers as they were written", async () => {
  using world = new World({ kv: await Deno.openKv(":memory:") });
  const start = `{"job_configuration":{"n":5.0},"variables":{"properties":{},"x":"`;
  const fill = 1_048_576 - start.length - 3;
  const template = `${start}${"é".repeat(Math.floor(fill / 2))}${fill % 2 ? "x" : ""}"}}`;
  assertEquals(new TextEncoder().encode(template).length, 1_048_576);
  await world.pool({ base_job_template: template });
  assert((await world.services.workPools.get(POOL)).baseJobTemplate === template);
  await world.pool({ name: "other" });
  await world.services.workPools.update("other", { base_job_template: template });
  assert((await world.services.workPools.get("other")).baseJobTemplate === template);
  await world.services.workPools.update(POOL, { base_job_template: "{}" });
  await world.services.workPools.update("other", { base_job_template: "{}" });
  assertEquals((await kinds(world))["chunk"], undefined, "no pieces are left");
  const error = await assertRejects(
    () => world.services.workPools.update(POOL, { base_job_template: `${template.slice(0, -3)}x"}}` }),
    DomainError,
    "has 1048577 bytes; at most 1048576",
  );
  assertEquals([error.code, error.field], ["too_large", ["base_job_template"]]);
});

Deno.test("WorkPools.update() of a large template does not fail what is decided with it", async () => {
  using hooked = hookedWorld();
  const { world } = hooked;
  await world.pool();
  const runs = await world.runs(11);
  const template = JSON.stringify({
    job_configuration: { x: "x".repeat(590_000) },
    variables: { properties: {} },
  });
  const { answers } = await hooked.inOneBatch(() => [
    ...runs.map((run) => world.propose(run, "FAILED", { message: "語".repeat(9_000) })),
    world.services.workPools.update(POOL, { base_job_template: template }).then(() => "updated"),
  ]);
  assertEquals(
    answers.slice(0, 11).map((one) => typeof one === "string" ? one : one.answer.status),
    runs.map(() => "ACCEPT"),
  );
  assertEquals(answers.at(-1), "updated");
  assert((await world.services.workPools.get(POOL)).baseJobTemplate === template);
});

Deno.test("WorkPools.update() keeps its template when it is decided twice because an answer was lost", async () => {
  using hooked = hookedWorld();
  const { world, kv } = hooked;
  const { id } = await world.pool();
  const template = JSON.stringify({ job_configuration: { x: "x".repeat(100_000) }, variables: {} });
  kv.onCommit = async (commit) => {
    const result = await commit.send();
    if (!writes(commit, "gate")) return result;
    kv.onCommit = ({ send }) => send();
    // So many other commits follow that the gate no longer tells whether this one was applied.
    const { value } = await kv.behind.get<GateRecord>(["gate", id, 0]);
    await kv.behind.set(["gate", id, 0], { ...value!, ops: Uint32Array.of(1, 2, 3, 4, 5, 6, 7, 8) });
    return await commit.send();
  };
  await world.soon(world.services.workPools.update(POOL, { base_job_template: template }));
  assert((await world.services.workPools.get(POOL)).baseJobTemplate === template);
});

Deno.test("WorkPools refuses a template that lacks a part or uses undeclared variables", async () => {
  using world = new World();
  const job = { job_configuration: { a: "{{ x }} {{ y }}" } };
  const cases: [unknown, string][] = [
    [job, "must contain both"],
    [{ variables: {} }, "must contain both"],
    [{ ...job, variables: { properties: { x: {} } } }, "undeclared variable(s): y."],
  ];
  await world.pool();
  for (const [template, says] of cases) {
    const base_job_template = JSON.stringify(template);
    await assertRejects(() => world.pool({ name: "p", base_job_template }), DomainError, says);
    await assertRejects(
      () => world.services.workPools.update(POOL, { base_job_template }),
      DomainError,
      says,
    );
  }
});

Deno.test("WorkPools.update() writes only what is given, null clears the limit", async () => {
  using world = new World();
  await world.pool({ description: "d", concurrency_limit: 5 });
  await world.services.workPools.update(POOL, { is_paused: true });
  let view = await world.services.workPools.get(POOL);
  assertEquals([view.gate.paused, view.gate.limit, view.pool.description, view.status], [
    true,
    5,
    "d",
    "PAUSED",
  ]);
  await world.services.workPools.update(POOL, { concurrency_limit: null, description: null });
  view = await world.services.workPools.get(POOL);
  assertEquals([view.gate.paused, view.gate.limit, view.pool.description], [true, null, null]);
  await world.services.workPools.update(POOL, { concurrency_limit: 0, is_paused: null });
  view = await world.services.workPools.get(POOL);
  assertEquals([view.gate.paused, view.gate.limit], [true, 0]);
  await assertRejects(() => world.services.workPools.update("nowhere", {}), DomainError, "not found");
});

Deno.test("WorkPools.update() of a reserved pool may only pause it and set its limit", async () => {
  using world = new World();
  const reserved = await assertRejects(
    () => world.services.workPools.update("prefect-managed", { description: "x" }),
    DomainError,
  );
  assertEquals(reserved.code, "forbidden");
  const missing = await assertRejects(
    () => world.services.workPools.update("prefect-managed", { is_paused: true, concurrency_limit: 1 }),
    DomainError,
  );
  assertEquals(missing.code, "not_found");
  assertEquals(
    (await assertRejects(() => world.services.workPools.delete("prefect-managed"), DomainError)).code,
    "forbidden",
  );
});

Deno.test("WorkPools.list() filters, by name, in pages", async () => {
  using world = new World();
  for (const name of ["b", "c", "a"]) await world.pool({ name, type: name === "a" ? "docker" : "process" });
  const names = async (...args: Parameters<typeof world.services.workPools.list>) =>
    (await world.services.workPools.list(...args)).map(({ pool }) => pool.name);
  assertEquals(await names(null, PAGE), ["a", "b", "c"]);
  assertEquals(await names(null, { limit: 1, offset: 1 }), ["b"]);
  assertEquals(await names({ operator: "and_", name: { any_: ["c", "a"] } }, PAGE), ["a", "c"]);
  assertEquals(await names({ operator: "and_", name: { any_: [] } }, PAGE), []);
  const or = { operator: "or_", name: { any_: ["c"] }, type: { any_: ["docker"] } } as const;
  assertEquals(await names({ ...or, name: { any_: ["c"] }, type: { any_: ["docker"] } }, PAGE), ["a", "c"]);
  assertEquals(await names({ operator: "and_", name: null, type: { any_: ["docker"] } }, PAGE), ["a"]);
});

Deno.test("WorkPools is ready for a minute after one of its queues was asked for work", async () => {
  using world = new World();
  await world.pool({ queues: { q: {} } });
  const status = async () => (await world.services.workPools.get(POOL)).status;
  assertEquals(await status(), "NOT_READY");
  await world.services.scheduledRuns.ofPool(POOL, {
    queueNames: ["q"],
    scheduledBefore: null,
    scheduledAfter: null,
    limit: 1,
  });
  assertEquals(await status(), "READY");
  await world.deps.advance(60_000);
  assertEquals(await status(), "NOT_READY");
});

Deno.test("WorkPools.ensureDefaultAgentPool() makes the pool once", async () => {
  using world = new World();
  const pools = await Promise.all([1, 2, 3].map(() => world.services.workPools.ensureDefaultAgentPool()));
  assertEquals(new Set(pools.map(({ id }) => id)).size, 1);
  const view = await world.services.workPools.get("default-agent-pool");
  assertEquals([view.pool.type, view.status], ["prefect-agent", null]);
});

Deno.test("WorkPools.delete() is refused with the count while runs hold slots or wait, and taken back", async () => {
  using world = new World();
  const pool = await world.pool({ queues: { q: { is_paused: true }, r: {} } });
  const [held, waiting] = await world.runs(2, { queue: "r" });
  await world.propose(held!, "PENDING");
  const code = async (says: string) =>
    (await assertRejects(() => world.services.workPools.delete(POOL), DomainError, says)).code;
  assertEquals(await code("1 runs hold slots here"), "conflict");
  await world.propose(held!, "COMPLETED");
  assertEquals(await code("1 runs wait here"), "conflict");
  const queues = await world.services.workQueues.list(POOL, null, PAGE);
  assertEquals(queues.map(({ queue, config }) => [queue.name, queue.state, config.paused]), [
    ["default", "open", false],
    ["q", "open", true],
    ["r", "open", false],
  ]);
  assertEquals((await world.claim(pool.keeper)).map(({ id }) => id), [waiting!], "it works on");
  assertEquals(await world.faults(), []);
});

Deno.test("WorkPools.delete() leaves nothing of the pool, and its name can be used again", async () => {
  using world = new World();
  const template = JSON.stringify({ job_configuration: { x: "x".repeat(100_000) }, variables: {} });
  const before = await kinds(world);
  const { id } = await world.pool({ base_job_template: template, queues: { a: {}, b: {} } });
  await world.services.workPools.delete(POOL);
  assertEquals(await kinds(world), before);
  assertEquals(await world.services.workPools.find(POOL), undefined);
  await assertRejects(() => world.services.workPools.get(POOL), DomainError, "not found");
  assert((await world.pool()).id !== id);
});

Deno.test("WorkPools.delete() takes pools of many queues", async () => {
  using world = new World();
  const queues = Object.fromEntries(Array.from({ length: 250 }, (_, i) => [`q${i}`, {}]));
  const before = await kinds(world);
  await world.pool({ queues });
  await world.run({ queue: "q240" });
  await assertRejects(() => world.services.workPools.delete(POOL), DomainError, "1 runs wait here");
  const views = await world.services.workQueues.list(POOL, null, { limit: 300, offset: 0 });
  assert(
    views.every(({ queue, config }) => queue.state === "open" && !config.paused) && views.length === 251,
  );
  const [run] = (await Array.fromAsync(world.kv.list({ prefix: ["run"] }))).map(({ key }) => String(key[1]));
  await world.services.flowRuns.delete(run!);
  await world.services.workPools.delete(POOL);
  const left = await kinds(world);
  delete left["journal"];
  assertEquals({ ...left }, { ...before, flow: 1, flow_name: 1 });
});

/** Runs `meanwhile` once, after the pool's queues were closed and before they are dropped. */
function whileDeleting({ kv }: HookedWorld, meanwhile: () => Promise<unknown>): void {
  kv.beforeRead = async ([kind]) => {
    if (kind !== "wait") return;
    kv.beforeRead = () => Promise.resolve();
    await meanwhile();
  };
}

Deno.test("WorkPools.delete() is refused and taken back when a queue is made meanwhile", async () => {
  using hooked = hookedWorld();
  const { world } = hooked;
  await world.pool();
  whileDeleting(hooked, () => world.services.workQueues.create(POOL, { name: "new", is_paused: false }));
  const error = await assertRejects(() => world.services.workPools.delete(POOL), DomainError);
  assertEquals(error.code, "conflict");
  const queues = await world.services.workQueues.list(POOL, null, PAGE);
  assertEquals(queues.map(({ queue, config }) => [queue.name, queue.state, config.paused]), [
    ["default", "open", false],
    ["new", "open", false],
  ]);
  assertEquals(await world.faults(), []);
  await world.services.workPools.delete(POOL);
});

Deno.test("WorkPools.delete() and WorkQueues.delete() are refused and taken back when a slot is taken meanwhile", async () => {
  for (const kind of ["pool", "queue"] as const) {
    using hooked = hookedWorld();
    const { world } = hooked;
    await world.pool({ queues: { q: {} } });
    const run = await world.run({ queue: "q" });
    await world.propose(run, "FAILED");
    // Somebody resumes the queue that deleting has just closed, and the ended run is started anew.
    whileDeleting(hooked, async () => {
      await world.services.workQueues.update(POOL, "q", { is_paused: false });
      assertEquals((await world.propose(run, "RUNNING")).answer.status, "ACCEPT");
    });
    const { workPools, workQueues } = world.services;
    const deleting = () => kind === "pool" ? workPools.delete(POOL) : workQueues.delete(POOL, "q");
    await assertRejects(deleting, DomainError, "was taken back into use meanwhile");
    assertEquals(await world.faults(), []);
    const { queue, config } = await workQueues.get(POOL, "q");
    assertEquals([queue.state, config.paused], ["open", false]);
  }
});

Deno.test("WorkPools.list() leaves out a pool that is deleted while the list is read", async () => {
  using hooked = hookedWorld();
  const { world, kv } = hooked;
  await world.pool();
  const other = await world.pool({ name: "other" });
  kv.beforeRead = async ([kind, id]) => {
    if (kind === "gate" && id === other.id) await kv.behind.delete(gateKey(other.id));
  };
  const views = await world.services.workPools.list(null, PAGE);
  assertEquals(views.map(({ pool }) => pool.name), [POOL]);
});
