import { assert, assertEquals, assertRejects } from "@std/assert";
import { DomainError } from "../../src/errors.ts";
import { Commit } from "../../src/kv/commit.ts";
import { deploymentKey, schedulingKey } from "../../src/kv/keys.ts";
import { get } from "../../src/kv/read.ts";
import { writeScheduling } from "../../src/kv/scheduling.ts";
import type { DeploymentScheduleCreate } from "../../src/schemas/schedule.ts";
import type { FlowRunView } from "../../src/services/flow_run_views.ts";
import { formatInstant, parseInstant } from "../../src/schemas/wire.ts";
import { FakeKv } from "../testing/fake_kv.ts";
import { FakeKvStore } from "../testing/fake_kv_store.ts";
import { HookedKv } from "./hooked_kv.ts";
import { listBody, POOL, SECOND, World } from "./factories.ts";

const HOUR = 3600 * SECOND;
const NO_BOUNDS = { start: null, end: null, minTime: null, minRuns: null, maxRuns: null };

const every = (seconds: number, also: Partial<DeploymentScheduleCreate> = {}): DeploymentScheduleCreate => ({
  schedule: { interval: seconds },
  active: true,
  ...also,
});
const cron = (text: string, also: Partial<DeploymentScheduleCreate> = {}): DeploymentScheduleCreate => ({
  schedule: { cron: text, day_or: true },
  active: true,
  ...also,
});

async function pooled(): Promise<World> {
  const world = new World();
  await world.pool();
  await world.deps.advance(500); // anchors are not on a whole second
  return world;
}

const look = (world: World) => world.services.autoRuns.makeDue(world.now, 100);

/** The deployment's runs, the earliest first. */
async function runsOf(world: World, deployment: string): Promise<FlowRunView[]> {
  return await world.services.flowRunList.list(listBody({
    flow_runs: { operator: "and_", deployment_id: { operator: "and_", any_: [deployment] } },
    sort: "EXPECTED_START_TIME_ASC",
  }));
}
/** Those for later than now. */
const futureOf = async (world: World, deployment: string): Promise<FlowRunView[]> =>
  (await runsOf(world, deployment)).filter(({ run }) => run.expectedStart! > world.now);
const datesOf = async (world: World, deployment: string): Promise<number[]> =>
  (await runsOf(world, deployment)).map(({ run }) => run.expectedStart!);

/** Everything that is stored, with its version. */
async function contents(world: World): Promise<string[]> {
  const entries = await Array.fromAsync(world.kv.list({ prefix: [] }));
  return entries.map(({ key, versionstamp }) => JSON.stringify([key, versionstamp]));
}

Deno.test("AutoRuns.makeDue() makes three runs and an hour ahead, and nothing the second time", async () => {
  using world = await pooled();
  const cases: [schedule: DeploymentScheduleCreate, count: number][] = [
    [every(3600), 3],
    [every(86_400), 3],
    [every(60), 61],
    [cron("0 0 1 * *"), 3],
    [every(2), 100],
    [{ schedule: { rrule: "FREQ=WEEKLY;BYDAY=MO" }, active: true }, 3],
    [every(60, { active: false }), 0],
  ];
  const ids: string[] = [];
  for (const [i, [schedule]] of cases.entries()) {
    ids.push(await world.deployment({ name: `d${i}`, schedules: [schedule] }));
  }
  await world.deps.advance(1);
  const looked = await look(world);
  assertEquals(looked, { deployments: 7, made: 173, failed: 0, isMore: false });
  const counts: number[] = [];
  for (const id of ids) counts.push((await runsOf(world, id)).length);
  assertEquals(counts, cases.map(([, count]) => count));

  const before = await contents(world);
  assertEquals((await look(world)).deployments, 0);
  assertEquals(await contents(world), before);
  assertEquals(await world.faults(), []);
});

