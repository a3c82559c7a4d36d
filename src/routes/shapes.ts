/** Internal views → objects of the wire. */
import type { Flow } from "../schemas/flow.ts";
import type { FlowRun } from "../schemas/flow_run.ts";
import type { Log } from "../schemas/log.ts";
import {
  type FlowRecord,
  type Instant,
  type JsonText,
  type LogLine,
  type RunRecord,
  type RunState,
  TERMINAL_TYPES,
  type VariableRecord,
} from "../schemas/records.ts";
import type { State } from "../schemas/state.ts";
import type { Variable } from "../schemas/variable.ts";
import { formatInstant, formatOptional, fromJsonText } from "../schemas/wire.ts";
import type { Worker } from "../schemas/worker.ts";
import type { WorkPool } from "../schemas/work_pool.ts";
import type { WorkQueue } from "../schemas/work_queue.ts";
import type { FlowRunView } from "../services/flow_run_views.ts";
import type { WorkerView } from "../services/workers.ts";
import type { WorkPoolView } from "../services/work_pools.ts";
import type { WorkQueueView } from "../services/work_queues.ts";

export const object = (text: JsonText): Record<string, unknown> =>
  fromJsonText(text) as Record<string, unknown>;
export const optionalJson = (text: JsonText | null): unknown => text === null ? null : fromJsonText(text);

export function toFlow(flow: FlowRecord): Flow {
  return {
    id: flow.id,
    created: formatInstant(flow.created),
    updated: formatInstant(flow.updated),
    name: flow.name,
    tags: flow.tags,
    labels: object(flow.labels),
  };
}

export function toVariable(variable: VariableRecord): Variable {
  return {
    id: variable.id,
    created: formatInstant(variable.created),
    updated: formatInstant(variable.updated),
    name: variable.name,
    value: fromJsonText(variable.value),
    tags: variable.tags,
  };
}

/** Clients before 3.3.8 stop at a field of the storage configuration that they do not know. */
function knowsResultStorage(userAgent: string | undefined): boolean {
  const [, major, minor, patch] = /^prefect\/(\d+)\.(\d+)\.(\d+)/.exec(userAgent ?? "")?.map(Number) ?? [];
  return major !== 3 || minor! > 3 || (minor === 3 && patch! > 7);
}

function toStorageConfiguration(text: JsonText, userAgent: string | undefined): Record<string, unknown> {
  const { default_result_storage_block_id: block, ...steps } = object(text);
  return knowsResultStorage(userAgent) ? { ...steps, default_result_storage_block_id: block ?? null } : steps;
}

/** @param userAgent of the client that the answer goes to */
export function toWorkPool(
  { pool, gate, baseJobTemplate, status, agentsOnline }: WorkPoolView,
  userAgent?: string,
): WorkPool {
  return {
    id: pool.id,
    created: formatInstant(pool.created),
    updated: formatInstant(pool.updated),
    name: pool.name,
    description: pool.description,
    type: pool.type,
    base_job_template: object(baseJobTemplate),
    is_paused: gate.paused,
    concurrency_limit: gate.limit,
    status,
    default_queue_id: pool.defaultQueue,
    storage_configuration: toStorageConfiguration(pool.storageConfiguration, userAgent),
    active_slots: gate.limit === null && gate.occ === 0 ? null : gate.occ,
    sluice: { agents_online: agentsOnline },
  };
}

export function toWorker({ worker, pool, status }: WorkerView): Worker {
  return {
    id: worker.id,
    created: formatInstant(worker.created),
    updated: formatInstant(worker.lastHeartbeat),
    name: worker.name,
    work_pool_id: pool,
    last_heartbeat_time: formatInstant(worker.lastHeartbeat),
    heartbeat_interval_seconds: worker.interval,
    status,
  };
}

export function toWorkQueue({ queue, config, pool, held, lastPolled, status }: WorkQueueView): WorkQueue {
  return {
    id: queue.id,
    created: formatInstant(queue.created),
    updated: formatInstant(queue.updated),
    name: queue.name,
    description: queue.description,
    is_paused: config.paused,
    concurrency_limit: config.limit,
    priority: config.priority,
    work_pool_id: pool.id,
    filter: optionalJson(queue.filter),
    last_polled: formatOptional(lastPolled),
    work_pool_name: pool.name,
    status,
    active_slots: config.limit === null && held === 0 ? null : held,
  };
}

