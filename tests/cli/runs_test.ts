import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import * as fake from "./fake_objects.ts";
import { type Answers, type FakeWorld, runCli, type SentRequest } from "./fake_world.ts";

const done = () => new Response(null, { status: 204 });
const { id } = fake.flowRun();
const RUN = `/flow_runs/${id}`;
const accepted = () => ({ state: null, status: "ACCEPT", details: { type: "accept_details" } });

/** What the server answers about a log of that many lines, all of the same time. */
function pageOf(count: number, { body }: SentRequest) {
  const { sort, limit, offset } = body as { sort?: string; limit: number; offset: number };
  const all = Array.from({ length: count }, (_, index) => fake.log(`line ${index + 1}`, index));
  return (sort === "TIMESTAMP_DESC" ? all.toReversed() : all).slice(offset, offset + limit);
}

const withLogs = (count: number, type: Parameters<typeof fake.flowRun>[0] = "COMPLETED"): Answers => ({
  [`GET ${RUN}`]: () => fake.flowRun(type),
  "POST /logs/filter": (request) => pageOf(count, request),
});

async function printed(options: string[], count = 30): Promise<number[]> {
  const { code, out, err } = await runCli(["flow-run", "logs", id, ...options], { answers: withLogs(count) });
  assertEquals([code, err], [0, ""], options.join(" "));
  return out.trimEnd().split("\n").map((line) => Number(line.replace(/^.* line /, "")));
}

Deno.test("flow-run logs takes the first or last lines, either way round, with or without a number", async () => {
  const from = (first: number, last: number) =>
    Array.from({ length: last - first + 1 }, (_, index) => first + index);
  assertEquals(await printed([]), from(1, 30));
  assertEquals(await printed(["--head", "3"]), from(1, 3));
  assertEquals(await printed(["--tail", "3"]), from(28, 30));
  assertEquals(await printed(["--tail=3", "-r"]), from(28, 30).reverse());
  assertEquals(await printed(["--reverse"]), from(1, 30).reverse());
  assertEquals(await printed(["-n", "2"]), from(1, 2));
  assertEquals(await printed(["-t", "-n", "2"]), from(29, 30));
  assertEquals(await printed(["-r", "-n", "2"]), [30, 29]);
  assertEquals(await printed(["-r", "--head", "2"]), [2, 1]);
  assertEquals(await printed(["--tail"]), from(11, 30));
  assertEquals((await printed([], 450)).length, 450);
});

Deno.test("flow-run logs --level asks for that level and above, and refuses what is none", async () => {
  const args = ["flow-run", "logs", id, "--level"];
  const { requests } = await runCli([...args, "warning"], { answers: withLogs(0) });
  assertMatch(JSON.stringify(requests.at(-1)?.body), /"level":\{"ge_":30\}/);
  const refused = await runCli([...args, "loud"], { answers: withLogs(0) });
  assertEquals(refused.code, 2);
  assertMatch(refused.err, /--level is one of debug, info,/);
});

Deno.test("flow-run logs --follow prints new lines until the run has ended", async () => {
  let looks = 0;
  const types = ["RUNNING", "RUNNING", "FAILED"] as const;
  const answers: Answers = {
    [`GET ${RUN}`]: () => fake.flowRun(types[Math.max(0, Math.min(looks++ - 1, 2))]),
    "POST /logs/filter": (request) => pageOf(3 + looks, request),
  };
  const { code, out } = await runCli(["flow-run", "logs", id, "--follow", "--tail", "2"], { answers });
  assertEquals(code, 0);
  assertEquals(out.trimEnd().split("\n").map((line) => line.replace(/^.* line /, "")), [
    "3",
    "4",
    "5",
    "6",
    "7",
  ]);
  assertEquals((await runCli(["flow-run", "logs", id, "--follow", "--reverse"], { answers })).code, 2);
});

Deno.test("flow-run watch gives up after --watch-timeout, says so, and leaves the run alone", async () => {
  const args = ["flow-run", "watch", id, "--watch-timeout", "3", "--watch-interval", "1"];
  const { code, err, requests } = await runCli(args, { answers: withLogs(0, "RUNNING") });
  assertEquals(code, 1);
  assertMatch(err, /^Gave up watching after 3 s; the run goes on\. To cancel it:\n/);
  assertEquals(requests.filter(({ path }) => path === RUN).length, 4); // one by whom it is found
});

Deno.test("flow-run retry schedules an ended run of a deployment again, and says why it cannot", async () => {
  const answers = (...of: Parameters<typeof fake.flowRun>): Answers => ({
    [`GET ${RUN}`]: () => fake.flowRun(...of),
    [`POST ${RUN}/set_state`]: accepted,
  });
  const again = await runCli(["flow-run", "retry", id], { answers: answers("FAILED") });
  assertEquals(again.code, 0);
  assertMatch(JSON.stringify(again.requests.at(-1)?.body), /"type":"SCHEDULED","name":"AwaitingRetry"/);
  const running = await runCli(["flow-run", "retry", id], { answers: answers("RUNNING") });
  assertMatch(running.err, /has not ended yet: it is Running/);
  const loose = await runCli(["flow-run", "retry", id], {
    answers: answers("FAILED", { deployment_id: null }),
  });
  assertMatch(loose.err, /belongs to no deployment/);
});

