import { assert, assertEquals, assertStringIncludes } from "@std/assert";
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

Deno.test("every path is served in both slash forms, and other methods are 405", async () => {
  await using app = await StartedApp.start();
  for (const path of ["/work_pools", "/flows", "/work_queues", "/deployments", "/flow_runs", "/logs"]) {
    for (const form of [`${path}/filter`, `${path}/filter/`]) {
      assertEquals((await app.request("POST", form)).status, 200, form);
      assertEquals((await app.request("PUT", form)).body, { detail: "Method Not Allowed" }, form);
    }
  }
  for (const path of ["/health", "/health/"]) assertEquals((await app.request("GET", path)).body, true);
  assertEquals((await app.request("GET", "/nope")).body, { detail: "Not Found" });
});

Deno.test("what is not there is 404, also when the id is no UUID", async () => {
  await using app = await StartedApp.start();
  const cases: [method: string, path: string][] = [
    ["GET", `/flows/${NOBODY}`],
    ["GET", "/flows/nonsense"],
    ["GET", "/flows/name/x"],
    ["GET", "/work_pools/x"],
    ["PATCH", "/work_pools/x"],
    ["DELETE", "/work_pools/x"],
    ["POST", "/work_pools/x/get_scheduled_flow_runs"],
    ["POST", "/work_pools/x/queues/filter"],
    ["GET", "/work_pools/x/queues/y"],
    ["GET", `/work_queues/${NOBODY}`],
    ["GET", "/work_queues/name/x"],
    ["POST", `/work_queues/${NOBODY}/get_runs`],
    ["GET", `/deployments/${NOBODY}`],
    ["GET", "/deployments/name/f/d"],
    ["PATCH", `/deployments/${NOBODY}`],
    ["DELETE", `/deployments/${NOBODY}`],
    ["POST", `/deployments/${NOBODY}/create_flow_run`],
    ["GET", `/flow_runs/${NOBODY}`],
    ["PATCH", `/flow_runs/${NOBODY}`],
    ["DELETE", `/flow_runs/${NOBODY}`],
  ];
  for (const [method, path] of cases) {
    assertEquals(
      (await app.request(method, path, method === "GET" ? undefined : {})).status,
      404,
      `${method} ${path}`,
    );
  }
  const beat = await app.request("POST", `/agents/${NOBODY}/heartbeat`, { sessions: [] });
  assertEquals([beat.status, detailOf(beat.body)], [404, `Agent ${NOBODY} not found. Register again.`]);
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
  const ask = (version: string) =>
    app.request("GET", "/hello", undefined, { "x-prefect-api-version": version });
  assertEquals((await ask("0.8.4")).status, 200);
  assertEquals(
    detailOf((await ask("0.7.0")).body),
    "The request specified API version 0.7.0 but this server requires version 0.8.0 or higher.",
  );
  assertStringIncludes(
    String(detailOf((await ask("abc")).body)),
    "Expected header in format 'x.y.z' but received abc",
  );
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
    assertEquals([refused.status, /Runs wait here \(1\)/.test(refused.text)], [409, true], path);
  }
  assertEquals((await app.api.workQueues.get("p", "q")).is_paused, false);
  await app.api.flowRuns.setState(run.id, { state: { type: "CANCELLING" } });
  assertEquals((await app.request("DELETE", "/work_pools/p/queues/q")).status, 204);
  assertEquals((await app.request("DELETE", "/work_pools/p")).status, 204);
  const gone = await app.request("POST", `/deployments/${deployment.id}/create_flow_run`);
  assertEquals([gone.status, /was deleted/.test(gone.text)], [409, true]);
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
