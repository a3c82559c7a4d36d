import { assert, assertEquals, assertRejects } from "@std/assert";
import { DomainError } from "../../src/errors.ts";
import { CheckedKv } from "../testing/checked_kv.ts";
import { deploymentPolledKey } from "../../src/kv/keys.ts";
import { POOL, World } from "./factories.ts";
import { hookedWorld } from "./hooked_world.ts";

const view = async (world: World, id: string) => await world.services.deployments.get(id);

Deno.test("Deployments.upsert() makes a deployment in the pool's default queue", async () => {
  using world = new World();
  const pool = await world.pool();
  const { view: made, isNew } = await world.services.deployments.upsert({
    name: "d",
    flow_id: await world.flow(),
    work_pool_name: POOL,
    labels: `{"a":1}`,
  });
  const { deployment } = made;
  assertEquals([isNew, made.poolName, made.queueName, deployment.pool], [true, POOL, "default", pool.id]);
  assertEquals([deployment.paused, deployment.version, deployment.concurrencyLimit], [false, null, null]);
  assertEquals([made.parameters, made.jobVariables, made.status, made.lastPolled], [
    "{}",
    "{}",
    "NOT_READY",
    null,
  ]);
  assertEquals(JSON.parse(deployment.labels), { "prefect.flow.id": deployment.flow, a: 1 });
  assertEquals(await view(world, deployment.id), made);
  assertEquals((await world.services.deployments.byName("flow", "d")).deployment.id, deployment.id);
});

Deno.test("Deployments.upsert() again writes only what is given, but resets parameters, and keeps the id", async () => {
  using world = new World();
  await world.pool();
  const id = await world.deployment({
    description: "d",
    parameters: `{"x":5.0}`,
    tags: ["a"],
    labels: `{"a":1}`,
  });
  const again = await world.services.deployments.upsert({
    name: "deployment",
    flow_id: await world.flow(),
    tags: ["b"],
    labels: `{"b":2}`,
  });
  assertEquals([again.view.deployment.id, again.isNew], [id, false]);
  const { deployment, parameters, poolName } = await view(world, id);
  assertEquals([deployment.description, deployment.tags, parameters, poolName], [
    "d",
    ["b"],
    "{}",
    POOL,
  ]);
  const labels = JSON.parse(deployment.labels);
  assertEquals([labels.a, labels.b], [1, 2]);
});

Deno.test("Deployments.upsert() by ten at once makes one deployment", async () => {
  using world = new World({ kv: await Deno.openKv(":memory:") });
  await world.pool();
  const flow_id = await world.flow();
  const made = await Promise.all(
    Array.from(
      { length: 10 },
      (_, i) => world.services.deployments.upsert({ name: "d", flow_id, version: `${i}` }),
    ),
  );
  assertEquals(new Set(made.map(({ view }) => view.deployment.id)).size, 1);
  assertEquals(made.filter(({ isNew }) => isNew).length, 1);
});

Deno.test("Deployments.upsert() refuses what points nowhere", async () => {
  using world = new World();
  const codeOf = async (body: Parameters<World["deployment"]>[0]) =>
    (await assertRejects(() => world.deployment(body), DomainError)).code;
  assertEquals(await codeOf({ flow_id: crypto.randomUUID() }), "conflict");
  assertEquals(await codeOf({ work_pool_name: "nowhere" }), "not_found");
});

Deno.test("Deployments makes a queue that it names, and the default agent pool for one without a pool", async () => {
  using world = new World();
  await world.pool();
  const id = await world.deployment({ work_queue_name: "new" });
  assertEquals((await view(world, id)).queueName, "new");
  await world.services.deployments.update(id, { work_queue_name: "newer" });
  let { poolName, queueName } = await view(world, id);
  assertEquals([poolName, queueName], [POOL, "newer"], "in its own pool");
  await world.services.deployments.update(id, { work_pool_name: POOL });
  ({ poolName, queueName } = await view(world, id));
  assertEquals([poolName, queueName], [POOL, "default"]);
  const { view: alone } = await world.services.deployments.upsert({
    name: "alone",
    flow_id: await world.flow(),
    work_queue_name: "q",
  });
  assertEquals([alone.poolName, alone.queueName], ["default-agent-pool", "q"]);
  await world.services.deployments.update(id, { work_pool_name: null, work_queue_name: null });
  ({ poolName, queueName } = await view(world, id));
  assertEquals([poolName, queueName], [null, null]);
});

