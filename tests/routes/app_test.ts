import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { StartedApp } from "./started_app.ts";

const NOBODY = "01a20d10-0000-7000-8000-000000000000";

async function deployed(app: StartedApp, job: Record<string, unknown> = {}) {
  await app.api.workPools.create({ name: "p", type: "process" });
  const flow = await app.api.flows.create({ name: "f" });
  return await app.api.deployments.create({
    name: "d",
    flow_id: flow.id,
    work_pool_name: "p",
    job_variables: job,
  });
}

const detailOf = (body: unknown): unknown => (body as { detail?: unknown }).detail;

Deno.test("an agent or a session that is not known is told to register again", async () => {
  await using app = await StartedApp.start();
  await app.api.workPools.create({ name: "p" });
  const beat = await app.request("POST", `/agents/${NOBODY}/heartbeat`, { sessions: [] });
  assertEquals([beat.status, detailOf(beat.body)], [404, `Agent ${NOBODY} not found. Register again.`]);
  const claim = await app.request("POST", "/work_pools/p/claim", { session: NOBODY, claim_id: "1" });
  assertEquals(claim.status, 409);
  assertStringIncludes(claim.text, "Register the agent again");
});

Deno.test("opaque JSON comes back to the letter", async () => {
  await using app = await StartedApp.start();
  const deployment = await deployed(app);
  const opaque = '{"n":5.0,"big":12345678901234567890,"e":1e-7,"z":"ä\\u0000","nested":[1.50,{"a":0.10}]}';
  const made = await app.request(
    "POST",
    `/deployments/${deployment.id}/create_flow_run`,
    `{"parameters":${opaque},"job_variables":${opaque},"context":${opaque}}`,
  );
  assertEquals(made.status, 201);
  const id = (made.body as { id: string }).id;
  const { text } = await app.request("GET", `/flow_runs/${id}`);
  for (const field of ["parameters", "job_variables", "context"]) {
    assertStringIncludes(text, `"${field}":{"n":5.0,"big":12345678901234567890,"e":1e-7,`);
  }
  const state = await app.request(
    "POST",
    `/flow_runs/${id}/set_state`,
    `{"state":{"type":"RUNNING","data":${opaque}}}`,
  );
  assertStringIncludes(state.text, '"data":{"n":5.0,"big":12345678901234567890');
  assertStringIncludes(
    (await app.request("GET", `/flow_runs/${id}`)).text,
    '"data":{"n":5.0,"big":12345678901234567890',
  );
});

Deno.test("input is read laxly", async () => {
  await using app = await StartedApp.start();
  const made = await app.request(
    "POST",
    "/work_pools/",
    '{"name":"p","concurrency_limit":"5","is_paused":"yes","type":"process"}',
  );
  const pool = made.body as { concurrency_limit: number; is_paused: boolean };
  assertEquals([made.status, pool.concurrency_limit, pool.is_paused], [201, 5, true]);
  for (const body of ['{"limit":null,"offset":null,"unknown":1}', '{"limit":"5","offset":0.0}', "", "{}"]) {
    assertEquals((await app.request("POST", "/flow_runs/filter", body)).status, 200, body);
  }
  for (const time of ['"2026-11-23 21:45:14.546351+00:00"', "1795478292.73071", '"2026-11-23T21:45:14Z"']) {
    const polled = await app.request(
      "POST",
      "/work_pools/p/get_scheduled_flow_runs",
      `{"scheduled_before":${time}}`,
    );
    assertEquals([polled.status, polled.body], [200, []], time);
  }
  assertEquals(
    (await app.request("POST", "/flow_runs/filter", { flow_runs: { id: { any_: [] } } })).body,
    [],
  );
  const refused = await app.request("POST", "/flow_runs/filter", { flow_runs: { nonsense: 1 } });
  assertEquals(refused.status, 422);
  assertStringIncludes(refused.text, "extra_forbidden");
});

Deno.test("a body is read as JSON whatever its Content-Type says", async () => {
  await using app = await StartedApp.start();
  const types = ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-8"];
  for (const [i, type] of types.entries()) {
    const made = await app.request("POST", "/flows/", { name: `f${i}` }, { "content-type": type });
    assertEquals(made.status, 201, type);
  }
  assertEquals((await app.request("POST", "/flows/", { name: "without" })).status, 201);
});

