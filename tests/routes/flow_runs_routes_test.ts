/** The wire of single runs: states, resume, inputs, labels, sizes, bulk. */
import { assert, assertEquals } from "@std/assert";
import { systemClock } from "../../src/runtime/clock.ts";
import { StartedApp } from "./started_app.ts";

const NOBODY = "01a20d10-0000-7000-8000-000000000000";

interface Json {
  [key: string]: unknown;
}

/** Time stands still, so that answers can be compared whole. */
const clock = { ...systemClock, now: () => 1_795_435_200_123_456 };

/** A server with a flow, a deployment in a pool, and short ways to ask. */
async function start() {
  const app = await StartedApp.start({ clock });
  await app.api.workPools.create({ name: "p", type: "process" });
  const flow = (await app.api.flows.create({ name: "f" })).id;
  const deployment = (await app.api.deployments.create({ name: "d", flow_id: flow, work_pool_name: "p" })).id;
  const post = async (path: string, body?: unknown) => {
    const { status, body: answer } = await app.request("POST", path, body);
    return { status, body: answer as Json };
  };
  return {
    app,
    flow,
    post,
    /** A run without pool, with these fields. */
    run: async (fields: Json = {}) =>
      (await post("/flow_runs/", { flow_id: flow, ...fields })).body["id"] as string,
    /** A run of the deployment. */
    deployed: async () => (await post(`/deployments/${deployment}/create_flow_run`, {})).body["id"] as string,
    setState: (run: string, type: string, details: Json = {}, more: Json = {}) =>
      post(`/flow_runs/${run}/set_state`, { state: { type, state_details: details, ...more }, force: false }),
    get: async (run: string) => (await app.request("GET", `/flow_runs/${run}`)).body as Json,
    [Symbol.asyncDispose]: () => app[Symbol.asyncDispose](),
  };
}

Deno.test("POST …/resume answers as the reference: 200 and no state when nothing is paused, 201 when it runs on", async () => {
  await using server = await start();
  const run = await server.run();
  assertEquals(await server.post(`/flow_runs/${run}/resume`, {}), {
    status: 200,
    body: {
      state: null,
      status: "ABORT",
      details: { type: "abort_details", reason: "Cannot resume a flow run that is not paused." },
    },
  });
  assertEquals((await server.post(`/flow_runs/${NOBODY}/resume`)).status, 404);
  await server.setState(run, "RUNNING");
  await server.setState(run, "PAUSED", { pause_timeout: 4_000_000_000.5, pause_key: "a" });
  const { status, body } = await server.post(`/flow_runs/${run}/resume`, { run_input: null });
  assertEquals([status, body["status"], body["details"]], [201, "ACCEPT", { type: "accept_details" }]);
  const state = body["state"] as Json;
  const details = state["state_details"] as Json;
  assertEquals([state["type"], state["name"], state["message"]], ["RUNNING", "Running", null]);
  assertEquals([details["pause_timeout"], details["pause_key"], details["flow_run_id"]], [null, null, run]);
});

Deno.test("POST …/resume refuses input that does not fit: REJECT, with the details of an abort", async () => {
  await using server = await start();
  const run = await server.run();
  const schema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };
  await server.post(`/flow_runs/${run}/input`, { key: "q-schema", value: JSON.stringify(schema) });
  await server.setState(run, "RUNNING");
  await server.setState(run, "PAUSED", { run_input_keyset: { schema: "q-schema", response: "q-response" } });
  const refused = await server.post(`/flow_runs/${run}/resume`, { run_input: { n: "x" } });
  assertEquals([refused.status, refused.body["status"]], [200, "REJECT"]);
  assertEquals((refused.body["state"] as Json)["type"], "PAUSED");
  assertEquals(refused.body["details"], {
    type: "abort_details",
    reason: 'Reason: n: Instance type "string" is invalid. Expected "integer".',
  });
  assertEquals((await server.post(`/flow_runs/${run}/resume`, { run_input: { n: 5.0 } })).status, 201);
  assertEquals((await server.app.request("GET", `/flow_runs/${run}/input/q-response`)).text, '{"n":5}');
});

Deno.test("POST …/resume of a suspended run schedules it, whatever claim token the caller has", async () => {
  await using server = await start();
  const run = await server.deployed();
  await server.setState(run, "RUNNING");
  await server.setState(run, "PAUSED", { pause_reschedule: true });
  const { status, body } = await server.app.request("POST", `/t/another/api/flow_runs/${run}/resume`, {});
  assertEquals(status, 201);
  const state = (body as Json)["state"] as Json;
  assertEquals([state["type"], state["name"]], ["SCHEDULED", "Resuming"]);
  assert((await server.get(run))["next_scheduled_start_time"]);
});

