/** Schedules of deployments as clients of the reference use them. */
import { assert, assertEquals } from "@std/assert";
import { type Deployment, detailOf, type Json, messagesOf, NOBODY, type Schedule, Site } from "./site.ts";

Deno.test("POST /deployments/ makes, then updates; schedules get their defaults", async () => {
  await using site = await Site.open();
  const schedules = [
    { schedule: { interval: 3600, anchor_date: "2024-01-01T00:00:00Z" } },
    {
      schedule: { cron: "0 9 * * *" },
      active: false,
      slug: "daily",
      max_scheduled_runs: 50,
      parameters: { x: 1 },
    },
    { schedule: { rrule: "FREQ=DAILY;INTERVAL=2" } },
  ];
  const made = await site.deploy({ schedules, concurrency_limit: 3 });
  const [rrule, cron, interval] = made.schedules;
  assertEquals(interval!.schedule, {
    interval: 3600,
    anchor_date: "2024-01-01T00:00:00Z",
    timezone: "UTC",
  });
  assertEquals(cron!.schedule, { cron: "0 9 * * *", timezone: null, day_or: true });
  assertEquals(rrule!.schedule, { rrule: "DTSTART:20200101T000000\nFREQ=DAILY;INTERVAL=2", timezone: "UTC" });
  assertEquals([cron!.active, cron!.slug, cron!["max_scheduled_runs"], cron!["parameters"]], [
    false,
    "daily",
    50,
    { x: 1 },
  ]);
  assertEquals(made["concurrency_limit"], 3);
  const limit = made["global_concurrency_limit"] as Json;
  assertEquals([limit["name"], limit["limit"], limit["active"]], [`deployment:${made.id}`, 3, true]);

  const again = await site.deploy({ version: "2", concurrency_limit: 4 }, 200);
  assertEquals([again.id, again.schedules, again["version"]], [made.id, [], "2"]);
  assertEquals((again["global_concurrency_limit"] as Json)["id"], limit["id"]);
  await site.send("PATCH", `/deployments/${made.id}`, 204, { concurrency_limit: null });
  const cleared = await site.get(made.id);
  assertEquals([cleared["concurrency_limit"], cleared["global_concurrency_limit"]], [null, null]);
});

Deno.test("a schedule that is none is refused with what each kind of schedule lacks", async () => {
  await using site = await Site.open();
  const { exception_detail } = await site.deploy(
    { schedules: [{ schedule: { cron: "0 9 * * *", timezone: "Bad/TZ" } }] },
    422,
  ) as Json;
  const details = exception_detail as { type: string; loc: unknown[]; msg: string }[];
  assertEquals(details.map(({ type, loc }) => [type, ...loc.slice(4)]), [
    ["missing", "function-after[validate_timezone(), IntervalSchedule]", "interval"],
    ["extra_forbidden", "function-after[validate_timezone(), IntervalSchedule]", "cron"],
    ["value_error", "function-after[validate_timezone(), CronSchedule]"],
    ["missing", "RRuleSchedule", "rrule"],
    ["value_error", "RRuleSchedule", "timezone"],
    ["extra_forbidden", "RRuleSchedule", "cron"],
  ]);
  assertEquals(
    details[2]!.msg,
    'Value error, Invalid timezone: "Bad/TZ" (specify in IANA tzdata format, for example, America/New_York)',
  );
  const cases: [schedule: Json, says: string][] = [
    [{ cron: "bad" }, 'Value error, Invalid cron string: "bad"'],
    [{ rrule: "nope" }, 'Value error, Invalid RRule string "nope": '],
    [{ interval: 0 }, "Value error, interval must be positive"],
  ];
  for (const [schedule, says] of cases) {
    const refused = await site.deploy({ schedules: [{ schedule }] }, 422) as Json;
    assert(messagesOf(refused).some((msg) => String(msg).startsWith(says)), JSON.stringify(refused));
  }
  const many = { schedule: { interval: 1 }, max_scheduled_runs: 51 };
  assertEquals(messagesOf(await site.deploy({ schedules: [many] }, 422)), [
    "Value error, max_scheduled_runs must be less than or equal to 50.",
  ]);
});