Deno.test("what is wrong with a body is said once for each field, in the reference's words", async () => {
  await using app = await StartedApp.start();
  await app.api.workPools.create({ name: "p" });
  const poll = "/work_pools/p/get_scheduled_flow_runs";
  const cases: [path: string, body: string, details: [type: string, place: string, msg: string][]][] = [
    ["/flows/", "5.0", [["dict_type", "", "Input should be a valid dictionary"]]],
    ["/flows/", "[]", [["dict_type", "", "Input should be a valid dictionary"]]],
    ["/flows/filter", '{"flows":5.0}', [["dict_type", "flows", "Input should be a valid dictionary"]]],
    ["/flows/filter", '{"offset":1e300}', [
      ["less_than_equal", "offset", "Input should be less than or equal to 9007199254740991"],
    ]],
    ["/flows/filter", '{"flows":{"id":{"any_":["x"]}}}', [
      ["uuid_parsing", "flows.id.any_.0", "Input should be a valid UUID"],
    ]],
    [poll, '{"scheduled_before":true}', [
      ["datetime_type", "scheduled_before", "Input should be a valid datetime"],
    ]],
    [poll, '{"scheduled_before":"soon"}', [
      ["datetime_from_date_parsing", "scheduled_before", "Input should be a valid datetime or date"],
    ]],
    ["/logs/", '[{"name":"n","level":"x"}]', [
      ["int_parsing", "0.level", "Input should be a valid integer, unable to parse string as an integer"],
      ["missing", "0.message", "Field required"],
      ["missing", "0.timestamp", "Field required"],
    ]],
    [`/flow_runs/${NOBODY}/set_state`, '{"state":{}}', [["missing", "state.type", "Field required"]]],
    ["/work_pools/", '{"name":"q","is_paused":"perhaps","zzz":1}', [
      ["bool_parsing", "is_paused", "Input should be a valid boolean, unable to interpret input"],
      ["extra_forbidden", "zzz", "Extra inputs are not permitted"],
    ]],
  ];
  for (const [path, body, details] of cases) {
    const { status, text } = await app.request("POST", path, body);
    assertEquals(status, 422, text);
    const found: { type: string; loc: unknown[]; msg: string }[] = JSON.parse(text).exception_detail;
    assertEquals(found.map(({ type, loc, msg }) => [type, loc.slice(1).join("."), msg]), details, text);
  }
});

Deno.test("limits of 0 and none are shown as 0 and null", async () => {
  await using app = await StartedApp.start();
  await app.api.workPools.create({ name: "p", concurrency_limit: 0 });
  await app.api.workQueues.create("p", { name: "q", concurrency_limit: 0 });
  assertEquals((await app.api.workPools.get("p")).concurrency_limit, 0);
  assertEquals((await app.api.workQueues.get("p", "q")).concurrency_limit, 0);
  await app.api.workPools.update("p", { concurrency_limit: null });
  await app.api.workQueues.update("p", "q", { concurrency_limit: null });
  assertEquals((await app.api.workPools.get("p")).concurrency_limit, null);
  assertEquals((await app.api.workQueues.get("p", "q")).concurrency_limit, null);
});

Deno.test("limits hold whoever proposes a state and however, and open when they are raised", async () => {
  await using app = await StartedApp.start();
  const { api } = app;
  const deployment = await deployed(app);
  await api.workPools.update("p", { concurrency_limit: 2 });
  await api.workQueues.create("p", { name: "q", concurrency_limit: 1 });
  const inQueue = { work_queue_name: "q", name: "first" };
  const first = await api.deployments.run(deployment.id, inQueue);
  const second = await api.deployments.run(deployment.id, inQueue);
  const others = [await api.deployments.run(deployment.id), await api.deployments.run(deployment.id)];
  const propose = async (id: string, type: string, force = false) => {
    const { body } = await app.request("POST", `/flow_runs/${id}/set_state`, { state: { type }, force });
    const { status, details } = body as { status: string; details: { reason?: string } };
    return details.reason === undefined ? status : `${status}: ${details.reason}`;
  };
  const refused = async (id: string, words: RegExp) => {
    for (const type of ["PENDING", "RUNNING"]) {
      for (const force of [false, true]) assertMatch(await propose(id, type, force), words);
    }
    assertEquals((await api.flowRuns.get(id)).state_type, "SCHEDULED");
  };
  assertEquals(await propose(first.id, "PENDING"), "ACCEPT");
  await refused(second.id, /^ABORT: .*queue.*q.*1.*Held by first\./);
  assertEquals(await propose(others[0]!.id, "RUNNING", true), "ACCEPT");
  await refused(others[1]!.id, /^ABORT: .*pool.*p.*2/);
  const slots = async () => [
    (await api.workPools.get("p")).active_slots,
    (await api.workQueues.get("p", "q")).active_slots,
  ];
  assertEquals(await slots(), [2, 1]);
  await api.workPools.update("p", { concurrency_limit: null });
  assertEquals(await propose(others[1]!.id, "PENDING"), "ACCEPT");
  assertEquals(await propose(first.id, "COMPLETED"), "ACCEPT");
  assertEquals(await propose(second.id, "RUNNING", true), "ACCEPT");
  assertEquals(await slots(), [3, 1]);
});