Deno.test("Deployments.update() writes what is given; null clears what may be null", async () => {
  using world = new World();
  await world.pool();
  const id = await world.deployment({
    description: "d",
    version: "1",
    path: "p",
    entrypoint: "e",
    tags: ["a"],
    concurrency_limit: 3,
    enforce_parameter_schema: false,
    pull_steps: [{ a: 1 }],
  });
  await world.services.deployments.update(id, {
    paused: true,
    description: null,
    concurrency_limit: null,
    tags: null,
  });
  const { deployment } = await view(world, id);
  assertEquals(
    [
      deployment.paused,
      deployment.description,
      deployment.concurrencyLimit,
      deployment.tags,
      deployment.version,
    ],
    [true, null, null, ["a"], "1"],
  );
  assertEquals([deployment.enforceParameterSchema, deployment.pullSteps], [false, `[{"a":1}]`]);
  await world.services.deployments.update(id, { pull_steps: null });
  assertEquals((await view(world, id)).pullSteps, null);
  const missing = await assertRejects(
    () => world.services.deployments.update(crypto.randomUUID(), {}),
    DomainError,
  );
  assertEquals(missing.code, "not_found");
});

Deno.test("Deployments.update() by ten at once loses no change", async () => {
  using world = new World({ kv: await Deno.openKv(":memory:") });
  await world.pool();
  const id = await world.deployment();
  await Promise.all([
    world.services.deployments.update(id, { version: "1" }),
    world.services.deployments.update(id, { description: "d" }),
    world.services.deployments.update(id, { path: "p" }),
    world.services.deployments.update(id, { tags: ["t"] }),
    world.services.deployments.update(id, { parameters: `{"x":1}` }),
  ]);
  const { deployment, parameters } = await view(world, id);
  assertEquals([deployment.version, deployment.description, deployment.path, deployment.tags, parameters], [
    "1",
    "d",
    "p",
    ["t"],
    `{"x":1}`,
  ]);
});

Deno.test("Deployments keeps large texts byte for byte, replaces them whole, and leaves no pieces", async () => {
  using world = new World({ kv: await Deno.openKv(":memory:") });
  await world.pool();
  const text = (letter: string) => `{"n":5.0,"x":"${letter.repeat(200_000)}"}`;
  const large = (letter: string) => ({
    parameters: text(letter),
    job_variables: text(letter),
    parameter_openapi_schema: text(letter),
  });
  const id = await world.deployment(large("é"));
  for (const letter of ["é", "ü"]) {
    await world.services.deployments.update(id, large(letter));
    const { parameters, jobVariables, parameterSchema } = await view(world, id);
    assert([parameters, jobVariables, parameterSchema].every((one) => one === text(letter)));
  }
  const countChunks = async () => (await Array.fromAsync(world.kv.list({ prefix: ["chunk"] }))).length;
  assertEquals(await countChunks(), 3 * Math.ceil(400_020 / 60_000));
  await world.services.deployments.delete(id);
  assertEquals(await countChunks(), 0);
});

Deno.test("Deployments leaves no pieces of the writes that lost a race, however large they were", async () => {
  const kv = new CheckedKv(await Deno.openKv(":memory:"));
  using world = new World({ kv });
  await world.pool();
  const text = (letter: string) => `{"x":"${letter.repeat(450_000)}"}`;
  const id = await world.deployment();
  await Promise.all(
    ["a", "b", "c", "d"].map((letter) =>
      world.services.deployments.update(id, {
        parameters: text(letter),
        parameter_openapi_schema: text(letter),
      })
    ),
  );
  const { parameters, parameterSchema } = await view(world, id);
  assertEquals(parameters === parameterSchema, true, "both are of one write");
  const countChunks = async () => (await Array.fromAsync(world.kv.list({ prefix: ["chunk"] }))).length;
  assertEquals(await countChunks(), 2 * Math.ceil(450_008 / 60_000));
  assertEquals(kv.violations, []);
});

Deno.test("Deployments refuses parameters above 512 KiB", async () => {
  using world = new World();
  await world.pool();
  const parameters = `{"x":"${"x".repeat(524_288)}"}`;
  const error = await assertRejects(() => world.deployment({ parameters }), DomainError, "at most 524288");
  assertEquals(error.code, "too_large");
});

Deno.test("Deployments refuses a placeholder inside a shell script, and a command that cannot be split", async () => {
  using world = new World();
  await world.pool();
  const commands: [string, string][] = [
    [`sh -c 'echo {{ day }}'`, `"$SLUICE_PARAM_day"`],
    [`sh -c 'echo`, "never closed"],
  ];
  const id = await world.deployment({ job_variables: `{"command":"sh -c 'echo \\"$SLUICE_PARAM_day\\"'"}` });
  for (const [command, says] of commands) {
    const variables = JSON.stringify({ command });
    for (const body of [{ job_variables: variables }, { infra_overrides: variables }]) {
      const error = await assertRejects(() => world.services.deployments.update(id, body), DomainError, says);
      assertEquals([error.code, error.field], ["invalid", ["job_variables", "command"]]);
      await assertRejects(() => world.deployment({ name: "other", ...body }), DomainError, says);
    }
  }
});