Deno.test("schedules are added, listed newest change first, changed and deleted by id", async () => {
  await using site = await Site.open();
  const { id } = await site.deploy();
  const path = `/deployments/${id}/schedules`;
  const added = await site.send<Schedule[]>("POST", path, 201, [
    { schedule: { cron: "0 9 * * *", timezone: "America/New_York" }, slug: "a" },
    { schedule: { interval: 60 } },
  ]);
  assertEquals(added.map(({ slug, deployment_id }) => [slug, deployment_id]), [["a", id], [null, id]]);
  const [first, second] = added.map((one) => one.id);
  const listed = async () => (await site.send<Schedule[]>("GET", path, 200)).map((one) => one.id);
  assertEquals(await listed(), [second, first]);
  await site.send("PATCH", `${path}/${first}`, 204, { active: false, schedule: null, slug: null });
  assertEquals(await listed(), [first, second]);
  await site.send("PATCH", `${path}/${first}`, 204, { max_scheduled_runs: 5 });
  const changed = (await site.get(id)).schedules[0]!;
  assertEquals([changed.active, changed.slug, changed.schedule["cron"]], [false, "a", "0 9 * * *"]);
  const taken = await site.send("PATCH", `${path}/${second}`, 409, { slug: "a" });
  assert(String(detailOf(taken)).includes("'a' already"));
  await site.send("POST", path, 409, [{ schedule: { interval: 1 }, slug: "a" }]);
  await site.send("DELETE", `${path}/${first}`, 204);
  assertEquals(detailOf(await site.send("DELETE", `${path}/${first}`, 404)), "Schedule not found.");
  assertEquals(detailOf(await site.send("PATCH", `${path}/nonsense`, 404, {})), "Schedule not found.");
  assertEquals(
    detailOf(await site.send("POST", `/deployments/${NOBODY}/schedules`, 404, [])),
    "Deployment not found",
  );
  assertEquals(await listed(), [second]);
});

Deno.test("PATCH /deployments/{id} changes schedules by slug, and replaces those without", async () => {
  await using site = await Site.open();
  const daily = { schedule: { cron: "0 9 * * *" }, slug: "daily" };
  const hourly = { schedule: { cron: "0 * * * *" }, slug: "hourly" };
  const { id, schedules } = await site.deploy({ schedules: [daily, hourly] });
  const idOf = (slug: string) => schedules.find((one) => one.slug === slug)!.id;
  const patch = (given: unknown, status = 204) =>
    site.send("PATCH", `/deployments/${id}`, status, { schedules: given });
  const now = async () =>
    Object.fromEntries((await site.get(id)).schedules.map((one) => [one.slug, one])) as Record<
      string,
      Schedule
    >;

  await patch([{ slug: "daily", active: false }]);
  let all = await now();
  assertEquals([all["daily"]!.id, all["daily"]!.active, all["hourly"]!.id], [
    idOf("daily"),
    false,
    idOf("hourly"),
  ]);
  await patch([{ slug: "nightly", replaces: "daily" }]);
  all = await now();
  assertEquals([Object.keys(all).sort(), all["nightly"]!.id], [["hourly", "nightly"], idOf("daily")]);
  await patch([]);
  assertEquals(Object.keys(await now()).length, 2);
  const refused = await patch([{ slug: "hourly" }, { schedule: { interval: 1 } }], 422);
  assertEquals((refused["exception_detail"] as Json[])[0]!["loc"], ["body", "schedules", 1]);
  await patch([{ slug: "new" }], 422);
  await patch([{ slug: "hourly", replaces: "nightly" }], 422);

  await site.send("POST", `/deployments/${id}/schedules`, 201, [{ schedule: { interval: 60 } }]);
  await patch([{ schedule: { interval: 5 }, slug: "only" }]);
  assertEquals(Object.keys(await now()), ["only"]);
  await site.send("PATCH", `/deployments/${id}`, 204, { version: "2" });
  assertEquals(Object.keys(await now()), ["only"]);
});

Deno.test("a process that serves a deployment stops and starts again without losing a schedule that has a slug", async () => {
  await using site = await Site.open();
  const definition = {
    version: "1",
    version_info: { type: "prefect:simple", version: "1" },
    description: null,
    parameters: {},
    paused: false,
    schedules: [] as unknown[],
    concurrency_limit: null,
    concurrency_options: null,
    tags: [],
    work_queue_name: null,
    work_pool_name: null,
    job_variables: {},
    entrypoint: "f.py:flow",
    enforce_parameter_schema: true,
    parameter_openapi_schema: { title: "Parameters", type: "object", properties: {} },
    pull_steps: null,
  };
  const cron = { cron: "0 9 * * *", timezone: null, day_or: true };
  const schedules = [{ schedule: cron, active: true, parameters: {}, slug: "at-nine" }];
  const { id } = await site.send<Deployment>("POST", "/deployments/", 201, {
    name: "served",
    flow_id: site.flow,
    ...definition,
    schedules,
  });
  const [{ id: schedule } = { id: "" }] = (await site.get(id)).schedules;
  await site.send("PATCH", `/deployments/${id}/schedules/${schedule}`, 204, { active: false });
  await site.send("PATCH", `/deployments/${id}`, 204, { paused: true });
  assertEquals((await site.get(id))["paused"], true);
  await site.send("PATCH", `/deployments/${id}`, 204, definition);
  const served = await site.get(id);
  assertEquals([served["paused"], served.schedules.map((one) => [one.id, one.active])], [false, [[
    schedule,
    false,
  ]]]);
});

