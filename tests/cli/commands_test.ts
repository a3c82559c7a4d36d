import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import * as fake from "./fake_objects.ts";
import { type Answers, type FakeWorld, runCli } from "./fake_world.ts";
import { rowsOf } from "./rows.ts";

const RUN = `/flow_runs/${fake.flowRun().id}`;
const POOLS = { "POST /work_pools/filter": () => [fake.pool(), fake.pool({ name: "test-pool" })] };

Deno.test("work-pool create sends what was asked for and says what to type next", async () => {
  const answers = {
    "POST /work_pools/": () => fake.pool({ name: "it's", concurrency_limit: 0 }),
  };
  const args = ["work-pool", "create", "it's", "--concurrency-limit", "0", "--type", "process", "--paused"];
  const { code, out, requests } = await runCli(args, { answers });
  assertEquals(code, 0);
  assertEquals(requests[0]?.body, { name: "it's", type: "process", is_paused: true, concurrency_limit: 0 });
  assertStringIncludes(out, "    name - 'it's'\n");
  assertStringIncludes(out, "    concurrency limit - 0\n");
  assertStringIncludes(out, `    sluice agent start -p 'it'\\''s'\n`);
  assertStringIncludes(out, `    sluice work-pool inspect 'it'\\''s'\n`);
});

Deno.test("work-pool create passes the server's refusal on", async () => {
  const answers = { "POST /work_pools/": () => Response.json({ detail: "It exists." }, { status: 409 }) };
  const { code, out, err } = await runCli(["work-pool", "create", "a"], { answers });
  assertEquals([code, out, err], [1, "", "It exists.\n"]);
});

Deno.test("work-pool ls marks what is paused, shows 0 as 0, and asks the queues where a pool has no status", async () => {
  const answers: Answers = {
    "POST /work_pools/filter": () => [
      fake.pool({
        name: "b",
        status: null,
        active_slots: 2,
        concurrency_limit: 5,
        sluice: { agents_online: 3 },
      }),
      fake.pool({ name: "a", is_paused: true, concurrency_limit: 0, status: null }),
    ],
    "POST /work_pools/b/queues/filter": () => [fake.queue({ status: "NOT_READY" }), fake.queue()],
  };
  const { out } = await runCli(["work-pool", "ls"], { answers });
  const rows = out.split("\n").filter((line) => line.startsWith("│"))
    .map((line) => line.split("│").slice(1, -1).map((cell) => cell.trim()));
  const { id } = fake.pool();
  assertEquals(rows, [
    ["a (**)", "prefect-agent", id, "0", "PAUSED", "0", "?"],
    ["b", "prefect-agent", id, "5", "READY", "2", "3"],
  ]);
  assertStringIncludes(out, "(**) denotes a paused pool");
});

Deno.test("work-pool ls and work-queue ls are not disturbed by a pool that is deleted meanwhile", async () => {
  const answers: Answers = {
    "POST /work_pools/filter": () => [fake.pool({ status: null }), fake.pool({ name: "gone", status: null })],
    "POST /work_pools/my-pool/queues/filter": () => [fake.queue()],
  };
  const pools = await runCli(["work-pool", "ls"], { answers });
  assertEquals([pools.code, rowsOf(pools.out).map(([name]) => name)], [0, ["gone", "my-pool"]]);
  const queues = await runCli(["work-queue", "ls"], { answers });
  assertEquals([queues.code, rowsOf(queues.out).length], [0, 1]);
});

Deno.test("work-pool ls --output json prints what the server sent, and nothing else", async () => {
  const { out } = await runCli(["work-pool", "ls", "-o", "json"], { answers: POOLS });
  assertEquals(JSON.parse(out), [fake.pool(), fake.pool({ name: "test-pool" })]);
});