Deno.test("a run of a schedule has the reference's fields", async () => {
  using world = await pooled();
  const flow = (await world.services.flows.create({ name: "f", tags: [], labels: '{"team":"a"}' })).flow.id;
  const id = await world.deployment({
    flow_id: flow,
    version: "7",
    tags: ["nightly"],
    parameters: '{"a":1,"b":2.0}',
    schedules: [
      {
        schedule: { cron: "0 9 * * *", timezone: "America/New_York", day_or: true },
        active: true,
        parameters: '{"b":3.0}',
      },
    ],
  });
  const { schedules: [schedule] } = await world.services.deployments.get(id);
  await look(world);
  const { run, doc, parameters, queueName } = (await runsOf(world, id))[0]!;
  const date = formatInstant(run.expectedStart!);
  const day = date.slice(0, 10);
  const hour = date.slice(11, 13) === "14" ? "-05:00" : "-04:00";
  assertEquals(
    {
      ...doc,
      parameters,
      queueName,
      t: run.t,
      nextStart: run.nextStart,
      state: [run.state.type, run.state.name, run.state.message],
      labels: JSON.parse(doc.labels),
      createdBy: JSON.parse(doc.createdBy!),
    },
    {
      ...doc,
      deploymentVersion: "7",
      tags: ["auto-scheduled", "nightly"],
      parameters: '{"a":1,"b":3.0}',
      idempotencyKey: `scheduled ${id} ${schedule!.id} ${day} 09:00:00${hour}`,
      autoScheduled: true,
      createdBy: { id: schedule!.id, type: "SCHEDULE", display_value: "CronSchedule" },
      labels: { team: "a", "prefect.flow.id": flow, "prefect.deployment.id": id },
      queueName: "default",
      t: run.expectedStart,
      nextStart: run.expectedStart,
      state: ["SCHEDULED", "Scheduled", "Flow run scheduled"],
    },
  );
});

Deno.test("a schedule with a slug is shown by it as the creator of its runs", async () => {
  using world = await pooled();
  const id = await world.deployment({ schedules: [every(3600, { slug: "hourly" })] });
  await look(world);
  const { doc } = (await runsOf(world, id))[0]!;
  assertEquals(JSON.parse(doc.createdBy!).display_value, "hourly");
});

Deno.test("as time goes on runs are added, each date once, and what is past leaves the index", async () => {
  using world = await pooled();
  const id = await world.deployment({ schedules: [every(60)] });
  const start = world.now;
  for (let minute = 0; minute < 180; minute++) {
    await look(world);
    await world.deps.advance(60_000);
  }
  await look(world);
  const dates = await datesOf(world, id);
  assertEquals(dates.length, 200, "a page");
  assertEquals(dates, dates.map((_, i) => start + (i + 1) * 60 * SECOND));
  const index = await Array.fromAsync(world.kv.list({ prefix: ["auto_run"] }), ({ key }) => key[2] as number);
  assert(index.every((date) => date > world.now), "past dates are dropped");
  assertEquals(await world.faults(), []);
});

Deno.test("a change of the deployment takes its future runs away at once, and they are made anew", async () => {
  using world = await pooled();
  const { deployments, deploymentSchedules } = world.services;
  const id = await world.deployment({ schedules: [every(3600)] });
  const manual = await world.services.flowRuns.createFromDeployment(id, {
    parameters: "{}",
    context: "{}",
    tags: [],
    state: { type: "SCHEDULED", state_details: { scheduled_time: world.now + HOUR } },
  });
  const upsert = async () => void await world.deployment({ version: "2", schedules: [every(3600)] });
  const scheduleId = async () => (await deployments.get(id)).schedules[0]!.id;
  const changes: [string, () => Promise<unknown>, after: number][] = [
    ["PATCH", () => deployments.update(id, { description: "other" }), 3],
    ["upsert", upsert, 3],
    ["pause", () => deployments.setPaused(id, true), 0],
    ["resume", () => deployments.setPaused(id, false), 3],
    ["another schedule", () => deploymentSchedules.add(id, [every(7200)]), 6],
    [
      "change of a schedule",
      async () => deploymentSchedules.change(id, await scheduleId(), { active: false }),
      3,
    ],
    ["deletion of a schedule", async () => deploymentSchedules.delete(id, await scheduleId()), 3],
  ];
  for (const [what, change, after] of changes) {
    await look(world);
    await world.deps.advance(1000);
    await change();
    const left = await futureOf(world, id);
    assertEquals(left.map(({ run }) => run.id), [manual.view.run.id], `${what} leaves the manual run alone`);
    await world.deps.advance(1);
    await look(world);
    assertEquals((await futureOf(world, id)).length, after + 1, `after ${what}`);
    assertEquals(await world.faults(), []);
  }
});