Deno.test("Inputs of runs: 201 null, 409, 404; the value is plain text", async () => {
  await using server = await start();
  const { app, post } = server;
  const run = await server.run();
  const path = `/flow_runs/${run}/input`;
  const input = { key: "a-1", value: '{"x": 5.0}', sender: "me", unknown: "is ignored" };
  assertEquals(await post(path, input), { status: 201, body: null as unknown as Json });
  assertEquals((await post(path, input)).status, 409);
  assertEquals((await post(`/flow_runs/${NOBODY}/input`, input)).status, 404);
  assertEquals((await post(path, { key: "a" })).status, 422);
  const got = await app.request("GET", `${path}/a-1`);
  assertEquals([got.status, got.text, got.headers.get("content-type")], [
    200,
    '{"x": 5.0}',
    "text/plain; charset=utf-8",
  ]);
  const { body: found } = await post(`${path}/filter`, { prefix: "a" });
  const [one] = found as unknown as Json[];
  assertEquals(Object.keys(one!).sort(), [
    "created",
    "flow_run_id",
    "id",
    "key",
    "sender",
    "updated",
    "value",
  ]);
  assertEquals([one!["flow_run_id"], one!["key"], one!["value"], one!["sender"]], [
    run,
    "a-1",
    '{"x": 5.0}',
    "me",
  ]);
  assertEquals((await post(`${path}/filter`, {})).status, 422);
  assertEquals((await app.request("DELETE", `${path}/a-1`)).status, 204);
  for (const method of ["GET", "DELETE"]) {
    const { status, body } = await app.request(method, `${path}/a-1`);
    assertEquals([status, body], [404, { detail: "Flow run input not found" }]);
  }
});

Deno.test("PATCH …/labels merges; values are text, numbers and truth alone", async () => {
  await using server = await start();
  const run = await server.run({ labels: { a: "1", b: 2 } });
  const patch = (body: unknown) => server.app.request("PATCH", `/flow_runs/${run}/labels`, body);
  assertEquals((await patch('{"b": 2.50, "c": true}')).status, 204);
  const labels = (await server.get(run))["labels"] as Json;
  assertEquals([labels["a"], labels["b"], labels["c"], labels["prefect.flow.id"]], [
    "1",
    2.5,
    true,
    server.flow,
  ]);
  for (const value of [null, [1], { a: 1 }]) {
    const { status, body } = await patch({ x: value });
    const [detail] = (body as Json)["exception_detail"] as Json[];
    assertEquals([status, detail?.["loc"]], [422, ["body", "x"]]);
  }
  assertEquals((await server.app.request("PATCH", `/flow_runs/${NOBODY}/labels`, { a: "b" })).status, 404);
});

Deno.test("PATCH of a run writes only the keys that are present; job variables can be taken away", async () => {
  await using server = await start();
  const run = await server.run({
    name: "n",
    tags: ["b", "a", "b"],
    parameters: { a: 1 },
    job_variables: { a: 1 },
    empirical_policy: { retries: 2, retry_delay: 3 },
    flow_version: "1",
  });
  const before = await server.get(run);
  assertEquals(before["tags"], ["b", "a"]);
  const patch = (body: unknown) => server.app.request("PATCH", `/flow_runs/${run}`, body);
  assertEquals((await patch({ infrastructure_pid: "host:1", job_variables: null })).status, 204);
  assertEquals(await server.get(run), { ...before, infrastructure_pid: "host:1", job_variables: null });
  await patch({ empirical_policy: { max_retries: 4, retry_delay_seconds: 5 } });
  const policy = (await server.get(run))["empirical_policy"] as Json;
  assertEquals([policy["retries"], policy["retry_delay"], policy["max_retries"]], [4, 5, 4]);
  assertEquals((await patch({ nonsense: 1 })).status, 422);
  assertEquals((await server.app.request("PATCH", `/flow_runs/${NOBODY}`, { name: "x" })).body, {
    detail: "Flow run not found",
  });
});

Deno.test("What is larger than 512 KiB is refused with its place, and changes nothing", async () => {
  await using server = await start();
  const run = await server.run();
  await server.setState(run, "RUNNING");
  const large = { x: "y".repeat(524_288) };
  const cases: [method: string, path: string, body: Json, loc: string[]][] = [
    ["POST", "/flow_runs/", { flow_id: server.flow, parameters: large }, ["parameters"]],
    ["POST", "/flow_runs/", { flow_id: server.flow, context: large }, ["context"]],
    ["POST", "/flow_runs/", { flow_id: server.flow, job_variables: large }, ["job_variables"]],
    ["POST", "/flow_runs/", { flow_id: server.flow, state: { type: "PENDING", data: large } }, [
      "state",
      "data",
    ]],
    ["PATCH", `/flow_runs/${run}`, { name: "changed", parameters: large }, ["parameters"]],
    ["PATCH", `/flow_runs/${run}`, { name: "changed", job_variables: large }, ["job_variables"]],
    ["POST", `/flow_runs/${run}/set_state`, { state: { type: "COMPLETED", data: large } }, ["state", "data"]],
    ["POST", `/flow_runs/${run}/resume`, { run_input: large }, ["run_input"]],
  ];
  const before = await server.get(run);
  for (const [method, path, body, loc] of cases) {
    const { status, body: answer } = await server.app.request(method, path, body);
    const [detail] = (answer as Json)["exception_detail"] as Json[];
    assertEquals([status, detail?.["loc"]], [422, ["body", ...loc]], `${method} ${path}`);
  }
  assertEquals(await server.get(run), before);
});