Deno.test("work-pool inspect shows times as distances, and near names when there is no such pool", async () => {
  const answers: Answers = { ...POOLS, "GET /work_pools/my-pool": () => fake.pool() };
  const found = await runCli(["work-pool", "inspect", "my-pool"], { answers });
  assertStringIncludes(found.out, "    created='2 minutes ago',\n");
  assertStringIncludes(found.out, "    concurrency_limit=None,\n");
  const missing = await runCli(["work-pool", "inspect", "tst-pool"], { answers });
  assertEquals([missing.code, missing.out], [1, ""]);
  assertEquals(missing.err, "There is no work pool 'tst-pool'. Nearest: 'test-pool', 'my-pool'.\n");
});

Deno.test("work-pool pause, resume, set and clear the limit write that one field", async () => {
  const cases: [string[], unknown][] = [
    [["pause", "my-pool"], { is_paused: true }],
    [["resume", "my-pool"], { is_paused: false }],
    [["set-concurrency-limit", "my-pool", "0"], { concurrency_limit: 0 }],
    [["clear-concurrency-limit", "my-pool"], { concurrency_limit: null }],
  ];
  for (const [args, body] of cases) {
    const answers = { "PATCH /work_pools/my-pool": () => new Response(null, { status: 204 }) };
    const { code, requests, out } = await runCli(["work-pool", ...args], { answers });
    assertEquals([code, requests.map((request) => request.body)], [0, [body]]);
    assertStringIncludes(out, "'my-pool'");
  }
});

Deno.test("work-pool delete asks where somebody can answer, and needs --yes elsewhere", async () => {
  const answers: Answers = {
    "GET /work_pools/my-pool": () => fake.pool(),
    "DELETE /work_pools/my-pool": () => new Response(null, { status: 204 }),
  };
  const remove = async (args: string[], given: FakeWorld) => {
    const { code, err, requests } = await runCli(["work-pool", "delete", "my-pool", ...args], {
      answers,
      ...given,
    });
    return [code, requests.some(({ method }) => method === "DELETE"), err];
  };
  const nobody = "Add --yes to delete work pool 'my-pool' and its queues: nobody can be asked here.\n";
  assertEquals(await remove([], {}), [1, false, nobody]);
  assertEquals(await remove([], { confirm: () => false }), [1, false, "Nothing was changed.\n"]);
  assertEquals(await remove([], { confirm: () => true }), [0, true, ""]);
  assertEquals(await remove(["--yes"], {}), [0, true, ""]);
  assertEquals(await remove(["--no-prompt"], {}), [0, true, ""]);
});

Deno.test("work-queue create and pause use the default pool unless another is named", async () => {
  const answers: Answers = {
    ...POOLS,
    "POST /work_queues/": () => fake.queue({ work_pool_name: "default-agent-pool" }),
    "PATCH /work_pools/my-pool/queues/high": () => new Response(null, { status: 204 }),
  };
  const created = await runCli(["work-queue", "create", "q", "--limit", "0", "--priority", "3"], { answers });
  assertEquals(created.requests[0]?.body, { name: "q", is_paused: false, concurrency_limit: 0, priority: 3 });
  assertStringIncludes(created.out, "sluice agent start -p default-agent-pool -q default\n");
  const paused = await runCli(["work-queue", "pause", "high", "-p", "my-pool"], { answers });
  assertEquals([paused.code, paused.requests[0]?.body], [0, { is_paused: true }]);
  const missing = await runCli(["work-queue", "pause", "high", "-p", "my-pol"], { answers });
  assertEquals(missing.err, "There is no work pool 'my-pol'. Nearest: 'my-pool', 'test-pool'.\n");
});

Deno.test("work-queue ls lists the queues of all pools by pool and priority", async () => {
  const answers: Answers = {
    ...POOLS,
    "POST /work_pools/my-pool/queues/filter": () => [
      fake.queue({ priority: 2 }),
      fake.queue({ name: "high", last_polled: "2026-11-23T11:59:55Z" }),
    ],
    "POST /work_pools/test-pool/queues/filter": () => [],
  };
  const { out } = await runCli(["work-queue", "ls"], { answers });
  assertMatch(out, /high .*5 seconds ago[^]*default .*never/);
});