Deno.test("flow-run delete asks first", async () => {
  const answers: Answers = { [`GET ${RUN}`]: () => fake.flowRun("COMPLETED"), [`DELETE ${RUN}`]: done };
  let question = "";
  const confirm = (text: string) => {
    question = text;
    return true;
  };
  const { out } = await runCli(["flow-run", "delete", id], { answers, confirm });
  assertEquals([question, out], [
    "Delete flow run 'brisk-otter' (Completed) and its logs?",
    "Deleted flow run 'brisk-otter'.\n",
  ]);
});

Deno.test("flow-run explain tells what holds the run up, and who", async () => {
  const answers: Answers = {
    [`GET ${RUN}`]: () => fake.flowRun(),
    [`GET ${RUN}/explain`]: () => ({
      flow_run_id: id,
      state_type: "SCHEDULED",
      state_name: "Late",
      startable: false,
      reasons: [{
        kind: "queue_full",
        message: "The queue is full.",
        due: null,
        ahead: null,
        limit: 1,
        held: 1,
        holders: [{
          flow_run_id: id,
          name: "calm-yak",
          state_type: "RUNNING",
          state_name: "Running",
          since: "2026-11-23T11:58:00Z",
          agent: "a",
          host: "h",
        }],
      }],
    }),
  };
  const { out } = await runCli(["flow-run", "explain", id], { answers });
  assertEquals(out.trimEnd().split("\n"), [
    "Flow run 'brisk-otter' is Late.",
    "  - The queue is full.",
    "      'calm-yak' (Running) since 2 minutes ago by agent 'a' on h",
  ]);
});

Deno.test("flow-run ls filters by flow, pool, queue and time, and refuses a pool that is not there", async () => {
  const answers: Answers = {
    "GET /flows/name/etl": () => fake.flow(),
    "GET /work_pools/my-pool": () => fake.pool(),
    "POST /work_pools/filter": () => [fake.pool()],
    "POST /flow_runs/filter": () => [],
    "POST /deployments/filter": () => [],
    "POST /flows/filter": () => [],
  };
  const filters = ["--flow-name", "etl", "--pool", "my-pool", "-q", "high", "--since", "2 hours ago"];
  const { out, requests } = await runCli(["flow-run", "ls", ...filters], { answers });
  assertEquals(out, "There are no such flow runs.\n");
  assertEquals(requests.find(({ path }) => path === "/flow_runs/filter")?.body, {
    flow_runs: { expected_start_time: { after_: "2026-11-23T10:00:00Z" } },
    flows: { id: { any_: [fake.flow().id] } },
    work_pools: { name: { any_: ["my-pool"] } },
    work_pool_queues: { name: { any_: ["high"] } },
    limit: 15,
    offset: 0,
  });
  const missing = await runCli(["flow-run", "ls", "--pool", "my-pol"], { answers });
  assertEquals([missing.code, missing.err], [1, "There is no work pool 'my-pol'. Nearest: 'my-pool'.\n"]);
});

Deno.test("flow-run ls --watch shows the list until Ctrl-C, on a terminal in one place", async () => {
  const answers: Answers = {
    "POST /flow_runs/filter": () => [fake.flowRun()],
    "POST /deployments/filter": () => [],
    "POST /flows/filter": () => [],
  };
  const watch = async (world: FakeWorld) => {
    const stop = new AbortController();
    let looks = 0;
    const counted: Answers = {
      ...answers,
      "POST /flow_runs/filter": (request) => {
        if (++looks === 3) stop.abort();
        return answers["POST /flow_runs/filter"]?.(request);
      },
    };
    return await runCli(["flow-run", "ls", "--watch"], { answers: counted, stop, ...world });
  };
  const plain = await watch({});
  assertEquals(plain.out.match(/Flow runs/g)?.length, 1);
  assertEquals([plain.code, plain.err], [0, "Stopped watching; the runs go on.\n"]);
  assertEquals((await watch({ columns: 100 })).out.split("\x1b[H\x1b[2J").length, 4);
});

Deno.test("flow ls, inspect and delete", async () => {
  const flow = fake.flow();
  const answers: Answers = {
    "POST /flows/filter": () => [flow],
    "GET /flows/name/etl": () => flow,
    [`GET /flows/${flow.id}`]: () => flow,
    "POST /deployments/filter": () => [fake.deployment()],
    [`DELETE /flows/${flow.id}`]: done,
  };
  const listed = await runCli(["flow", "ls", "-l", "3"], { answers });
  assertEquals(listed.requests[0]?.body, { sort: "CREATED_DESC", limit: 3, offset: 0 });
  assertStringIncludes((await runCli(["flow", "inspect", flow.id], { answers })).out, '"etl/nightly"');
  const nobody = await runCli(["flow", "delete", "etl"], { answers });
  assertMatch(nobody.err, /^Add --yes to delete flow 'etl', its deployment and its runs: nobody/);
  assertEquals((await runCli(["flow", "delete", "etl", "-y"], { answers })).out, "Deleted flow 'etl'.\n");
  assertMatch((await runCli(["flow", "inspect", "elt"], { answers })).err, /no flow 'elt'\. Nearest: 'etl'/);
});
