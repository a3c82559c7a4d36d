/** Deployments and their runs as clients of the reference use them. */
import { assert, assertEquals } from "@std/assert";
import { detailOf, type Json, NOBODY, Site } from "./site.ts";

const SCHEMA = {
  title: "Parameters",
  type: "object",
  properties: { name: { type: "string", default: "w" }, n: { type: "integer" } },
  required: ["n"],
};
Deno.test("parameters have to fit the schema: of a deployment those that are given, of a run all", async () => {
  await using site = await Site.open();
  const definition = { parameter_openapi_schema: SCHEMA, parameters: { name: "z" } };
  const { id } = await site.deploy(definition);
  const create = `/deployments/${id}/create_flow_run`;
  const bad = await site.deploy({ ...definition, parameters: { n: "str" } }, 422) as Json;
  assertEquals((bad["exception_detail"] as Json[]).map(({ type, loc, msg }) => [type, loc, msg]), [[
    "value_error",
    ["body"],
    "Value error, Validation failed for field 'n'. Failure reason: 'str' is not of type 'integer'",
  ]]);
  const cases: [method: string, path: string, body: Json, detail: string][] = [
    [
      "POST",
      create,
      {},
      "Error creating flow run: Validation failed. Failure reason: 'n' is a required property",
    ],
    [
      "POST",
      create,
      { parameters: { n: "x" } },
      "Error creating flow run: Validation failed for field 'n'. Failure reason: 'x' is not of type 'integer'",
    ],
    [
      "PATCH",
      `/deployments/${id}`,
      { parameters: { n: "bad" } },
      "Error updating deployment: Validation failed for field 'n'. Failure reason: 'bad' is not of type 'integer'",
    ],
  ];
  for (const [method, path, body, detail] of cases) {
    assertEquals(await site.send(method, path, 409, body), { detail });
  }
  const run = await site.send("POST", create, 201, { parameters: { n: 3 }, tags: ["b", "a"] });
  assertEquals([run["parameters"], run["tags"]], [{ name: "z", n: 3 }, ["a", "b"]]);
  await site.send("POST", create, 201, { enforce_parameter_schema: false });
  await site.send("PATCH", `/deployments/${id}`, 204, { parameters: { n: 5 } });
  await site.send("POST", create, 201, {});
  await site.send("PATCH", `/deployments/${id}`, 204, {
    parameters: { n: "text" },
    parameter_openapi_schema: { properties: { n: { type: "string" } } },
  });
  await site.send("PATCH", `/deployments/${id}`, 204, {
    parameters: { n: [] },
    enforce_parameter_schema: false,
  });
  await site.send("POST", create, 201, {});
});

Deno.test("the schemas of 2.20 clients are enforced when they say so", async () => {
  await using site = await Site.open();
  const old = { "user-agent": "prefect/2.20.25 (API 0.8.4)" };
  const definition = { parameter_openapi_schema: SCHEMA, parameters: { n: "str" } };
  const made = await site.deploy(definition, 201, old);
  assertEquals(made["enforce_parameter_schema"], false);
  await site.deploy({ ...definition, name: "e", enforce_parameter_schema: true }, 422, old);
  const later = await site.deploy({ name: "f" }, 201, { "user-agent": "prefect/3.8.4 (API 0.8.4)" });
  assertEquals(later["enforce_parameter_schema"], true);
});

Deno.test("templated parameters are filled in; what cannot be made is refused", async () => {
  await using site = await Site.open();
  const json = { __prefect_kind: "json", value: '{"a":[1,2]}' };
  const { id, parameters } = await site.deploy({
    parameters: { x: json, y: { __prefect_kind: "none", value: 1 } },
  });
  assertEquals(parameters, { x: { a: [1, 2] }, y: 1 });
  const run = await site.send("POST", `/deployments/${id}/create_flow_run`, 201, { parameters: { z: json } });
  assertEquals(run["parameters"], { x: { a: [1, 2] }, y: 1, z: { a: [1, 2] } });
  await site.send("POST", "/variables/", 201, { name: "known", value: { b: 2 } });
  const known = { __prefect_kind: "workspace_variable", variable_name: "known" };
  const other = await site.send("POST", `/deployments/${id}/create_flow_run`, 201, {
    parameters: { y: known },
  });
  assertEquals((other["parameters"] as Json)["y"], { b: 2 });
  for (
    const value of [
      { __prefect_kind: "json", value: "{" },
      { __prefect_kind: "jinja", template: "{{ 1 }}" },
      { __prefect_kind: "workspace_variable", variable_name: "v" },
    ]
  ) {
    await site.send("POST", `/deployments/${id}/create_flow_run`, 400, { parameters: { value } });
    await site.send("PATCH", `/deployments/${id}`, 400, { parameters: { value } });
    await site.deploy({ parameters: { value } }, 400);
  }
});