const RUNNABLE: Answers = {
  "GET /deployments/name/etl/nightly": () => fake.deployment(),
  "POST /deployments/filter": () => [fake.deployment()],
  "POST /flows/filter": () => [fake.flow()],
  [`POST /deployments/${fake.deployment().id}/create_flow_run`]: () => fake.flowRun(),
};

Deno.test("deployment run sends parameters, tags, job variables and the time of the start", async () => {
  const options = [
    "--params",
    '{"a": 1, "b": 2}',
    "-p",
    "b=x",
    "-t",
    "t1",
    "-j",
    "command=true",
    "-j",
    "env={}",
  ];
  const args = ["deployment", "run", "etl/nightly", ...options, "--start-in", "10 minutes"];
  const { code, requests, out } = await runCli(args, { answers: RUNNABLE });
  assertEquals(code, 0);
  assertEquals(requests.at(-1)?.body, {
    parameters: { a: 1, b: "x" },
    tags: ["t1"],
    state: { type: "SCHEDULED", state_details: { scheduled_time: "2026-11-23T12:10:00Z" } },
    job_variables: { command: true, env: {} },
  });
  assertStringIncludes(out, "sluice flow-run logs brisk-otter\n");
});

Deno.test("deployment run names the nearest deployments", async () => {
  const { code, err } = await runCli(["deployment", "run", "etl/nighty"], { answers: RUNNABLE });
  assertEquals([code, err], [1, "There is no deployment 'etl/nighty'. Nearest: 'etl/nightly'.\n"]);
});

/** Answers of a run that goes through `types`, one a look, and prints a line at each look. */
function watched(types: Parameters<typeof fake.flowRun>[0][]): Answers {
  let looks = 0;
  return {
    ...RUNNABLE,
    [`GET ${RUN}`]: () => fake.flowRun(types[Math.min(looks++, types.length - 1)]),
    "POST /logs/filter": ({ body }) => {
      const all = Array.from({ length: looks }, (_, index) => fake.log(`line ${index + 1}`, index));
      const { offset } = body as { offset: number };
      return all.slice(offset);
    },
  };
}

Deno.test("deployment run --watch prints states and output once each, and ends with the run's outcome", async () => {
  const args = ["deployment", "run", "etl/nightly", "--watch"];
  const good = await runCli(args, { answers: watched(["PENDING", "RUNNING", "RUNNING", "COMPLETED"]) });
  assertEquals(good.code, 0);
  const lines = good.out.split("\n").slice(6, -1).map((line) => line.slice(9));
  assertEquals(lines, [
    "Pending",
    "│ line 1",
    "Running",
    "│ line 2",
    "│ line 3",
    "│ line 4",
    "Completed after 2.0 s",
  ]);
  assertEquals((await runCli(args, { answers: watched(["RUNNING", "FAILED"]) })).code, 1);
});

Deno.test("deployment run --watch leaves the run alone when it is interrupted, and says so", async () => {
  const stop = new AbortController();
  stop.abort();
  const args = ["deployment", "run", "etl/nightly", "--watch"];
  const { code, err, requests } = await runCli(args, { answers: watched(["RUNNING"]), stop });
  assertEquals(code, 1);
  assertMatch(err, /the run goes on/);
  assertEquals(requests.some(({ path }) => path.endsWith("set_state")), false);
});

Deno.test("flow-run ls filters by type, name and deployment", async () => {
  const answers: Answers = { ...RUNNABLE, "POST /flow_runs/filter": () => [fake.flowRun()] };
  const args = ["flow-run", "ls", "-s", "running", "-s", "Late", "-d", "etl/nightly", "-l", "5"];
  const { out, requests } = await runCli(args, { answers });
  assertEquals(requests.find(({ path }) => path === "/flow_runs/filter")?.body, {
    flow_runs: {
      deployment_id: { any_: [fake.deployment().id] },
      state: { operator: "or_", type: { any_: ["RUNNING"] }, name: { any_: ["Late"] } },
    },
    limit: 5,
    offset: 0,
  });
  assertMatch(out, /brisk-otter │ etl\/nightly │ Scheduled │ 2 seconds ago │ 2\.0 s/);
});