Deno.test("a change leaves what has begun, has ended, is past, or met a limit", async () => {
  using world = await pooled();
  const id = await world.deployment({ schedules: [every(60)] });
  await world.deps.advance(60_000);
  await look(world);
  const [now, first, second, third] = await runsOf(world, id);
  assertEquals(now!.run.expectedStart, world.now);
  await world.propose(first!.run.id, "CANCELLED");
  await world.propose(second!.run.id, "SCHEDULED", {
    name: "AwaitingConcurrencySlot",
    details: { scheduled_time: second!.run.expectedStart! },
  });
  await world.propose(third!.run.id, "PENDING");
  const kept = [now, first, second, third].map((view) => view!.run.id);
  await world.services.deployments.update(id, { description: "other" });
  assertEquals((await runsOf(world, id)).map(({ run }) => run.id), kept);
  await look(world);
  const dates = await datesOf(world, id);
  assertEquals(dates.length, 61, "what was kept is not made again");
  assertEquals(new Set(dates).size, 61);
});

Deno.test("a change that is noticed late leaves no date out, and a server that was away makes up for none", async () => {
  using world = await pooled();
  const id = await world.deployment({ schedules: [every(60)] });
  const made = world.now;
  await world.deps.advance(130_000);
  await look(world);
  assertEquals((await datesOf(world, id)).slice(0, 3), [60, 120, 180].map((s) => made + s * SECOND));
  await world.services.deployments.setPaused(id, true);
  await world.deps.advance(130_000);
  await world.services.deployments.setPaused(id, false);
  await world.deps.advance(30_000);
  await look(world);
  const dates = (await datesOf(world, id)).map((date) => (date - made) / SECOND);
  assertEquals(dates.slice(0, 4), [60, 120, 300, 360], "not of the time in which it was paused");
  await world.deps.advance(3 * 3_600_000);
  const before = (await datesOf(world, id)).length;
  await look(world);
  const added = (await datesOf(world, id)).slice(before);
  assert(added.every((date) => date >= world.now), "nothing that was missed");
});

Deno.test("deleting a deployment takes its future runs away, and all that was kept about its schedules", async () => {
  using world = await pooled();
  const id = await world.deployment({ schedules: [every(60)] });
  await look(world);
  await world.deps.advance(90_000);
  await world.services.deployments.delete(id);
  const left = await runsOf(world, id);
  assertEquals(left.map(({ run }) => (run.expectedStart! - world.now) / SECOND), [-30]);
  for (const kind of ["scheduling", "schedule_due", "auto_run"]) {
    assertEquals(await Array.fromAsync(world.kv.list({ prefix: [kind] })), [], kind);
  }
});

Deno.test("polling is no change", async () => {
  using world = await pooled();
  const id = await world.deployment({ schedules: [every(3600)] });
  await look(world);
  const before = await datesOf(world, id);
  await world.deps.advance(60_000);
  const request = { scheduledBefore: null, scheduledAfter: null, limit: 10 };
  await world.services.scheduledRuns.ofPool(POOL, { ...request, queueNames: [] });
  await world.services.scheduledRuns.ofDeployments([id], request);
  assertEquals((await look(world)).deployments, 0);
  assertEquals(await datesOf(world, id), before);
});

Deno.test("a schedule that cannot be worked out, and a deployment whose runs cannot be made, stop no other", async () => {
  using world = await pooled();
  const warned: string[] = [];
  world.deps.log = { ...world.deps.log, warn: (message) => warned.push(message) };
  const broken = await world.deployment({ name: "broken", schedules: [every(3600), every(7200)] });
  const homeless = await world.deployment({ name: "homeless", schedules: [every(3600)] });
  const well = await world.deployment({ name: "well", schedules: [every(3600)] });
  // As no request can: a rule that a later version of a library does not take, and a pool that is not there.
  const rewrite = async (id: string, change: object) => {
    const { value } = await get(world.kv, deploymentKey(id));
    await world.kv.set(deploymentKey(id), { ...value, ...change });
  };
  const { value } = await get(world.kv, deploymentKey(broken));
  const schedules = JSON.parse(value!.schedules as string);
  schedules[0].schedule = JSON.stringify({ cron: "no cron", timezone: null, day_or: true });
  await rewrite(broken, { schedules: JSON.stringify(schedules) });
  await rewrite(homeless, { pool: crypto.randomUUID() });

  await world.deps.advance(1);
  const looked = await look(world);
  assertEquals([looked.deployments, looked.made, looked.failed], [3, 6, 1]);
  assertEquals((await runsOf(world, broken)).length, 3);
  assertEquals((await runsOf(world, well)).length, 3);
  assertEquals(warned.length, 2, warned.join("\n"));
  assertEquals((await look(world)).deployments, 0, "they are looked at again later");
  await world.deps.advance(60_000);
  assertEquals((await look(world)).deployments, 2);
});

