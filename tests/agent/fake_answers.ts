/** Objects of the wire, whole enough for the client's parsing. */
import type { StateType } from "../../src/schemas/records.ts";
import { formatInstant } from "../../src/schemas/wire.ts";

export type Json = Record<string, unknown>;

export interface FakeRun {
  id: string;
  name: string;
  pool: string;
  queue: string;
  parameters: Json;
  jobVariables: Json;
  deployment: string | null;
  retries: number;
  type: StateType;
  stateName: string;
  message: string | null;
  transition: string | null;
  stateTime: number;
  /** Microseconds. */
  due: number;
  token: string | null;
  session: string | null;
  attempt: number;
  /** Every state that was written, with the server's time in milliseconds. */
  history: { type: StateType; name: string; message: string | null; at: number }[];
}

export const now = () => formatInstant(Date.now() * 1000);

export function poolJson(name: string): Json {
  return {
    id: "p",
    created: now(),
    updated: now(),
    name,
    description: null,
    type: "prefect-agent",
    base_job_template: {},
    is_paused: false,
    concurrency_limit: null,
    status: null,
    default_queue_id: "q",
    storage_configuration: {},
    active_slots: null,
  };
}

export function queueJson(name: string): Json {
  return {
    id: "q",
    created: now(),
    updated: now(),
    name,
    description: null,
    is_paused: false,
    concurrency_limit: null,
    priority: 1,
    work_pool_id: "p",
    filter: null,
    last_polled: null,
    work_pool_name: "my-pool",
    status: "READY",
    active_slots: null,
  };
}

export function stateJson(run: FakeRun): Json {
  const isTimed = run.type === "SCHEDULED" || run.type === "PENDING";
  const absent = [
    "task_run_id",
    "child_flow_run_id",
    "cache_key",
    "cache_expiration",
    "deferred",
    "pause_timeout",
    "pause_key",
    "run_input_keyset",
    "refresh_cache",
    "retriable",
    "task_parameters_id",
    "traceparent",
    "deployment_concurrency_lease_id",
  ];
  return {
    id: crypto.randomUUID(),
    type: run.type,
    name: run.stateName,
    timestamp: formatInstant(run.stateTime),
    message: run.message,
    data: null,
    state_details: {
      ...Object.fromEntries(absent.map((key) => [key, null])),
      flow_run_id: run.id,
      scheduled_time: isTimed ? formatInstant(run.due) : null,
      transition_id: run.transition,
      untrackable_result: false,
      pause_reschedule: false,
    },
  };
}

export function runJson(run: FakeRun): Json {
  const absent = [
    "deployment_version",
    "work_queue_id",
    "flow_version",
    "idempotency_key",
    "parent_task_run_id",
    "next_scheduled_start_time",
    "start_time",
    "end_time",
    "infrastructure_document_id",
    "infrastructure_pid",
    "created_by",
    "work_pool_id",
  ];
  return {
    ...Object.fromEntries(absent.map((key) => [key, null])),
    id: run.id,
    created: now(),
    updated: now(),
    name: run.name,
    flow_id: "f",
    state_id: "s",
    deployment_id: run.deployment,
    work_queue_name: run.queue,
    parameters: run.parameters,
    context: {},
    empirical_policy: {
      max_retries: 0,
      retry_delay_seconds: 0,
      retries: null,
      retry_delay: null,
      pause_keys: [],
      resuming: null,
      retry_type: null,
    },
    tags: [],
    labels: {},
    state_type: run.type,
    state_name: run.stateName,
    run_count: 0,
    expected_start_time: formatInstant(run.due),
    total_run_time: 0,
    estimated_run_time: 0,
    estimated_start_time_delta: 0,
    auto_scheduled: false,
    work_pool_name: run.pool,
    state: stateJson(run),
    job_variables: run.jobVariables,
  };
}

export const variableJson = (name: string, value: unknown): Json => (
  { id: "v", created: now(), updated: now(), name, value, tags: [] }
);
