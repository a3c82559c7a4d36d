import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import * as fake from "./fake_objects.ts";
import { type Answers, runCli } from "./fake_world.ts";
import { rowsOf } from "./rows.ts";

const done = () => new Response(null, { status: 204 });
const { id: poolId } = fake.pool();
const { id: queueId } = fake.queue();

Deno.test("work-pool and work-queue commands take ids where names stand", async () => {
  const answers: Answers = {
    "POST /work_pools/filter": () => [fake.pool()],
    "GET /work_pools/my-pool": () => fake.pool(),
    "PATCH /work_pools/my-pool": done,
    [`GET /work_queues/${queueId}`]: () => fake.queue({ name: "high" }),
    "GET /work_pools/my-pool/queues/high": () => fake.queue({ name: "high" }),
    "PATCH /work_pools/my-pool/queues/high": done,
  };
  for (
    const args of [
      ["work-pool", "inspect", poolId],
      ["work-pool", "pause", poolId],
      ["work-queue", "inspect", queueId],
      ["work-queue", "pause", queueId],
      ["work-queue", "set-concurrency-limit", "high", "2", "--pool", poolId],
    ]
  ) {
    const { code, err } = await runCli(args, { answers });
    assertEquals([code, err], [0, ""], args.join(" "));
  }
  const missing = await runCli(["work-queue", "pause", poolId], { answers });
  assertEquals([missing.code, missing.err], [1, `There is no work queue '${poolId}'.\n`]);
});

Deno.test("work-pool and work-queue update send what was given, and want something", async () => {
  const answers: Answers = {
    "PATCH /work_pools/my-pool": done,
    "PATCH /work_pools/my-pool/queues/high": done,
  };
  const template = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(template, '{"job_configuration": {}}');
    const pool = ["work-pool", "update", "my-pool"];
    const queue = ["work-queue", "update", "high", "-p", "my-pool"];
    const cases: [string[], unknown][] = [
      [[...pool, "--description", ""], { description: "" }],
      [[...pool, "--concurrency-limit", "0"], { concurrency_limit: 0 }],
      [[...pool, "--base-job-template", template], { base_job_template: { job_configuration: {} } }],
      [[...queue, "--priority", "3", "--limit", "0"], { priority: 3, concurrency_limit: 0 }],
      [[...queue, "--new-name", "higher"], { name: "higher" }],
    ];
    for (const [args, body] of cases) {
      const { code, requests } = await runCli(args, { answers });
      assertEquals([code, requests.at(-1)?.body], [0, body]);
    }
    assertEquals((await runCli(pool, { answers })).code, 2);
    assertEquals((await runCli(queue, { answers })).code, 2);
    await Deno.writeTextFile(template, "[]");
    assertMatch((await runCli([...pool, "--base-job-template", template])).err, /holds no JSON object/);
  } finally {
    await Deno.remove(template);
  }
});

Deno.test("work-pool create --overwrite changes the pool of that name; without one it is created", async () => {
  const args = ["work-pool", "create", "my-pool", "--overwrite", "--concurrency-limit", "2"];
  const there: Answers = {
    "POST /work_pools/filter": () => [fake.pool()],
    "PATCH /work_pools/my-pool": done,
    "GET /work_pools/my-pool": () => fake.pool({ concurrency_limit: 2 }),
  };
  const changed = await runCli(args, { answers: there });
  assertStringIncludes(changed.out, "Overwrote work pool with properties:\n");
  assertEquals(changed.requests[1]?.body, { is_paused: false, concurrency_limit: 2 });
  const answers = { "POST /work_pools/filter": () => [], "POST /work_pools/": () => fake.pool() };
  assertStringIncludes((await runCli(args, { answers })).out, "Created work pool with properties:\n");
});