Deno.test("job variables have to fit those that the pool declares: a run's all, a deployment's as far as given", async () => {
  await using site = await Site.open();
  const variables = {
    type: "object",
    properties: { cpu: { type: "integer" }, image: { type: "string", default: "img" } },
    required: ["cpu", "image"],
  };
  await site.send("PATCH", "/work_pools/pool", 204, {
    base_job_template: { job_configuration: { cpu: "{{ cpu }}", image: "{{ image }}" }, variables },
  });
  const { id } = await site.deploy({ job_variables: { image: "x" } });
  const create = `/deployments/${id}/create_flow_run`;
  const wrong = "Validation failed for field 'cpu'. Failure reason: 'x' is not of type 'integer'";
  const job_variables = { cpu: "x" };
  assertEquals(detailOf(await site.deploy({ job_variables }, 422)), `Error creating deployment: ${wrong}`);
  assertEquals(
    detailOf(await site.send("PATCH", `/deployments/${id}`, 422, { job_variables })),
    `Error updating deployment: ${wrong}`,
  );
  assertEquals(
    detailOf(await site.send("POST", create, 422, { job_variables })),
    `Error creating flow run: ${wrong}`,
  );
  const lacking = detailOf(await site.send("POST", create, 422, {}));
  assertEquals(
    lacking,
    "Error creating flow run: Validation failed. Failure reason: 'cpu' is a required property",
  );
  await site.send("POST", create, 201, { job_variables: { cpu: 1 } });
  await site.send("PATCH", `/deployments/${id}`, 204, { job_variables: { cpu: 2 } });
  await site.send("POST", create, 201, {});
  await site.send("PATCH", `/deployments/${id}`, 204, { job_variables: {} });
  assertEquals((await site.get(id))["job_variables"], { cpu: 2 });
  await site.deploy({ job_variables: {} }, 200);
  assertEquals((await site.get(id))["job_variables"], {});
  await site.deploy({ name: "alone", work_pool_name: null, job_variables });
});

Deno.test("a deployment with 500 KiB of parameters works on every route", async () => {
  await using site = await Site.open({ maxBodyBytes: 3_000_000 });
  const parameters = { text: "é".repeat(250 * 1024) };
  const schedules = Array.from({ length: 40 }, (_, i) => ({
    schedule: { cron: `${i} 9 * * *` },
    slug: `s${i}`,
    parameters: { text: "x".repeat(20_000) },
  }));
  const { id } = await site.deploy({ parameters, schedules });
  const whole = await site.get(id);
  assertEquals([whole["parameters"], whole.schedules.length], [parameters, 40]);
  assertEquals((await site.send<Json[]>("GET", `/deployments/${id}/schedules`, 200)).length, 40);
  assertEquals((await site.send("GET", "/deployments/name/flow/d", 200))["id"], id);
  await site.send("PATCH", `/deployments/${id}`, 204, { parameters: { text: "ü".repeat(250 * 1024) } });
  await site.send("PATCH", `/deployments/${id}`, 204, { schedules: [{ slug: "s3", active: false }] });
  await site.send("POST", `/deployments/${id}/pause_deployment`, 200);
  assertEquals((await site.send<Json[]>("POST", "/deployments/filter", 200, {})).length, 1);
  assertEquals((await site.send("POST", "/deployments/paginate", 200, {}))["count"], 1);
  const run = await site.send("POST", `/deployments/${id}/create_flow_run`, 201, {});
  assertEquals((run["parameters"] as Json)["text"], "ü".repeat(250 * 1024));
  await site.send("POST", `/deployments/${id}/create_flow_run/bulk`, 200, [{}, {}]);
  const body = { deployment_ids: [id], scheduled_before: "2100-01-01T00:00:00Z" };
  assertEquals(
    (await site.send<Json[]>("POST", "/deployments/get_scheduled_flow_runs", 200, body)).length,
    3,
  );
  await site.send("DELETE", `/deployments/${id}?cascade=cancel`, 204);
  await site.send("POST", "/deployments/", 422, {
    name: "large",
    flow_id: site.flow,
    parameters: { text: "x".repeat(512 * 1024) },
  });
});

Deno.test("several runs at once: each with its own outcome, at most 100", async () => {
  await using site = await Site.open();
  const { id } = await site.deploy({ parameter_openapi_schema: SCHEMA });
  const path = `/deployments/${id}/create_flow_run/bulk`;
  const { results } = await site.send<{ results: Json[] }>("POST", path, 200, [
    { parameters: { n: 1 } },
    { parameters: { n: "x" } },
    { parameters: { n: 2 } },
  ]);
  assertEquals(results.map(({ status }) => status), ["CREATED", "FAILED", "CREATED"]);
  assert(String(results[1]!["error"]).includes("not of type"));
  assertEquals([results[1]!["flow_run_id"], results[0]!["error"]], [null, null]);
  await site.send("GET", `/flow_runs/${results[2]!["flow_run_id"]}`, 200);
  await site.send("POST", path, 400, Array.from({ length: 101 }, () => ({})));
  await site.send("POST", `/deployments/${NOBODY}/create_flow_run/bulk`, 404, []);
});