Deno.test("the claim token works in the header and in the URL; another one is 409", async () => {
  await using app = await StartedApp.start();
  const deployment = await deployed(app);
  for (let i = 0; i < 2; i++) await app.api.deployments.run(deployment.id);
  const { id, sessions } = await app.api.agents.create({ name: "a", host: "h", version: "1", pools: ["p"] });
  const session = sessions[0]!.id;
  const { grants, deployments } = await app.api.workPools.claim("p", { session, claim_id: "1", n: 2 });
  assertEquals([grants.length, Object.keys(deployments)], [2, [deployment.id]]);
  const [first, second] = grants;
  const running = { state: { type: "RUNNING" } };
  const path = (run: { flow_run: { id: string } }) => `/flow_runs/${run.flow_run.id}/set_state`;
  assertEquals(
    (await app.request("POST", path(first!), running, { "sluice-claim-token": first!.token })).status,
    201,
  );
  assertEquals((await app.request("POST", `/t/${second!.token}/api${path(second!)}`, running)).status, 201);
  assertEquals((await app.request("POST", `/t/${first!.token}/api${path(second!)}`, running)).status, 409);
  assertEquals((await app.request("POST", path(first!), running, { "sluice-claim-token": "x" })).status, 409);
  const aborted = await app.request("POST", path(first!), { state: { type: "COMPLETED" } });
  assertEquals([aborted.status, (aborted.body as { status: string }).status], [200, "ABORT"]);
  const beat = await app.api.agents.heartbeat(id, {
    sessions: [session],
    runs: [{ id: first!.flow_run.id, token: first!.token }],
  });
  assertEquals(beat.runs.map(({ action, listed }) => [action, listed]), [["keep", true], ["keep", false]]);
});

