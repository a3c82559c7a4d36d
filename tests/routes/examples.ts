/** A request to every endpoint, with every field of its body, in an order in which each succeeds. */
import type { Method } from "../../src/routes/endpoint.ts";
import type { StartedApp } from "./started_app.ts";

export interface Example {
  method: Method;
  /** As the endpoint declares it. */
  path: string;
  /** What stands for the parts of the path that begin with a colon. */
  params: Record<string, string>;
  /** What stands behind the path, with its `?`. */
  query: string;
  body?: unknown;
  status: number;
}

/** The path as it is asked for. */
export const filled = ({ path, params }: Pick<Example, "path" | "params">): string =>
  path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ""));

const TIME = "2026-11-23T21:45:14.546351Z";
const ID = "01a20d10-0000-7000-8000-00000000000a";

const ids = { any_: [ID], not_any_: [ID] };
const period = { before_: TIME, after_: TIME };
const name = { any_: ["a"], like_: "a" };
const pools = { operator: "and_", id: { any_: [ID] }, name: { any_: ["p"] }, type: { any_: ["process"] } };
const queues = { operator: "or_", id: { any_: [ID] }, name: { any_: ["q"], startswith_: ["q"] } };
const page = { limit: 5, offset: 0 };
const workers = {
  operator: "and_",
  status: { any_: ["ONLINE"], not_any_: ["OFFLINE"] },
  last_heartbeat_time: period,
};
const variables = {
  operator: "or_",
  id: { any_: [ID] },
  name,
  value: name,
  tags: { operator: "and_", all_: ["a"], is_null_: true },
};

const filters = {
  flows: {
    operator: "and_",
    id: ids,
    name,
    tags: { operator: "and_", all_: ["a"], is_null_: false },
    deployment: { operator: "and_", is_null_: false },
  },
  flow_runs: {
    operator: "or_",
    id: ids,
    name,
    tags: { operator: "and_", all_: ["a"], any_: ["a"], is_null_: true },
    deployment_id: { operator: "and_", any_: [ID], is_null_: true },
    work_queue_name: { operator: "or_", any_: ["q"], is_null_: false },
    state: {
      operator: "and_",
      type: { any_: ["PENDING"], not_any_: ["RUNNING"] },
      name: { any_: ["Pending"], not_any_: ["Running"] },
    },
    flow_version: { any_: ["1"] },
    start_time: { ...period, is_null_: true },
    end_time: { ...period, is_null_: true },
    expected_start_time: period,
    next_scheduled_start_time: period,
    parent_flow_run_id: { operator: "and_", any_: [ID] },
    parent_task_run_id: { operator: "and_", any_: [ID], is_null_: true },
    idempotency_key: { any_: ["k"], not_any_: ["k"] },
    created_by: { operator: "and_", id_: [ID], type_: ["SCHEDULE"], is_null_: true },
  },
  deployments: {
    operator: "and_",
    id: ids,
    name,
    flow_or_deployment_name: { like_: "a" },
    paused: { eq_: true },
    tags: { operator: "and_", all_: ["a"], any_: ["a"], is_null_: true },
    work_queue_name: { any_: ["q"] },
    concurrency_limit: { ge_: 1, le_: 2, is_null_: false },
    is_schedule_active: { eq_: true },
  },
  work_pools: pools,
  work_pool_queues: queues,
  ...page,
};

const flowFilters = {
  flows: filters.flows,
  flow_runs: filters.flow_runs,
  task_runs: null,
  deployments: filters.deployments,
  work_pools: pools,
};

/** Of lists of runs. */
const runFilters = {
  ...filters,
  task_runs: {
    operator: "and_",
    id: { any_: [ID] },
    name,
    tags: { operator: "and_", all_: ["a"], is_null_: true },
    state: { operator: "and_", type: { any_: ["RUNNING"] }, name: { any_: ["Running"] } },
    start_time: { ...period, is_null_: true },
    end_time: { ...period, is_null_: true },
    expected_start_time: period,
    subflow_runs: { exists_: true },
    flow_run_id: { operator: "and_", any_: [ID], is_null_: false },
  },
};