Deno.test("flow-run ls says when no run is in a state of an odd name", async () => {
  const { code, err } = await runCli(["flow-run", "ls", "-s", "RUNING"], {
    answers: { ...RUNNABLE, "POST /flow_runs/filter": () => [] },
  });
  assertEquals(code, 0);
  assertMatch(err, /^No flow run is in a state named 'RUNING'\. Nearest types: 'RUNNING', /);
});

Deno.test("flow-run logs prints the last lines in their order", async () => {
  const answers: Answers = {
    "POST /flow_runs/filter": () => [fake.flowRun()],
    "POST /logs/filter": () => [fake.log("second"), fake.log("first")],
  };
  const { out, requests } = await runCli(["flow-run", "logs", "brisk-otter", "--tail", "2"], { answers });
  assertEquals(out, "11:59:59 first\n11:59:59 second\n");
  assertEquals(requests.at(-1)?.body, {
    logs: { flow_run_id: { any_: [fake.flowRun().id] } },
    sort: "TIMESTAMP_DESC",
    limit: 2,
    offset: 0,
  });
});

Deno.test("flow-run inspect names the ids when several runs have the name, near names when none has", async () => {
  const several = { "POST /flow_runs/filter": () => [fake.flowRun(), fake.flowRun()] };
  assertMatch((await runCli(["flow-run", "inspect", "x"], { answers: several })).err, /Several flow runs/);
  const none: Answers = {
    "POST /flow_runs/filter": ({ body }) => JSON.stringify(body).includes("any_") ? [] : [fake.flowRun()],
  };
  const { code, err } = await runCli(["flow-run", "inspect", "otter"], { answers: none });
  assertEquals([code, err], [1, "There is no flow run 'otter'. Nearest: 'brisk-otter'.\n"]);
});

const accepted = () => ({ state: null, status: "ACCEPT", details: { type: "accept_details" } });

Deno.test("flow-run cancel tells of a run whose agent does not answer, and names --force", async () => {
  const answers: Answers = {
    [`GET ${RUN}`]: () => fake.flowRun("CANCELLING"),
    [`POST ${RUN}/set_state`]: accepted,
  };
  const { code, out, requests } = await runCli(["flow-run", "cancel", fake.flowRun().id], { answers });
  assertEquals(code, 0);
  assertStringIncludes(out, "is CANCELLING");
  assertStringIncludes(out, `sluice flow-run cancel ${fake.flowRun().id} --force`);
  assertEquals(requests[1]?.body, { state: { type: "CANCELLING" }, force: false });
});

Deno.test("flow-run cancel --force proposes CANCELLED by force", async () => {
  let isCancelled = false;
  const answers: Answers = {
    [`GET ${RUN}`]: () => fake.flowRun(isCancelled ? "CANCELLED" : "CANCELLING"),
    [`POST ${RUN}/set_state`]: () => {
      isCancelled = true;
      return accepted();
    },
  };
  const { code, out, requests } = await runCli(["flow-run", "cancel", fake.flowRun().id, "--force"], {
    answers,
  });
  assertEquals([code, out], [0, "Flow run 'brisk-otter' is Cancelled.\n"]);
  assertMatch(JSON.stringify(requests[1]?.body), /"type":"CANCELLED".*"force":true/);
  const again = await runCli(["flow-run", "cancel", fake.flowRun().id], { answers });
  assertEquals(again.code, 1);
  assertMatch(again.err, /has ended already: it is Cancelled/);
});

Deno.test("version names the server when one answers, and is content without", async () => {
  const answers = { "GET /admin/version": () => "3.4.5" };
  assertMatch((await runCli(["version"], { answers })).out, /^sluice \d[^]*speaks API 3\.4\.5/);
  const { code, out } = await runCli(["version", "-o", "json"], { isDown: true });
  assertEquals([code, JSON.parse(out).server], [0, null]);
});