Deno.test("GET /flow_run_states answers histories and single states, with and without a slash", async () => {
  await using server = await start();
  const run = await server.run();
  await server.setState(run, "RUNNING");
  await server.setState(run, "COMPLETED", {}, { data: { type: "x" }, message: "done" });
  for (const path of ["/flow_run_states/", "/flow_run_states"]) {
    const { status, body } = await server.app.request("GET", `${path}?flow_run_id=${run.toUpperCase()}`);
    const states = body as Json[];
    assertEquals([status, states.map(({ type }) => type)], [200, ["PENDING", "RUNNING", "COMPLETED"]]);
    for (const state of states) {
      assertEquals((await server.app.request("GET", `/flow_run_states/${state["id"]}`)).body, state);
    }
    assertEquals(states.at(-1), (await server.get(run))["state"] as Json);
  }
  assertEquals((await server.app.request("GET", `/flow_run_states/?flow_run_id=${NOBODY}`)).body, []);
  const { status, body } = await server.app.request("GET", "/flow_run_states/");
  assertEquals([status, ((body as Json)["exception_detail"] as Json[])[0]?.["loc"]], [422, [
    "query",
    "flow_run_id",
  ]]);
  assertEquals((await server.app.request("GET", `/flow_run_states/${run}`)).body, {
    detail: "Flow run state not found",
  });
});

Deno.test("GET …/graph-v2 tells a run's times and states, and no nodes", async () => {
  await using server = await start();
  const run = await server.run();
  await server.setState(run, "RUNNING");
  const { body } = await server.app.request(
    "GET",
    `/flow_runs/${run}/graph-v2?since=0001-01-01T00:00:00%2B00:00`,
  );
  const graph = body as Json;
  const states = graph["states"] as Json[];
  assertEquals(graph["start_time"], states[1]?.["timestamp"]);
  assertEquals([graph["end_time"], graph["root_node_ids"], graph["nodes"], graph["artifacts"]], [
    null,
    [],
    [],
    [],
  ]);
  assertEquals(states.map(({ name }) => name), ["Pending", "Running"]);
  assertEquals(Object.keys(states[0]!).sort(), ["id", "name", "timestamp", "type"]);
  assertEquals((await server.app.request("GET", `/flow_runs/${run}/graph`)).body, []);
  assertEquals((await server.app.request("GET", `/flow_runs/${run}/graph-v2?since=never`)).status, 422);
});

Deno.test("Bulk changes take 1 to 50 runs, by filter", async () => {
  await using server = await start();
  const runs = [await server.run(), await server.run(), await server.run()];
  const filter = { id: { any_: runs.slice(0, 2) } };
  const changed = await server.post("/flow_runs/bulk_set_state", {
    flow_runs: filter,
    state: { type: "RUNNING" },
  });
  const results = changed.body["results"] as Json[];
  assertEquals([changed.status, results.length], [200, 2]);
  for (const result of results) {
    assertEquals(Object.keys(result).sort(), ["details", "flow_run_id", "state", "status"]);
    assertEquals([result["status"], (result["state"] as Json)["type"]], ["ACCEPT", "RUNNING"]);
    assertEquals(result["details"], { type: "accept_details" });
  }
  const deleted = await server.post("/flow_runs/bulk_delete", { flow_runs: filter, limit: 1 });
  assertEquals(deleted, { status: 200, body: { deleted: [runs.slice(0, 2).sort().at(-1)] } });
  assertEquals((await server.post("/flow_runs/bulk_delete")).body, {
    deleted: runs.filter((run) => run !== (deleted.body["deleted"] as string[])[0]).sort().reverse(),
  });
  for (const limit of [0, 51]) {
    const { status, body } = await server.post("/flow_runs/bulk_delete", { limit });
    assertEquals([status, (body["exception_detail"] as Json[])[0]?.["loc"]], [422, ["body", "limit"]]);
  }
  assertEquals((await server.post("/flow_runs/bulk_set_state", {})).status, 422);
});

Deno.test("Names are the given ones, or two words; a repeated key answers 200 with the run that is there", async () => {
  await using server = await start();
  const create = (fields: Json) => server.post("/flow_runs/", { flow_id: server.flow, ...fields });
  for (const name of ["", null]) {
    assert(/^[a-z]+-[a-z]+$/.test((await create({ name })).body["name"] as string));
  }
  const first = await create({ name: "given", idempotency_key: "k" });
  const again = await create({ name: "other", idempotency_key: "k" });
  assertEquals([first.status, again.status, again.body], [201, 200, first.body]);
});

Deno.test("POST …/set_state of a run that is not there names it", async () => {
  await using server = await start();
  assertEquals(await server.setState(NOBODY, "RUNNING"), {
    status: 404,
    body: { exception_message: `Flow run with id ${NOBODY} not found` },
  });
});