const details = {
  scheduled_time: TIME,
  child_flow_run_id: ID,
  cache_key: "k",
  cache_expiration: TIME,
  deferred: true,
  untrackable_result: true,
  pause_timeout: 1795478292.73071,
  pause_reschedule: true,
  pause_key: "k",
  run_input_keyset: { response: "r" },
  refresh_cache: true,
  retriable: true,
  transition_id: ID,
  task_parameters_id: ID,
  traceparent: "t",
  deployment_concurrency_lease_id: ID,
  unknown: "is ignored here",
};

const state = (type: string) => ({
  type,
  name: "Named",
  message: "m",
  data: { a: 1 },
  state_details: details,
  id: ID,
  timestamp: TIME,
});

const policy = {
  max_retries: 1,
  retry_delay_seconds: 1,
  retries: 1,
  retry_delay: 1,
  pause_keys: ["k"],
  resuming: true,
  retry_type: "in_process",
};

const run = {
  state: state("SCHEDULED"),
  name: "n",
  parameters: { a: 1 },
  context: { a: 1 },
  infrastructure_document_id: null,
  empirical_policy: policy,
  tags: ["a"],
  idempotency_key: "k",
  labels: { a: "b" },
  parent_task_run_id: ID,
  work_queue_name: "q",
  job_variables: { a: 1 },
};

const schedule = {
  schedule: { interval: 60, anchor_date: TIME, timezone: "UTC" },
  active: true,
  max_scheduled_runs: 1,
  parameters: { a: 1 },
  slug: "s",
  replaces: "s",
  max_active_runs: 1,
  catchup: true,
};

const deployment = {
  paused: false,
  schedules: [
    schedule,
    { schedule: { cron: "0 9 * * *", timezone: "UTC", day_or: true } },
    { schedule: { rrule: "FREQ=DAILY", timezone: "UTC" } },
  ],
  concurrency_limit: 1,
  concurrency_options: { collision_strategy: "ENQUEUE", grace_period_seconds: 60 },
  global_concurrency_limit_id: null,
  enforce_parameter_schema: true,
  parameter_openapi_schema: {},
  parameters: { a: 1 },
  tags: ["a"],
  pull_steps: [{ a: 1 }],
  work_queue_name: "q",
  work_pool_name: "p",
  storage_document_id: null,
  infrastructure_document_id: null,
  description: "d",
  path: "/p",
  version: "1",
  entrypoint: "f.py:f",
  job_variables: { command: "true" },
  version_info: { type: "t", version: "v" },
  infra_overrides: { a: 1 },
  is_schedule_active: true,
  manifest_path: null,
  schedule: { interval: 1 },
};

const template = {
  job_configuration: { command: "{{ command }}" },
  variables: { properties: { command: { type: "string" } } },
};
const pool = { description: "d", is_paused: false, base_job_template: template, concurrency_limit: 10 };
const storage = {
  bundle_upload_step: { a: 1 },
  bundle_execution_step: null,
  default_result_storage_block_id: ID,
};
const queue = {
  description: "d",
  is_paused: false,
  concurrency_limit: 10,
  priority: 1,
  filter: { tags: ["a"], deployment_ids: [ID] },
};

