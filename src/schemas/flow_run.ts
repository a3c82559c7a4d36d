import { z } from "zod";
import { STATE_TYPES } from "./records.ts";
import { State, StateCreate } from "./state.ts";
import * as wire from "./wire.ts";

/** The user's wishes about retries. The last three keys belong to the server; clients send them back as they came. */
export const EmpiricalPolicyInput = z.object({
  max_retries: wire.orDefault(wire.int(0), 0),
  retry_delay_seconds: wire.orDefault(wire.num(0), 0),
  retries: wire.int().nullish(),
  retry_delay: wire.num().nullish(),
  pause_keys: z.array(z.string()).nullish(),
  resuming: wire.bool().nullish(),
  retry_type: z.enum(["in_process", "reschedule"]).nullish(),
});
export type EmpiricalPolicyInput = z.output<typeof EmpiricalPolicyInput>;

export const EmpiricalPolicy = z.object({
  max_retries: z.number(),
  retry_delay_seconds: z.number(),
  retries: z.number().nullable(),
  retry_delay: z.number().nullable(),
  pause_keys: z.array(z.string()),
  resuming: z.boolean().nullable(),
  retry_type: z.string().nullable(),
}).meta({ id: "FlowRunPolicy" });

export const FlowRun = z.object({
  id: z.string(),
  created: wire.time(),
  updated: wire.time(),
  name: z.string(),
  flow_id: z.string(),
  state_id: z.string().nullable(),
  deployment_id: z.string().nullable(),
  deployment_version: z.string().nullable(),
  work_queue_id: z.string().nullable(),
  work_queue_name: z.string().nullable(),
  flow_version: z.string().nullable(),
  parameters: z.record(z.string(), z.unknown()),
  idempotency_key: z.string().nullable(),
  context: z.record(z.string(), z.unknown()),
  empirical_policy: EmpiricalPolicy,
  tags: z.array(z.string()),
  labels: z.record(z.string(), z.unknown()),
  parent_task_run_id: z.string().nullable(),
  state_type: z.enum(STATE_TYPES).nullable(),
  state_name: z.string().nullable(),
  run_count: z.number(),
  expected_start_time: wire.time().nullable(),
  next_scheduled_start_time: wire.time().nullable(),
  start_time: wire.time().nullable(),
  end_time: wire.time().nullable(),
  total_run_time: z.number(),
  estimated_run_time: z.number(),
  estimated_start_time_delta: z.number(),
  auto_scheduled: z.boolean(),
  infrastructure_document_id: z.string().nullable(),
  infrastructure_pid: z.string().nullable(),
  created_by: z.unknown(),
  work_pool_id: z.string().nullable(),
  work_pool_name: z.string().nullable(),
  state: State.nullable(),
  job_variables: z.record(z.string(), z.unknown()).nullable(),
}).meta({ id: "FlowRun" });
export type FlowRun = z.output<typeof FlowRun>;

export const FlowRunPage = z.object({
  results: z.array(FlowRun),
  count: z.number(),
  limit: z.number(),
  pages: z.number(),
  page: z.number(),
}).meta({ id: "FlowRunPaginationResponse" });

/** Runs of one state within an interval; seconds. */
export const HistoryState = z.object({
  state_type: z.enum(STATE_TYPES),
  state_name: z.string(),
  count_runs: z.number(),
  sum_estimated_run_time: z.number(),
  sum_estimated_lateness: z.number(),
}).meta({ id: "HistoryResponseState" });

export const HistoryInterval = z.object({
  interval_start: wire.time(),
  interval_end: wire.time(),
  states: z.array(HistoryState),
}).meta({ id: "HistoryResponse" });
export type HistoryInterval = z.output<typeof HistoryInterval>;

const creatable = {
  state: StateCreate.nullish(),
  name: z.string().nullish(),
  parameters: wire.orDefault(wire.jsonObject(), "{}"),
  context: wire.orDefault(wire.jsonObject(), "{}"),
  infrastructure_document_id: wire.uuid().nullish(),
  empirical_policy: EmpiricalPolicyInput.nullish(),
  tags: wire.orDefault(wire.tags(), []),
  idempotency_key: z.string().nullish(),
  labels: wire.labels().nullish(),
  parent_task_run_id: wire.uuid().nullish(),
  work_queue_name: wire.wantedName(),
  job_variables: wire.jsonObject().nullish(),
};

export const FlowRunCreate = z.strictObject({
  ...creatable,
  flow_id: wire.uuid(),
  flow_version: z.string().nullish(),
  work_pool_name: z.string().nullish(),
  deployment_id: wire.uuid().nullish(),
}).meta({ id: "FlowRunCreate" });
export type FlowRunCreate = z.output<typeof FlowRunCreate>;

export const DeploymentFlowRunCreate = z.strictObject({
  ...creatable,
  enforce_parameter_schema: wire.bool().nullish(),
}).meta({ id: "DeploymentFlowRunCreate" });
export type DeploymentFlowRunCreate = z.output<typeof DeploymentFlowRunCreate>;

/** What became of each of several runs, in their order. */
export const FlowRunBulkCreate = z.object({
  results: z.array(
    z.object({
      flow_run_id: z.string().nullable(),
      status: z.enum(["CREATED", "FAILED"]),
      error: z.string().nullable(),
    }).meta({ id: "FlowRunCreateResult" }),
  ),
}).meta({ id: "FlowRunBulkCreateResponse" });

/** Only the keys that are present are written. */
export const FlowRunUpdate = z.strictObject({
  name: z.string().nullish(),
  flow_version: z.string().nullish(),
  parameters: wire.jsonObject().nullish(),
  empirical_policy: EmpiricalPolicyInput.nullish(),
  tags: wire.tags().nullish(),
  infrastructure_pid: z.string().nullish(),
  job_variables: wire.jsonObject().nullish(),
}).meta({ id: "FlowRunUpdate" });
export type FlowRunUpdate = z.output<typeof FlowRunUpdate>;

/** What the reference's poll answers for each run. */
export const WorkerFlowRun = z.object({
  work_pool_id: z.string(),
  work_queue_id: z.string(),
  flow_run: FlowRun,
}).meta({ id: "WorkerFlowRunResponse" });
export type WorkerFlowRun = z.output<typeof WorkerFlowRun>;

export const GetScheduledFlowRunsBody = z.object({
  work_queue_names: z.array(z.string()).nullish(),
  scheduled_before: wire.instant().nullish(),
  scheduled_after: wire.instant().nullish(),
  limit: wire.limit(),
});

export const GetRunsBody = z.object({
  scheduled_before: wire.instant().nullish(),
  limit: wire.limit(),
  agent_id: z.unknown().optional(),
});
