import { assertEquals } from "@std/assert";
import { StartedApp } from "./started_app.ts";

Deno.test("a pool's storage configuration has every field, and no others", async () => {
  await using app = await StartedApp.start();
  const nothing = {
    bundle_upload_step: null,
    bundle_execution_step: null,
    default_result_storage_block_id: null,
  };
  await app.request("POST", "/work_pools/", { name: "p" });
  const stored = async () => Object((await app.request("GET", "/work_pools/p")).body).storage_configuration;
  assertEquals(await stored(), nothing);
  const storage_configuration = { bundle_upload_step: { run: { image: "x" } } };
  assertEquals((await app.request("PATCH", "/work_pools/p", { storage_configuration })).status, 204);
  assertEquals(await stored(), { ...nothing, ...storage_configuration });
  const fieldsFor = async (agent: string) => {
    const { body } = await app.request("GET", "/work_pools/p", undefined, { "user-agent": agent });
    return Object.keys(Object(body).storage_configuration).length;
  };
  for (const agent of ["prefect/3.3.7 (API 0.8.4)", "prefect/3.2.20 (API 0.8.4)"]) {
    assertEquals(await fieldsFor(agent), 2, agent);
  }
  for (const agent of ["prefect/3.3.8 (API 0.8.4)", "prefect/3.8.4.dev1", "prefect/2.20.25", "curl"]) {
    assertEquals(await fieldsFor(agent), 3, agent);
  }
  const refused = await app.request("PATCH", "/work_pools/p", { storage_configuration: { a: 1 } });
  assertEquals(Object(refused.body).exception_detail[0].loc, ["body", "storage_configuration", "a"]);
});

Deno.test("concurrency_status has the reference's fields for a pool and a queue", async () => {
  await using app = await StartedApp.start();
  const { api } = app;
  await api.workPools.create({ name: "p", type: "process" });
  const queue = (await api.workQueues.create("p", { name: "q2", concurrency_limit: 3 })).id;
  const flow = (await api.flows.create({ name: "f" })).id;
  const deployment = await api.deployments.create({
    name: "d",
    flow_id: flow,
    work_pool_name: "p",
    work_queue_name: "q2",
  });
  const run = await api.deployments.run(deployment.id, { name: "n" });
  await api.flowRuns.setState(run.id, { state: { type: "PENDING" } });
  const idle = (await api.workQueues.get("p", "default")).id;
  const pool = Object((await app.request("POST", "/work_pools/p/concurrency_status", { page: 1 })).body);
  const [summary] = pool.queues[1].flow_runs;
  assertEquals(Object.entries(summary).filter(([, value]) => typeof value === "number").map(([key]) => key), [
    "time_in_current_state",
  ]);
  const holder = {
    id: run.id,
    name: "n",
    state_type: "PENDING",
    state_name: "Pending",
    start_time: null,
    state_timestamp: summary.state_timestamp,
    time_in_current_state: summary.time_in_current_state,
  };
  assertEquals(pool, {
    active_slots: 1,
    concurrency_limit: null,
    queues: [
      {
        queue_id: idle,
        queue_name: "default",
        active_slots: 0,
        concurrency_limit: null,
        flow_runs: [],
        flow_run_count: 0,
      },
      {
        queue_id: queue,
        queue_name: "q2",
        active_slots: 1,
        concurrency_limit: 3,
        flow_runs: [holder],
        flow_run_count: 1,
      },
    ],
    count: 2,
    limit: 200,
    pages: 1,
    page: 1,
  });
  assertEquals((await app.request("POST", `/work_queues/${idle}/concurrency_status`, "")).body, {
    active_slots: 0,
    concurrency_limit: null,
    flow_runs: [],
    count: 0,
    limit: 200,
    pages: 0,
    page: 1,
  });
  const status = await app.request("POST", `/work_queues/${queue}/concurrency_status`, { page: 2, limit: 1 });
  assertEquals([Object(status.body).flow_runs, Object(status.body).pages], [[], 1]);
  for (const body of [{ page: 0 }, { flow_run_limit: 201 }]) {
    assertEquals((await app.request("POST", "/work_pools/p/concurrency_status", body)).status, 422);
  }
});

Deno.test("a queue's status and its missing forms are worded as in the reference", async () => {
  await using app = await StartedApp.start();
  await app.api.workPools.create({ name: "p", type: "process" });
  const { id } = await app.api.workQueues.get("p", "default");
  assertEquals((await app.request("GET", `/work_queues/${id}/status`)).body, {
    healthy: false,
    late_runs_count: 0,
    last_polled: null,
    health_check_policy: { maximum_late_runs: 0, maximum_seconds_since_last_polled: 60 },
  });
  const nobody = "00000000-0000-0000-0000-000000000000";
  const missing = await app.request("GET", `/work_queues/${nobody}/status`);
  assertEquals([missing.status, missing.body], [404, {
    exception_message: `Work queue with id ${nobody} not found`,
  }]);
  assertEquals(
    (await app.request("POST", "/work_pools/count", { work_pools: { name: { any_: ["p"] } } })).body,
    1,
  );
});