/** Fills an empty server with one object of each kind, and tells what to ask it. */
export async function examplesIn(app: StartedApp): Promise<Example[]> {
  const { api } = app;
  await api.workPools.create({ name: "p", type: "process" });
  const q = (await api.workQueues.create("p", { name: "q" })).id;
  const idle = (await api.workQueues.create("p", { name: "idle" })).id;
  await app.request("POST", "/work_queues/", { name: "free" });
  const flow = (await api.flows.create({ name: "f" })).id;
  const bare = (await api.flows.create({ name: "bare" })).id;
  const d = (await api.deployments.create({ name: "d", flow_id: flow, work_pool_name: "p" })).id;
  const spare = (await api.deployments.create({ name: "spare", flow_id: flow })).id;
  const timed = await api.deployments.create({
    name: "timed",
    flow_id: flow,
    schedules: [{ schedule: { cron: "0 9 * * *" }, slug: "daily" }],
  });
  const s = timed.schedules[0]!.id;
  const { id: r, state: first } = await api.deployments.run(d);
  await app.request("POST", `/flow_runs/${r}/input`, { key: "kept", value: "[1]" });
  const { id: agent, sessions } = await api.agents.create({
    name: "a",
    host: "h",
    version: "1",
    pools: ["p"],
  });
  const session = sessions[0]!.id;
  const gone = (await api.agents.create({ name: "gone", host: "h", version: "1", pools: ["p"] })).id;
  await api.workPools.create({ name: "unused" });
  const variable = (name: string) => app.request("POST", "/variables", { name, value: "x" });
  const v = String(Object(await variable("v").then(({ body }) => body)).id);
  await variable("spare");

  const on = (
    call: `${Method} /${string}`,
    params: Record<string, string>,
    status: number,
    body?: unknown,
  ): Example => {
    const [method = "", path = "", query = ""] = call.split(/ |(?=\?)/);
    return { method: method as Method, path, params, query, status, ...(body === undefined ? {} : { body }) };
  };
  return [
    on("GET /health", {}, 200),
    on("GET /ready", {}, 200),
    on("GET /hello", {}, 200),
    on("GET /version", {}, 200),
    on("GET /admin/version", {}, 200),
    on("GET /csrf-token", {}, 422),
    on("GET /admin/settings", {}, 200),
    on("GET /admin/storage", {}, 200),
    on("PUT /admin/storage", {}, 200, { default_result_storage_block_id: ID }),
    on("DELETE /admin/storage", {}, 204),
    on("GET /collections/views/:view", { view: "aggregate-worker-metadata" }, 200),
    on("GET /openapi.json", {}, 200),
    on("POST /automations/filter", {}, 200, { automations: { name }, sort: "NAME_ASC", ...page }),
    on("GET /automations/related-to/:resource", { resource: `prefect.deployment.${ID}` }, 200),
    on("DELETE /automations/owned-by/:resource", { resource: `prefect.deployment.${ID}` }, 202),
    on("POST /v2/concurrency_limits/increment-with-lease", {}, 200, {
      slots: 1,
      names: ["tag:a"],
      mode: "concurrency",
      lease_duration: 60,
      holder: { type: "task_run", id: ID },
    }),
    on("POST /flows", {}, 201, { name: "f2", tags: ["a"], labels: { a: "b" } }),
    on("POST /flows/filter", {}, 200, { ...flowFilters, sort: "NAME_ASC", ...page }),
    on("POST /flows/count", {}, 200, flowFilters),
    on("POST /flows/paginate", {}, 200, { ...flowFilters, sort: "NAME_ASC", page: 1, limit: 5 }),
    on("PATCH /flows/:id", { id: flow }, 204, { tags: ["a"] }),
    on("GET /flows/name/:name", { name: "f" }, 200),
    on("GET /flows/:id", { id: flow }, 200),
    on("POST /variables", {}, 201, { name: "v2", value: { a: [5.5] }, tags: ["a"] }),
    on("POST /variables/filter", {}, 200, { variables, sort: "NAME_DESC", ...page }),
    on("POST /variables/count", {}, 200, { variables }),
    on("GET /variables/:id", { id: v }, 200),
    on("GET /variables/name/:name", { name: "v" }, 200),
    on("PATCH /variables/:id", { id: v }, 204, { name: "v", value: null, tags: ["a"] }),
    on("PATCH /variables/name/:name", { name: "v" }, 204, { name: "v", value: 1, tags: ["a"] }),
    on("POST /work_pools", {}, 201, {
      name: "p2",
      type: "process",
      storage_configuration: storage,
      ...pool,
    }),
    on("POST /work_pools/filter", {}, 200, { work_pools: pools, ...page }),
    on("GET /work_pools/:name", { name: "p" }, 200),
    on("PATCH /work_pools/:name", { name: "p" }, 204, { storage_configuration: storage, ...pool }),
    on("POST /work_pools/:pool/queues", { pool: "p" }, 201, { name: "q2", ...queue }),
    on("POST /work_pools/:pool/queues/filter", { pool: "p" }, 200, { work_queues: queues, ...page }),
    on("GET /work_pools/:pool/queues/:name", { pool: "p", name: "q" }, 200),
    on("PATCH /work_pools/:pool/queues/:name", { pool: "p", name: "q" }, 204, {
      last_polled: TIME,
      name: "q",
      ...queue,
    }),
    on("POST /work_pools/:pool/workers/heartbeat", { pool: "p" }, 204, {
      name: "w",
      heartbeat_interval_seconds: 30,
    }),
    on("POST /work_pools/:pool/workers/filter", { pool: "p" }, 200, { workers, ...page }),
    on("POST /work_pools/count", {}, 200, { work_pools: pools }),
    on("POST /work_pools/:name/concurrency_status", { name: "p" }, 200, {
      page: 1,
      limit: 5,
      flow_run_limit: 5,
    }),
    on("POST /work_queues/:id/concurrency_status", { id: q }, 200, { page: 1, limit: 5 }),
    on("GET /work_queues/:id/status", { id: q }, 200),
    on("POST /work_queues", {}, 201, { name: "q2", ...queue }),
    on("POST /work_queues/filter", {}, 200, { work_queues: queues, ...page }),
    on("GET /work_queues/name/:name", { name: "free" }, 200),
    on("GET /work_queues/:id", { id: q }, 200),
    on("PATCH /work_queues/:id", { id: q }, 204, { last_polled: TIME, name: "q", ...queue }),
    on("POST /work_queues/:id/get_runs", { id: q }, 200, { scheduled_before: TIME, limit: 5, agent_id: ID }),
    on("POST /deployments", {}, 201, { name: "d2", flow_id: flow, labels: { a: "b" }, ...deployment }),
    on("POST /deployments/filter", {}, 200, { ...filters, sort: "NAME_ASC" }),
    on("POST /deployments/paginate", {}, 200, { ...filters, page: 1, sort: "NAME_ASC" }),
    on("POST /deployments/count", {}, 200, filters),
    on("GET /deployments/name/:flow/:name", { flow: "f", name: "d" }, 200),
    on("GET /deployments/:id", { id: d }, 200),
    on("PATCH /deployments/:id", { id: d }, 204, { ...deployment, sluice: { move_waiting: true } }),
    on("POST /deployments/:id/create_flow_run", { id: d }, 201, { ...run, enforce_parameter_schema: false }),
    on("POST /deployments/:id/create_flow_run/bulk", { id: spare }, 200, [
      { ...run, idempotency_key: "k3", enforce_parameter_schema: false },
    ]),
    on("POST /deployments/get_scheduled_flow_runs", {}, 200, {
      deployment_ids: [d],
      scheduled_before: TIME,
      limit: 5,
    }),
    on("POST /deployments/:id/pause_deployment", { id: spare }, 200),
    on("POST /deployments/:id/resume_deployment", { id: spare }, 200),
    on("POST /deployments/:id/set_schedule_active", { id: spare }, 200),
    on("POST /deployments/:id/set_schedule_inactive", { id: spare }, 200),
    on("POST /deployments/:id/schedule", { id: spare }, 200, {
      start_time: TIME,
      end_time: TIME,
      min_time: 1,
      min_runs: 1,
      max_runs: 1,
    }),
    on("GET /deployments/:id/work_queue_check", { id: d }, 200),
    on("GET /deployments/:id/schedules", { id: timed.id }, 200),
    on("POST /deployments/:id/schedules", { id: spare }, 201, [schedule]),
    on("PATCH /deployments/:id/schedules/:schedule", { id: timed.id, schedule: s }, 204, schedule),
    on("POST /work_pools/:name/get_scheduled_flow_runs", { name: "p" }, 200, {
      work_queue_names: ["q"],
      scheduled_before: TIME,
      scheduled_after: TIME,
      limit: 5,
    }),
    on("POST /flow_runs", {}, 201, {
      ...run,
      idempotency_key: "k2",
      flow_id: flow,
      flow_version: "1",
      work_pool_name: "p",
      deployment_id: d,
    }),
    on("POST /flow_runs/filter", {}, 200, { ...runFilters, sort: "ID_DESC" }),
    on("POST /flow_runs/count", {}, 200, runFilters),
    on("POST /flow_runs/paginate", {}, 200, { ...runFilters, sort: "ID_DESC", page: 1 }),
    on("POST /flow_runs/lateness", {}, 200, runFilters),
    on("POST /flow_runs/history", {}, 200, {
      ...runFilters,
      history_start: "2026-11-23T21:00:00Z",
      history_end: "2026-11-23T23:00:00Z",
      history_interval_seconds: 600,
      work_queues: queues,
    }),
    on("GET /flow_runs/:id", { id: r }, 200),
    on("PATCH /flow_runs/:id", { id: r }, 204, {
      name: "n",
      flow_version: "1",
      parameters: { a: 1 },
      empirical_policy: policy,
      tags: ["a"],
      infrastructure_pid: "1",
      job_variables: { a: 1 },
    }),
    on("GET /flow_runs/:id/explain", { id: r }, 200),
    on("PATCH /flow_runs/:id/labels", { id: r }, 204, { a: "b", n: 5.5, t: true }),
    on("POST /flow_runs/:id/input", { id: r }, 201, { key: "k", value: "[1]", sender: "s" }),
    on("POST /flow_runs/:id/input/filter", { id: r }, 200, { prefix: "k", limit: 1, exclude_keys: ["a"] }),
    on("GET /flow_runs/:id/input/:key", { id: r, key: "kept" }, 200),
    on("DELETE /flow_runs/:id/input/:key", { id: r, key: "kept" }, 204),
    on("GET /flow_runs/:id/graph", { id: r }, 200),
    on(`GET /flow_runs/:id/graph-v2?since=${TIME}`, { id: r }, 200),
    on(`GET /flow_run_states?flow_run_id=${r}`, {}, 200),
    on("GET /flow_run_states/:id", { id: first!.id }, 200),
    on("POST /logs", {}, 201, [
      { name: "n", level: 20, message: "m", timestamp: TIME, flow_run_id: r, task_run_id: ID },
    ]),
    on("POST /logs/filter", {}, 200, {
      logs: {
        operator: "and_",
        level: { ge_: 10, le_: 50 },
        timestamp: period,
        flow_run_id: { any_: [r] },
        task_run_id: { any_: [ID], is_null_: false },
        text: { query: "m" },
      },
      sort: "TIMESTAMP_DESC",
      ...page,
    }),
    on("GET /flow_runs/:id/logs/download", { id: r }, 200),
    on("POST /agents", {}, 201, {
      name: "a",
      host: "h",
      version: "1",
      pools: ["p"],
      queues: ["q"],
      prefixes: ["q"],
      limit: 1,
    }),
    on("GET /agents", {}, 200),
    on("GET /agents/:id", { id: agent }, 200),
    on("DELETE /agents/:id", { id: gone }, 204),
    on("POST /agents/:id/heartbeat", { id: agent }, 200, {
      sessions: [session],
      runs: [{ id: r, token: "t" }],
      wait: 0,
    }),
    on("POST /work_pools/:name/claim", { name: "p" }, 200, {
      session,
      claim_id: "c",
      queues: ["q"],
      prefixes: ["q"],
      n: 1,
      prefetch: 1,
      wait: 0,
    }),
    on("POST /flow_runs/:id/set_state", { id: r }, 201, { state: state("SCHEDULED"), force: false }),
    on("POST /flow_runs/:id/resume", { id: r }, 200, { run_input: { a: 1 } }),
    on("POST /flow_runs/bulk_set_state", {}, 200, {
      flow_runs: { id: { any_: [r] } },
      state: state("SCHEDULED"),
      force: true,
      limit: 1,
    }),
    on("POST /flow_runs/bulk_delete", {}, 200, { flow_runs: { id: { any_: [ID] } }, limit: 1 }),
    on("POST /flows/bulk_delete", {}, 200, { flows: filters.flows, limit: 5 }),
    on("DELETE /variables/:id", { id: v }, 204),
    on("DELETE /variables/name/:name", { name: "spare" }, 204),
    on("DELETE /work_pools/:pool/workers/:name", { pool: "p", name: "w" }, 204),
    on("DELETE /flow_runs/:id", { id: r }, 204),
    on("DELETE /flows/:id", { id: bare }, 204),
    on("DELETE /deployments/:id/schedules/:schedule", { id: timed.id, schedule: s }, 204),
    on("DELETE /deployments/:id?cascade=cancel", { id: spare }, 204),
    on("DELETE /work_queues/:id", { id: idle }, 204),
    on("DELETE /work_pools/:pool/queues/:name", { pool: "p", name: "q2" }, 204),
    on("DELETE /work_pools/:name", { name: "unused" }, 204),
    on("POST /deployments/bulk_delete", {}, 200, { deployments: filters.deployments, limit: 5 }),
  ];
}