Deno.test("deleting passes on what becomes of what is in use", async () => {
  const answers: Answers = {
    "GET /work_pools/my-pool": () => fake.pool(),
    "GET /work_pools/my-pool/queues/high": () => fake.queue({ name: "high" }),
    "DELETE /work_pools/my-pool?cascade=cancel": done,
    "DELETE /work_pools/my-pool/queues/high?move_to=other%2Fdefault": done,
  };
  const pool = await runCli(["work-pool", "delete", "my-pool", "-y", "--cascade", "cancel"], { answers });
  assertEquals([pool.code, pool.out], [0, "Deleted work pool 'my-pool'.\n"]);
  const refuse = () =>
    Response.json({ detail: "In use. Delete with ?cascade=cancel or ?move_to=<pool>/<queue>." }, {
      status: 409,
    });
  const inUse = { ...answers, "DELETE /work_pools/my-pool": refuse };
  assertEquals(
    (await runCli(["work-pool", "delete", "my-pool", "-y"], { answers: inUse })).err,
    "In use. Delete with --cascade cancel or --move-to POOL/QUEUE.\n",
  );
  const args = ["work-queue", "delete", "high", "-p", "my-pool", "-y", "--move-to", "other/default"];
  assertEquals((await runCli(args, { answers })).out, "Deleted work queue 'high' of work pool 'my-pool'.\n");
  assertEquals((await runCli([...args, "--cascade", "cancel"], { answers })).code, 2);
});

const run = (name: string, queue: string, minutes: number) =>
  fake.flowRun("SCHEDULED", {
    name,
    work_queue_id: queue,
    work_queue_name: queue,
    next_scheduled_start_time: `2026-11-23T12:${String(minutes).padStart(2, "0")}:00Z`,
  });

Deno.test("work-pool preview shows runs as they are handed out, by priority before time, and asks nobody for work", async () => {
  const answers: Answers = {
    "GET /work_pools/my-pool": () => fake.pool({ is_paused: true }),
    "POST /work_pools/my-pool/queues/filter": () => [
      fake.queue({ id: "low", priority: 9 }),
      fake.queue({ id: "high", priority: 1 }),
    ],
    "POST /flow_runs/filter": () => [
      { ...run("late", "low", 0), next_scheduled_start_time: "2026-11-23T11:59:00Z" },
      run("second", "high", 20),
      run("first", "high", 10),
    ],
  };
  const { out, err, requests } = await runCli(["work-pool", "preview", "my-pool", "--hours", "2"], {
    answers,
  });
  assertEquals(rowsOf(out).map(([when, , name, queue]) => [when, name, queue]), [
    ["in 10 minutes", "first", "high"],
    ["in 20 minutes", "second", "high"],
    ["1 minute ago (**)", "late", "low"],
  ]);
  assertStringIncludes(out, "(**) denotes a late run");
  assertMatch(err, /is paused/);
  const body = JSON.stringify(requests.find(({ path }) => path === "/flow_runs/filter")?.body);
  assertMatch(body, /"before_":"2026-11-23T14:00:00Z"/);
  assertEquals(requests.some(({ path }) => path.includes("get_scheduled")), false);
});

Deno.test("work-queue preview has one queue and no column for it; read-runs looks without polling", async () => {
  const answers: Answers = {
    "GET /work_pools/my-pool/queues/high": () => fake.queue({ name: "high" }),
    "POST /work_pools/my-pool/queues/filter": () => [fake.queue({ name: "high" })],
    "POST /flow_runs/filter": () => [run("one", "high", 10)],
    [`POST /work_queues/${queueId}/get_runs`]: ({ headers }) =>
      headers.get("x-prefect-ui") === "true" ? [run("two", "high", 0)] : [],
  };
  const preview = await runCli(["work-queue", "preview", "high", "-p", "my-pool", "-v"], { answers });
  assertEquals(rowsOf(preview.out)[0]?.[0], "2026-11-23 12:10:00Z");
  assertEquals(rowsOf(preview.out)[0]?.length, 4);
  const read = await runCli(["work-queue", "read-runs", "high", "-p", "my-pool"], { answers });
  assertEquals(rowsOf(read.out)[0]?.[2], "two");
});