Deno.test("Deployments gives its schedules what every object has; an upsert without schedules clears them", async () => {
  using world = new World();
  await world.pool();
  const schedule = { schedule: { cron: "0 1 * * *", day_or: true }, active: true, parameters: `{"x":1.0}` };
  const id = await world.deployment({ schedules: [schedule] });
  const [kept] = (await view(world, id)).schedules;
  assertEquals([kept!.schedule, kept!.active, kept!.parameters], [
    `{"cron":"0 1 * * *","timezone":null,"day_or":true}`,
    true,
    `{"x":1.0}`,
  ]);
  assert(/^[0-9a-f-]{36}$/.test(kept!.id) && kept!.created === kept!.updated);
  await world.services.deployments.update(id, { version: "2" });
  assertEquals((await view(world, id)).schedules.length, 1);
  await world.deployment({ version: "3" });
  assertEquals((await view(world, id)).schedules, []);
});

Deno.test("Deployments.delete() frees the name; its runs stay", async () => {
  using world = new World();
  await world.pool();
  const id = await world.deployment();
  const run = await world.run({ deployment_id: id });
  await world.services.deployments.delete(id);
  for (
    const gone of [
      () => view(world, id),
      () => world.services.deployments.byName("flow", "deployment"),
      () => world.services.deployments.delete(id),
    ]
  ) {
    assertEquals((await assertRejects(gone, DomainError)).code, "not_found");
  }
  assertEquals((await world.record(run)).deployment, id);
  assert(await world.deployment() !== id);
});

Deno.test("Deployments.delete() leaves nothing that names the deployment", async () => {
  using world = new World();
  await world.pool();
  const id = await world.deployment({
    parameters: JSON.stringify({ x: "x".repeat(10_000) }),
    schedules: [{ schedule: { interval: 60 }, active: true, parameters: `{"x":"${"x".repeat(10_000)}"}` }],
    pull_steps: [{ x: "x".repeat(10_000) }],
  });
  const request = { scheduledBefore: null, limit: 1 };
  await world.services.scheduledRuns.ofDeployments([id], request);
  await world.services.deployments.delete(id);
  await world.deps.advance(60_000);
  await world.services.scheduledRuns.ofDeployments([id], request);
  const left = await Array.fromAsync(world.kv.list({ prefix: [] }), ({ key }) => key);
  assertEquals(left.filter((key) => String(key).includes("deployment") || key[0] === "chunk"), []);
});

Deno.test("Deployments point nowhere once their queue or pool was deleted with cascade, and their runs do too", async () => {
  using world = new World();
  await world.pool({ queues: { q: {} } });
  const id = await world.deployment({ work_queue_name: "q" });
  const create = () =>
    world.services.flowRuns.createFromDeployment(id, { parameters: "{}", context: "{}", tags: [] });
  const other = await world.deployment({ name: "other" });
  const targets = async (of: string) => {
    const { deployment: { pool, queue }, poolName, queueName } = await view(world, of);
    return [pool, queue, poolName, queueName];
  };
  await world.services.removals.queue(POOL, "q", { cascade: "cancel" });
  assertEquals(await targets(id), [null, null, null, null]);
  assertEquals((await targets(other))[2], POOL);
  await world.services.removals.pool(POOL, { cascade: "cancel" });
  assertEquals(await targets(other), [null, null, null, null]);
  assertEquals((await create()).view.run.pool, null);
});

Deno.test("Deployments are not pointed at a queue that is being deleted", async () => {
  using hooked = hookedWorld();
  const { world, kv, rival } = hooked;
  await world.pool({ queues: { q: {} } });
  const id = await world.deployment();
  kv.onCommit = async (commit) => {
    kv.onCommit = ({ send }) => send();
    await world.soon(rival.services.workQueues.delete(POOL, "q"));
    return await commit.send();
  };
  await world.services.deployments.update(id, { work_queue_name: "q" });
  const { queueName } = await view(world, id);
  assertEquals(queueName, "q", "it was made anew");
  const { queue } = await world.services.workQueues.get(POOL, "q");
  assertEquals((await view(world, id)).deployment.queue, queue.id);
});

Deno.test("Deployments are ready for a minute after they or their queue were asked for work, and not updated by it", async () => {
  using world = new World();
  await world.pool();
  const id = await world.deployment();
  const { deployment: { updated } } = await view(world, id);
  await world.deps.advance(1_000);
  const polled = world.now;
  await world.services.scheduledRuns.ofPool(POOL, {
    queueNames: [],
    scheduledBefore: null,
    scheduledAfter: null,
    limit: 1,
  });
  const after = await view(world, id);
  assertEquals([after.status, after.lastPolled, after.deployment.updated], ["READY", polled, updated]);
  await world.deps.advance(60_000);
  assertEquals((await view(world, id)).status, "NOT_READY");
  await world.services.deployments.delete(id);
  assertEquals((await world.deps.kv.get(deploymentPolledKey(id))).value, null);
});