Deno.test("AutoRuns.make() makes what is within its bounds, whether or not the deployment is paused, and nothing twice", async () => {
  using world = await pooled();
  const { autoRuns } = world.services;
  const id = await world.deployment({ paused: true, schedules: [every(3600), every(60, { active: false })] });
  await look(world);
  assertEquals(await datesOf(world, id), []);
  assertEquals(await autoRuns.make(id, { ...NO_BOUNDS, minRuns: 1, maxRuns: 2 }), 2);
  assertEquals(await autoRuns.make(id, NO_BOUNDS), 1, "three in all");
  const start = world.now + 10 * HOUR;
  assertEquals(
    await autoRuns.make(id, { ...NO_BOUNDS, start, end: start + HOUR, minRuns: 9 }),
    2,
    "up to the end",
  );
  assertEquals(
    await autoRuns.make(id, { ...NO_BOUNDS, start, minTime: 4 * HOUR, minRuns: 1 }),
    3,
    "for so long",
  );
  const dates = await datesOf(world, id);
  assertEquals(new Set(dates).size, 8);
  assertEquals(await autoRuns.make(id, { ...NO_BOUNDS, start: parseInstant("9000-01-01T00:00:00Z")! }), 0);
  await world.services.deployments.setPaused(id, false);
  const left = await datesOf(world, id);
  assertEquals(left, [dates[0]], "they go like the others, but for the one that is due");
  await assertRejects(() => autoRuns.make(crypto.randomUUID(), NO_BOUNDS), DomainError, "not found");
});

Deno.test("large parameters and many schedules are spread over commits that fit", async () => {
  using world = await pooled();
  const parameters = JSON.stringify({ text: "x".repeat(200_000) });
  const large = await world.deployment({ name: "large", parameters, schedules: [every(3600)] });
  const schedules = Array.from({ length: 12 }, (_, i) => every(600 + i));
  const many = await world.deployment({ name: "many", schedules });
  const labels = JSON.stringify({ text: "x".repeat(20_000) });
  const labelled = await world.deployment({ name: "labelled", labels, schedules: [every(60)] });
  await world.deps.advance(1);
  const looked = await look(world);
  assertEquals([looked.failed, looked.made], [0, 3 + 73 + 61]);
  assertEquals(new Set(await datesOf(world, labelled)).size, 61);
  assertEquals(
    (await runsOf(world, large)).map((view) => view.parameters.length),
    Array(3).fill(parameters.length),
  );
  assertEquals(new Set((await runsOf(world, many)).map(({ doc }) => doc.idempotencyKey)).size, 73);
  await world.services.deployments.update(large, { parameters: "{}" });
  const pieces = await Array.fromAsync(world.kv.list({ prefix: ["chunk"] }));
  assertEquals(await runsOf(world, large), []);
  assertEquals(pieces, []);
  assertEquals(await world.faults(), []);
});

Deno.test("no runs are made while those of an earlier deployment are not gone yet", async () => {
  const store = new FakeKvStore();
  const kv = new HookedKv(new FakeKv(store));
  using world = new World({ kv });
  await world.pool();
  const id = await world.deployment({ schedules: [every(3600)] });
  let reads = 0;
  kv.beforeRead = async (key) => {
    // The change comes when the look has seen that there is nothing to take away.
    if (key[0] !== "scheduling" || ++reads !== 2) return;
    const before = await get(kv.behind, schedulingKey(id));
    const commit = new Commit();
    writeScheduling(commit, id, before, {
      due: world.now,
      generated: {},
      since: world.now,
      purge: world.now,
    });
    await commit.send(kv.behind);
  };
  assertEquals((await look(world)).made, 0);
  assertEquals((await look(world)).made, 3, "the next look takes them away first");
});