const holder = {
  id: fake.flowRun().id,
  name: "brisk-otter",
  state_type: "RUNNING",
  state_name: "Running",
  start_time: null,
  state_timestamp: null,
  time_in_current_state: 90,
};

Deno.test("slots of pools and queues name the runs that hold them, page by page", async () => {
  const page = (number: number) => ({
    active_slots: 2,
    concurrency_limit: 3,
    queues: [{
      queue_id: queueId,
      queue_name: `q${number}`,
      active_slots: 1,
      concurrency_limit: null,
      flow_runs: [holder],
      flow_run_count: 1,
    }],
    count: 2,
    limit: 1,
    pages: 2,
    page: number,
  });
  const answers: Answers = {
    "GET /work_pools/my-pool/queues/q1": () => fake.queue({ name: "q1" }),
    "POST /work_pools/my-pool/concurrency_status": ({ body }) => page((body as { page: number }).page),
    [`POST /work_queues/${queueId}/concurrency_status`]: () => ({
      active_slots: 1,
      concurrency_limit: null,
      flow_runs: [holder],
      count: 1,
      limit: 10,
      pages: 1,
      page: 1,
    }),
  };
  const pool = await runCli(["work-pool", "slots", "my-pool"], { answers });
  assertEquals(rowsOf(pool.out).map((row) => row.slice(0, 4)), [
    ["brisk-otter", "q1", "Running", "1 min 30 s"],
    ["brisk-otter", "q2", "Running", "1 min 30 s"],
  ]);
  assertStringIncludes(pool.out, "2 of 3 taken\n");
  const queue = await runCli(["work-queue", "slots", "q1", "-p", "my-pool"], { answers });
  assertStringIncludes(queue.out, "1 of None taken\n");
});

Deno.test("work-pool get-default-base-job-template prints or writes the template of a type", async () => {
  const template = { job_configuration: { command: "{{ command }}" }, variables: {} };
  const answers: Answers = {
    "GET /collections/views/aggregate-worker-metadata": () => ({
      prefect: { process: { type: "process", default_base_job_configuration: template } },
    }),
  };
  const args = ["work-pool", "get-default-base-job-template", "--type"];
  assertEquals(JSON.parse((await runCli([...args, "process"], { answers })).out), template);
  const { code, err } = await runCli([...args, "proces"], { answers });
  assertEquals([code, err], [1, "There is no work pool type 'proces'. Nearest: 'process'.\n"]);
});

Deno.test("agent ls and inspect show who is online", async () => {
  const two = [fake.agent(), fake.agent({ name: "gone", online: false })];
  const answers: Answers = {
    "GET /agents?online=true&limit=200&offset=0": () => [fake.agent()],
    "GET /agents?limit=200&offset=0": () => two,
    [`GET /agents/${fake.agent().id}`]: () => ({ ...fake.agent(), runs: [] }),
  };
  const { out } = await runCli(["agent", "ls"], { answers });
  assertEquals(rowsOf(out)[0]?.slice(0, 6), [
    "host-brisk-otter",
    "my-pool",
    "ONLINE",
    "1",
    "None",
    "2 seconds ago",
  ]);
  assertEquals(rowsOf((await runCli(["agent", "ls", "--all"], { answers })).out).length, 2);
  const inspected = await runCli(["agent", "inspect", "host-brisk-otter"], { answers });
  assertStringIncludes(inspected.out, "    last_heartbeat='2 seconds ago',\n");
  const restarted = {
    ...answers,
    "GET /agents?limit=200&offset=0": () => [fake.agent({ online: false, id: "old" }), fake.agent()],
  };
  assertEquals((await runCli(["agent", "inspect", "host-brisk-otter"], { answers: restarted })).code, 0);
  const missing = await runCli(["agent", "inspect", "gon"], { answers });
  assertEquals(missing.err, "There is no agent 'gon'. Nearest: 'gone', 'host-brisk-otter'.\n");
});