Deno.test("what 2.20 clients call a schedule and active is kept, and switched together", async () => {
  await using site = await Site.open();
  const made = await site.deploy({ schedule: { cron: "0 9 * * *" }, is_schedule_active: false });
  assertEquals([made["paused"], made["is_schedule_active"], made.schedules[0]!.active], [true, false, false]);
  assertEquals((made["schedule"] as Json)["cron"], "0 9 * * *");
  const state = async () => {
    const { paused, schedules } = await site.get(made.id);
    return [paused, schedules.map(({ active }) => active)];
  };
  assertEquals(await site.send("POST", `/deployments/${made.id}/set_schedule_active`, 200), null as never);
  assertEquals(await state(), [false, [true]]);
  await site.send("POST", `/deployments/${made.id}/set_schedule_inactive`, 200);
  assertEquals(await state(), [true, [false]]);
  await site.send("POST", `/deployments/${made.id}/schedules`, 201, [{ schedule: { interval: 1 } }]);
  await site.send("POST", `/deployments/${made.id}/set_schedule_active`, 422);
  assertEquals(await state(), [true, [true, false]]);
});

Deno.test("pausing a deployment leaves its schedules as they are, and it can still be run", async () => {
  await using site = await Site.open();
  const { id } = await site.deploy({ schedules: [{ schedule: { interval: 60 } }] });
  assertEquals(await site.send("POST", `/deployments/${id}/pause_deployment`, 200), null as never);
  const paused = await site.get(id);
  assertEquals([paused["paused"], paused.schedules[0]!.active], [true, true]);
  await site.send("POST", `/deployments/${id}/create_flow_run`, 201, {});
  await site.send("POST", `/deployments/${id}/resume_deployment`, 200);
  assertEquals((await site.get(id))["paused"], false);
  for (const call of ["pause_deployment", "resume_deployment", "set_schedule_active", "schedule"]) {
    await site.send("POST", `/deployments/${NOBODY}/${call}`, 404);
  }
  assertEquals(await site.send("POST", `/deployments/${id}/schedule`, 200, { min_runs: 1 }), null as never);
  await site.send("POST", `/deployments/${id}/schedule`, 422, { min_runs: "many" });
});

Deno.test("POST /deployments/{id}/schedule makes runs of a paused deployment, and a PATCH takes them away", async () => {
  await using site = await Site.open();
  const { id } = await site.deploy({ paused: true, schedules: [{ schedule: { interval: 3600 } }] });
  const filter = { flow_runs: { deployment_id: { any_: [id] } } };
  const count = () => site.send<number>("POST", "/flow_runs/count", 200, filter);
  assertEquals(
    await site.send("POST", `/deployments/${id}/schedule`, 200, { min_runs: 1, max_runs: 2 }),
    null,
  );
  const runs = await site.send<Json[]>("POST", "/flow_runs/filter", 200, filter);
  assertEquals(
    runs.map((run) => [run["auto_scheduled"], run["tags"], run["work_queue_name"], run["state_name"]]),
    Array(2).fill([true, ["auto-scheduled"], "default", "Scheduled"]),
  );
  const [start] = runs.map((run) => String(run["expected_start_time"])).sort();
  const after = { start_time: start, min_time: 7200, min_runs: 1 };
  await site.send("POST", `/deployments/${id}/schedule`, 200, after);
  assertEquals(await count(), 3, "two hours from the first one on");
  await site.send("PATCH", `/deployments/${id}`, 204, { description: "other" });
  // An interval counts from its making: that time is not in the future.
  assertEquals(
    await count(),
    runs.filter((run) => String(run["expected_start_time"]) <= String(run["created"])).length,
  );
  await site.send("POST", `/deployments/${NOBODY}/schedule`, 404, {});
});
