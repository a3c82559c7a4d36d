import { z } from "zod";
import {
  DeploymentSchedule,
  DeploymentScheduleCreate,
  DeploymentScheduleUpdate,
  Schedule,
} from "./schedule.ts";
import * as wire from "./wire.ts";

/** A concurrency limit as an object of its own; that of a deployment is named after it. */
export const GlobalConcurrencyLimit = z.object({
  id: z.string(),
  created: wire.time(),
  updated: wire.time(),
  active: z.boolean(),
  name: z.string(),
  limit: z.number(),
  active_slots: z.number(),
  slot_decay_per_second: z.number(),
}).meta({ id: "GlobalConcurrencyLimitResponse" });

/** What happens to a run that finds the deployment's limit full. */
export const ConcurrencyOptions = z.strictObject({
  collision_strategy: z.enum(["ENQUEUE", "CANCEL_NEW"]),
  /** Seconds for which a slot is kept for a run that is being started. */
  grace_period_seconds: wire.int(60, 86_400).nullish(),
}).meta({ id: "ConcurrencyOptions" });

export const Deployment = z.object({
  id: z.string(),
  created: wire.time(),
  updated: wire.time(),
  name: z.string(),
  version: z.string().nullable(),
  description: z.string().nullable(),
  flow_id: z.string(),
  paused: z.boolean(),
  schedules: z.array(DeploymentSchedule),
  concurrency_limit: z.number().nullable(),
  global_concurrency_limit: GlobalConcurrencyLimit.nullable(),
  concurrency_options: z.unknown(),
  job_variables: z.record(z.string(), z.unknown()),
  parameters: z.record(z.string(), z.unknown()),
  tags: z.array(z.string()),
  labels: z.record(z.string(), z.unknown()),
  work_queue_name: z.string().nullable(),
  work_queue_id: z.string().nullable(),
  last_polled: wire.time().nullable(),
  parameter_openapi_schema: z.record(z.string(), z.unknown()).nullable(),
  path: z.string().nullable(),
  pull_steps: z.array(z.unknown()).nullable(),
  entrypoint: z.string().nullable(),
  storage_document_id: z.string().nullable(),
  infrastructure_document_id: z.string().nullable(),
  created_by: z.unknown(),
  updated_by: z.unknown(),
  work_pool_name: z.string().nullable(),
  status: z.enum(["READY", "NOT_READY"]),
  enforce_parameter_schema: z.boolean(),
  infra_overrides: z.record(z.string(), z.unknown()),
  manifest_path: z.string().nullable(),
  schedule: z.unknown(),
  is_schedule_active: z.boolean(),
}).meta({ id: "Deployment" });
export type Deployment = z.output<typeof Deployment>;

const writable = {
  paused: wire.bool().nullish(),
  concurrency_limit: wire.positiveInt().nullish(),
  concurrency_options: ConcurrencyOptions.nullish(),
  global_concurrency_limit_id: wire.uuid().nullish(),
  enforce_parameter_schema: wire.bool().nullish(),
  parameter_openapi_schema: wire.jsonObject().nullish(),
  parameters: wire.jsonObject().nullish(),
  tags: wire.tags().nullish(),
  pull_steps: z.array(wire.object()).nullish(),
  work_queue_name: wire.wantedName(),
  work_pool_name: z.string().nullish(),
  storage_document_id: wire.uuid().nullish(),
  infrastructure_document_id: wire.uuid().nullish(),
  description: z.string().nullish(),
  path: z.string().nullish(),
  version: z.string().nullish(),
  entrypoint: z.string().nullish(),
  job_variables: wire.jsonObject().nullish(),
  version_info: z.looseObject({ type: z.string(), version: z.string() }).nullish(),
  // What 2.20 clients still send.
  infra_overrides: wire.jsonObject().nullish(),
  is_schedule_active: wire.bool().nullish(),
  manifest_path: z.string().nullish(),
  schedule: Schedule.nullish(),
};

export const DeploymentCreate = z.strictObject({
  name: wire.name(),
  flow_id: wire.uuid(),
  labels: wire.labels().nullish(),
  schedules: z.array(DeploymentScheduleCreate).nullish(),
  ...writable,
}).meta({ id: "DeploymentCreate" });
export type DeploymentCreate = z.output<typeof DeploymentCreate>;

/** Only the keys that are present are written. */
export const DeploymentUpdate = z.strictObject({
  schedules: z.array(DeploymentScheduleUpdate).nullish(),
  ...writable,
  /** Ours. */
  sluice: z.strictObject({
    /** Whether the runs that wait elsewhere follow the deployment to its pool and queue. */
    move_waiting: wire.orDefault(wire.bool(), false),
  }).nullish(),
}).meta({ id: "DeploymentUpdate" });
export type DeploymentUpdate = z.output<typeof DeploymentUpdate>;

export const DeploymentPage = z.object({
  results: z.array(Deployment),
  count: z.number(),
  limit: z.number(),
  pages: z.number(),
  page: z.number(),
}).meta({ id: "DeploymentPaginationResponse" });

export const DeploymentBulkDelete = z.object({ deleted: z.array(z.string()) }).meta({
  id: "DeploymentBulkDeleteResponse",
});

/** Of `DELETE /deployments/{id}`; ours. */
export const DeleteDeploymentQuery = z.object({
  /** `cancel`: its runs that wait or run are cancelled first. */
  cascade: z.enum(["cancel"]).optional(),
});

export const GetDeploymentRunsBody = z.object({
  deployment_ids: z.array(wire.uuid()),
  scheduled_before: wire.instant().nullish(),
  limit: wire.limit(),
});