Deno.test("deployments are listed, counted and paged by name, and by filters on what they belong to", async () => {
  await using site = await Site.open();
  for (const name of ["c", "a", "e", "b", "d"]) await site.deploy({ name });
  const names = async (body: Json) =>
    (await site.send<Json[]>("POST", "/deployments/filter", 200, body)).map(({ name }) => name).join("");
  assertEquals(await names({}), "abcde");
  assertEquals(await names({ sort: "NAME_DESC", offset: 1, limit: 2 }), "dc");
  assertEquals(await names({ sort: "CREATED_DESC" }), "dbeac");
  assertEquals(await names({ limit: 0 }), "");
  assertEquals(await names({ offset: 7 }), "");
  const b = (await site.send("GET", "/deployments/name/flow/b", 200))["id"] as string;
  await site.send("POST", `/deployments/${b}/create_flow_run`, 201, { name: "run of b" });
  const withRun = (any_: string[]) => ({ flow_runs: { name: { any_ } } });
  assertEquals([await names(withRun(["run of b"])), await names(withRun([]))], ["b", ""]);
  assertEquals(await names({ flow_runs: null, task_runs: null }), "abcde");
  await site.send("POST", "/deployments/filter", 422, { task_runs: {} });
  assertEquals(await site.send<unknown>("POST", "/deployments/count", 200, {}), 5);
  assertEquals(await site.send<unknown>("POST", "/deployments/count", 200, withRun(["run of b"])), 1);
  const page = await site.send("POST", "/deployments/paginate", 200, { page: 2, limit: 2 });
  assertEquals((page["results"] as Json[]).map(({ name }) => name), ["c", "d"]);
  assertEquals([page["count"], page["limit"], page["pages"], page["page"]], [5, 2, 3, 2]);
  await site.send("POST", "/deployments/paginate", 422, { page: 0 });
  const like = { deployments: { id: { any_: [b, NOBODY] } }, limit: 1 };
  assertEquals(await site.send("POST", "/deployments/bulk_delete", 200, like), { deleted: [b] });
  assertEquals(await names({}), "acde");
  await site.send("POST", "/deployments/bulk_delete", 422, { limit: 51 });
});

Deno.test("a process that serves deployments gets their waiting runs, and they count as asked for", async () => {
  await using site = await Site.open();
  const { id } = await site.deploy({ name: "served", work_pool_name: null });
  const { id: other } = await site.deploy({ name: "other" });
  const run = async (deployment: string, scheduled_time: string) => {
    const state = { type: "SCHEDULED", state_details: { scheduled_time } };
    return (await site.send("POST", `/deployments/${deployment}/create_flow_run`, 201, { state }))["id"];
  };
  const late = await run(id, "2026-01-02T00:00:00Z");
  const early = await run(id, "2026-01-01T00:00:00Z");
  await run(id, "2100-01-01T00:00:00Z");
  await run(other, "2026-01-01T00:00:00Z");
  const poll = async (body: Json) =>
    (await site.send<Json[]>("POST", "/deployments/get_scheduled_flow_runs", 200, body)).map((one) =>
      one["id"]
    );
  const body = { deployment_ids: [id, NOBODY], scheduled_before: "2027-01-01T00:00:00Z" };
  assertEquals(await poll(body), [early, late]);
  assertEquals(await poll({ ...body, limit: 1 }), [early]);
  assertEquals(await poll({ deployment_ids: [] }), []);
  assertEquals([(await site.get(id))["status"], (await site.get(other))["status"]], ["READY", "NOT_READY"]);
  await site.send("POST", "/deployments/get_scheduled_flow_runs", 422, {});
});

Deno.test("work_queue_check names the queue that the deployment's runs go to", async () => {
  await using site = await Site.open();
  const { id } = await site.deploy({ work_queue_name: "q" });
  const check = async (deployment: string) =>
    (await site.send<Json[]>("GET", `/deployments/${deployment}/work_queue_check`, 200)).map(({ name }) =>
      name
    );
  assertEquals(await check(id), ["q"]);
  assertEquals(await check((await site.deploy({ name: "alone", work_pool_name: null })).id), []);
});

Deno.test("a limit by id is refused, since there are none to name, and so are options that are none", async () => {
  await using site = await Site.open();
  await site.deploy({ global_concurrency_limit_id: NOBODY }, 404);
  await site.deploy({ concurrency_options: { collision_strategy: "WAIT" } }, 422);
  const options = { collision_strategy: "CANCEL_NEW", grace_period_seconds: 60 };
  assertEquals((await site.deploy({ concurrency_options: options }))["concurrency_options"], options);
});
