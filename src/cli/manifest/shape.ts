/** The shape of a manifest: what a prefect.yaml says about deployments, and what is ours beside it. */
import { z } from "zod";
import * as wire from "../../schemas/wire.ts";

const text = () => z.string().nullish();
const values = () => z.record(z.string(), z.unknown()).nullish();
/** Known in a prefect.yaml, without meaning here. */
const ignored = () => z.unknown().optional();

export const ScheduleShape = z.strictObject({
  cron: text(),
  interval: wire.positive().nullish(),
  rrule: text(),
  timezone: text(),
  day_or: wire.bool().nullish(),
  anchor_date: text(),
  active: wire.bool().nullish(),
  max_scheduled_runs: wire.int(1).nullish(),
  max_active_runs: wire.int(1).nullish(),
  catchup: wire.bool().nullish(),
  parameters: values(),
  slug: text(),
});
export type ScheduleShape = z.output<typeof ScheduleShape>;

export const PoolReference = z.strictObject({
  name: wire.name().nullish(),
  work_queue_name: wire.name().nullish(),
  job_variables: values(),
});

export const LimitShape = z.strictObject({
  limit: wire.int(1),
  collision_strategy: z.enum(["ENQUEUE", "CANCEL_NEW"]).nullish(),
});

export const DeploymentShape = z.strictObject({
  name: wire.name(),
  flow: wire.name().nullish(),
  flow_name: wire.name().nullish(),
  entrypoint: text(),
  description: text(),
  version: text(),
  tags: z.array(z.string()).nullish(),
  parameters: values(),
  schedule: z.unknown().optional(),
  schedules: z.array(z.unknown()).nullish(),
  work_pool: PoolReference.nullish(),
  enforce_parameter_schema: wire.bool().nullish(),
  concurrency_limit: z.unknown().optional(),
  paused: wire.bool().nullish(),
  command: text(),
  working_dir: text(),
  env: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).nullish(),
  timeout_seconds: wire.positive().nullish(),
  build: ignored(),
  push: ignored(),
  pull: ignored(),
  triggers: ignored(),
  sla: ignored(),
});
export type DeploymentShape = z.output<typeof DeploymentShape>;

/** Keys of a deployment that become job variables. */
export const JOB_KEYS = ["command", "working_dir", "env", "timeout_seconds"] as const;
export const IGNORED_IN_DEPLOYMENT = ["build", "push", "pull", "triggers", "sla"] as const;

export const QueueShape = z.strictObject({
  name: wire.keyName(),
  priority: wire.int(1).nullish(),
  concurrency_limit: wire.int(0).nullish(),
});
export type QueueShape = z.output<typeof QueueShape>;

export const PoolShape = z.strictObject({
  name: wire.keyName(),
  type: text(),
  concurrency_limit: wire.int(0).nullish(),
  description: text(),
  queues: z.array(QueueShape).nullish(),
});
export type PoolShape = z.output<typeof PoolShape>;

export const IGNORED_AT_TOP = ["name", "prefect-version", "build", "push", "pull", "definitions"] as const;

/** The lists are checked item by item, so that one bad item does not hide what is wrong with the others. */
export const ManifestShape = z.strictObject({
  deployments: z.array(z.unknown()).nullish(),
  work_pools: z.array(z.unknown()).nullish(),
  name: ignored(),
  "prefect-version": ignored(),
  build: ignored(),
  push: ignored(),
  pull: ignored(),
  definitions: ignored(),
});