Deno.test("a cancel wakes the heartbeat that waits", async () => {
  await using app = await StartedApp.start();
  const deployment = await deployed(app);
  const run = await app.api.deployments.run(deployment.id);
  const { id, sessions } = await app.api.agents.create({ name: "a", host: "h", version: "1", pools: ["p"] });
  const { grants } = await app.api.workPools.claim("p", { session: sessions[0]!.id, claim_id: "1" });
  const beat = app.api.agents.heartbeat(id, {
    sessions: [sessions[0]!.id],
    runs: [{ id: run.id, token: grants[0]!.token }],
    wait: 20,
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  const started = performance.now();
  await app.api.flowRuns.setState(run.id, { state: { type: "CANCELLING" } });
  assertEquals((await beat).runs.map(({ action }) => action), ["cancel"]);
  assert(performance.now() - started < 1_000);
});

Deno.test("idempotency keys: 201 first, 200 with the same run afterwards", async () => {
  await using app = await StartedApp.start();
  const deployment = await deployed(app);
  const create = () =>
    app.request("POST", `/deployments/${deployment.id}/create_flow_run`, { idempotency_key: "k" });
  const [first, second] = [await create(), await create()];
  assertEquals([first.status, second.status], [201, 200]);
  assertEquals((second.body as { id: string }).id, (first.body as { id: string }).id);
});

Deno.test("a placeholder in a shell script is refused with the way to write it", async () => {
  await using app = await StartedApp.start();
  const flow = await app.api.flows.create({ name: "f" });
  const body = { name: "d", flow_id: flow.id, job_variables: { command: "sh -c 'echo {{ day }}'" } };
  const refused = await app.request("POST", "/deployments/", body);
  assertEquals(refused.status, 422);
  assertStringIncludes(refused.text, "$SLUICE_PARAM_day");
});

Deno.test("bodies above the limit are 413, parameters above theirs 422, and nothing is stored", async () => {
  await using app = await StartedApp.start({ maxBodyBytes: 2_000_000 });
  const deployment = await deployed(app);
  const path = `/deployments/${deployment.id}/create_flow_run`;
  assertEquals((await app.request("POST", path, { parameters: { x: "x".repeat(2_000_000) } })).status, 413);
  assertEquals((await app.request("POST", path, { parameters: { x: "x".repeat(600_000) } })).status, 422);
  assertEquals((await app.request("POST", path, { parameters: { x: "x".repeat(500_000) } })).status, 201);
  assertEquals((await app.request("POST", "/flow_runs/count", {})).body, 1);
});

Deno.test("clients that speak too old a version are told so", async () => {
  await using app = await StartedApp.start();
  const ask = async (version: string, path = "/hello") => {
    const { status, body } = await app.request("GET", path, undefined, { "x-prefect-api-version": version });
    return [status, status === 200 ? undefined : detailOf(body)];
  };
  const tooOld = (version: string) => [
    400,
    `The request specified API version ${version} but this server requires version 0.8.0 or higher.`,
  ];
  const noVersion = (text: string) => [
    400,
    `Invalid X-PREFECT-API-VERSION header format.Expected header in format 'x.y.z' but received ${text}`,
  ];
  for (const version of ["0.8.0", "0.8.4", "0.10.0", "1.0.0"]) {
    assertEquals(await ask(version), [200, undefined]);
  }
  for (const version of ["0.7.0", "0.7.99", "0.0.1"]) assertEquals(await ask(version), tooOld(version));
  for (const version of ["abc", "0.8", "0.8.4.1", "v0.8.4"]) {
    assertEquals(await ask(version), noVersion(version));
  }
  for (const path of ["/health", "/ready", "/version"]) {
    assertEquals(await ask("0.7.0", path), [200, undefined]);
  }
});

Deno.test("a request to a foreign host name is refused", async () => {
  await using app = await StartedApp.start({ allowedHosts: ["sluice.example"] });
  const ask = async (host: string) => (await app.request("GET", "/health", undefined, { host })).status;
  assertEquals(await ask("evil.example"), 421);
  for (const host of ["localhost:4200", "127.0.0.1", "[::1]:4200", "sluice.example:80"]) {
    assertEquals(await ask(host), 200, host);
  }
});

Deno.test("a pool or queue with runs is not deleted, and works on as before", async () => {
  await using app = await StartedApp.start();
  const deployment = await deployed(app);
  await app.api.workQueues.create("p", { name: "q" });
  const run = await app.api.deployments.run(deployment.id, { work_queue_name: "q" });
  for (const path of ["/work_pools/p", "/work_pools/p/queues/q"]) {
    const refused = await app.request("DELETE", path);
    assertEquals([refused.status, /1 runs wait here/.test(refused.text)], [409, true], path);
  }
  assertEquals((await app.api.workQueues.get("p", "q")).is_paused, false);
  await app.api.flowRuns.setState(run.id, { state: { type: "CANCELLING" } });
  assertEquals((await app.request("DELETE", "/work_pools/p/queues/q")).status, 204);
  const pointed = await app.request("DELETE", "/work_pools/p");
  assertEquals([pointed.status, /1 deployments point here/.test(pointed.text)], [409, true]);
  assertEquals((await app.request("DELETE", "/work_pools/p?cascade=cancel")).status, 204);
  assertEquals((await app.api.deployments.get(deployment.id)).work_pool_name, null);
});

Deno.test("a run that is deleted takes its logs with it", async () => {
  await using app = await StartedApp.start();
  const deployment = await deployed(app);
  const run = await app.api.deployments.run(deployment.id);
  const line = {
    name: "n",
    level: 20,
    message: "m",
    timestamp: new Date().toISOString(),
    flow_run_id: run.id,
  };
  await app.api.logs.create([line, { ...line, level: 40 }]);
  const ofRun = { flow_run_id: { any_: [run.id] } };
  assertEquals((await app.api.logs.list({ logs: ofRun })).length, 2);
  assertEquals((await app.api.logs.list({ logs: { ...ofRun, level: { ge_: 30 } } })).length, 1);
  await app.api.flowRuns.delete(run.id);
  assertEquals(await app.api.logs.list({ logs: ofRun }), []);
});