export function toFlowRun(view: FlowRunView, now: Instant): FlowRun {
  const { run, doc } = view;
  return {
    id: run.id,
    created: formatInstant(run.created),
    updated: formatInstant(Math.max(run.updated, doc.updated)),
    name: doc.name,
    flow_id: run.flow,
    state_id: run.state.id,
    deployment_id: run.deployment,
    deployment_version: doc.deploymentVersion,
    work_queue_id: view.queueName === null ? null : run.queue,
    work_queue_name: view.queueName,
    flow_version: doc.flowVersion,
    parameters: object(view.parameters),
    idempotency_key: doc.idempotencyKey,
    context: object(view.context),
    empirical_policy: {
      max_retries: doc.maxRetries,
      retry_delay_seconds: doc.retryDelaySeconds,
      retries: doc.retries,
      retry_delay: doc.retryDelay,
      pause_keys: run.pauseKeys,
      resuming: run.resuming,
      retry_type: run.retryType,
    },
    tags: doc.tags,
    labels: object(doc.labels),
    parent_task_run_id: doc.parentTaskRunId,
    state_type: run.state.type,
    state_name: run.state.name,
    run_count: run.runCount,
    expected_start_time: formatOptional(run.expectedStart),
    next_scheduled_start_time: formatOptional(run.nextStart),
    start_time: formatOptional(run.startTime),
    end_time: formatOptional(run.endTime),
    total_run_time: run.totalRunTime / 1e6,
    estimated_run_time: estimatedRunTime(run, now),
    estimated_start_time_delta: startDelta(run, now),
    auto_scheduled: doc.autoScheduled,
    infrastructure_document_id: doc.infrastructureDocumentId,
    infrastructure_pid: doc.infrastructurePid,
    created_by: optionalJson(doc.createdBy),
    work_pool_id: view.poolName === null ? null : run.pool,
    work_pool_name: view.poolName,
    state: toState(run.id, run.state, view.stateData),
    job_variables: view.jobVariables === null ? null : object(view.jobVariables),
  };
}

/** Seconds in RUNNING, the present stay included. */
function estimatedRunTime(run: RunRecord, now: Instant): number {
  const running = run.state.type === "RUNNING" ? Math.max(0, now - run.state.timestamp) : 0;
  return (run.totalRunTime + running) / 1e6;
}

/** Seconds by which the run started, or is still waiting, after its time. */
function startDelta(run: RunRecord, now: Instant): number {
  if (run.expectedStart === null) return 0;
  if (run.startTime === null && TERMINAL_TYPES.has(run.state.type)) return 0;
  return Math.max(0, (run.startTime ?? now) - run.expectedStart) / 1e6;
}

export function toState(run: string, state: RunState, data: JsonText | null): State {
  const { details } = state;
  return {
    id: state.id,
    type: state.type,
    name: state.name,
    timestamp: formatInstant(state.timestamp),
    message: state.message,
    data: optionalJson(data),
    state_details: {
      flow_run_id: run,
      task_run_id: null,
      child_flow_run_id: details.child_flow_run_id ?? null,
      scheduled_time: formatOptional(details.scheduled_time),
      cache_key: details.cache_key ?? null,
      cache_expiration: formatOptional(details.cache_expiration),
      deferred: details.deferred ?? false,
      untrackable_result: details.untrackable_result ?? false,
      pause_timeout: formatOptional(details.pause_timeout),
      pause_reschedule: details.pause_reschedule ?? false,
      pause_key: details.pause_key ?? null,
      run_input_keyset: details.run_input_keyset ?? null,
      refresh_cache: details.refresh_cache ?? null,
      retriable: details.retriable ?? null,
      transition_id: details.transition_id ?? null,
      task_parameters_id: details.task_parameters_id ?? null,
      traceparent: details.traceparent ?? null,
      deployment_concurrency_lease_id: details.deployment_concurrency_lease_id ?? null,
    },
  };
}

export function toLog(line: LogLine): Log {
  const timestamp = formatInstant(line.timestamp);
  return {
    id: line.id,
    created: timestamp,
    updated: timestamp,
    name: line.name,
    level: line.level,
    message: line.message,
    timestamp,
    flow_run_id: line.flowRunId,
    task_run_id: line.taskRunId,
  };
}
