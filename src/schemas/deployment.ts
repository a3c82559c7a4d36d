import { z } from "zod";
import * as wire from "./wire.ts";

const timezone = () => z.string().nullish();
const IntervalSchedule = z.strictObject({
  interval: wire.positive(),
  anchor_date: z.unknown().optional(),
  timezone: timezone(),
});
const CronSchedule = z.strictObject({
  cron: z.string(),
  timezone: timezone(),
  day_or: wire.bool().nullish(),
});
const RRuleSchedule = z.strictObject({ rrule: z.string(), timezone: timezone() });

/** Schedules are kept and returned; they make no runs yet. */
export const DeploymentScheduleCreate = z.strictObject({
  schedule: z.union([IntervalSchedule, CronSchedule, RRuleSchedule]),
  active: wire.orDefault(wire.bool(), true),
  max_scheduled_runs: wire.positiveInt().nullish(),
  parameters: wire.object().nullish(),
  slug: z.string().nullish(),
  replaces: z.string().nullish(),
  max_active_runs: wire.positiveInt().nullish(),
  catchup: wire.bool().nullish(),
});
export type DeploymentScheduleCreate = z.output<typeof DeploymentScheduleCreate>;

export const Deployment = z.object({
  id: z.string(),
  created: wire.time(),
  updated: wire.time(),
  name: z.string(),
  version: z.string().nullable(),
  description: z.string().nullable(),
  flow_id: z.string(),
  paused: z.boolean(),
  schedules: z.array(z.record(z.string(), z.unknown())),
  concurrency_limit: z.number().nullable(),
  global_concurrency_limit: z.unknown(),
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
  schedules: z.array(DeploymentScheduleCreate).nullish(),
  concurrency_limit: wire.positiveInt().nullish(),
  concurrency_options: wire.jsonObject().nullish(),
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
  version_info: z.unknown().optional(),
  // What 2.20 clients still send.
  infra_overrides: wire.jsonObject().nullish(),
  is_schedule_active: wire.bool().nullish(),
  manifest_path: z.string().nullish(),
  schedule: z.unknown().optional(),
};

export const DeploymentCreate = z.strictObject({
  name: wire.name(),
  flow_id: wire.uuid(),
  labels: wire.labels().nullish(),
  ...writable,
}).meta({ id: "DeploymentCreate" });
export type DeploymentCreate = z.output<typeof DeploymentCreate>;

/** Only the keys that are present are written. */
export const DeploymentUpdate = z.strictObject({
  ...writable,
  /** Ours. */
  sluice: z.strictObject({
    /** Whether the runs that wait elsewhere follow the deployment to its pool and queue. */
    move_waiting: wire.orDefault(wire.bool(), false),
  }).nullish(),
}).meta({ id: "DeploymentUpdate" });
export type DeploymentUpdate = z.output<typeof DeploymentUpdate>;
