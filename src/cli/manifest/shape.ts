/** The shape of a manifest: what a prefect.yaml says about deployments, and what is ours beside it. */
import { z } from "zod";
import * as wire from "../../schemas/wire.ts";

const text = (says: string) => z.string().nullish().describe(says);
const values = (says: string) => z.record(z.string(), z.unknown()).nullish().describe(says);
/** Known in a prefect.yaml, without meaning here. */
const ignored = () => z.unknown().optional().describe("Of a prefect.yaml; has no effect here");

export const ScheduleShape = z.strictObject({
  cron: text("Five fields, or a shorthand like @daily"),
  interval: wire.positive().nullish().describe("Seconds between two runs"),
  rrule: text("A recurrence rule of iCalendar"),
  timezone: text("An IANA time zone, like Europe/Vienna"),
  day_or: wire.bool().nullish().describe("Whether day of month or day of week is enough"),
  anchor_date: text("A time from which the intervals are counted"),
  active: wire.bool().nullish().describe("Whether it makes runs"),
  max_scheduled_runs: wire.int(1).nullish().describe("Runs that are made ahead"),
  max_active_runs: wire.int(1).nullish(),
  catchup: wire.bool().nullish(),
  parameters: values("Parameters of its runs, over those of the deployment"),
  slug: text("A name by which the schedule is known"),
});
export type ScheduleShape = z.output<typeof ScheduleShape>;

export const PoolReference = z.strictObject({
  name: wire.name().nullish().describe("The work pool"),
  work_queue_name: wire.name().nullish().describe("The work queue; the pool's default queue without it"),
  job_variables: values("Values for the job template of the pool"),
});

export const LimitShape = z.strictObject({
  limit: wire.int(1).describe("Runs of the deployment at once"),
  collision_strategy: z.enum(["ENQUEUE", "CANCEL_NEW"]).nullish()
    .describe("What becomes of a run above the limit"),
});

export const DeploymentShape = z.strictObject({
  name: wire.name().describe("The deployment is called FLOW/NAME"),
  flow: wire.name().nullish().describe("The flow's name; without it that of the entrypoint's function"),
  flow_name: wire.name().nullish().describe("The same as flow"),
  entrypoint: text("A Python flow, as FILE:FUNCTION; Prefect's engine runs it"),
  description: text("What it is for"),
  version: text("Its version"),
  tags: z.array(z.string()).nullish().describe("Tags of the deployment and its runs"),
  parameters: values("Parameters of the runs; each is in the environment as SLUICE_PARAM_<name>"),
  schedule: z.unknown().optional().describe("One schedule, or a list"),
  schedules: z.array(z.unknown()).nullish().describe("When runs are made"),
  work_pool: PoolReference.nullish().describe("Where the runs go"),
  enforce_parameter_schema: wire.bool().nullish().describe("Whether parameters are checked against a schema"),
  concurrency_limit: z.unknown().optional().describe("Runs of the deployment at once"),
  paused: wire.bool().nullish().describe("Whether its schedules make no runs"),
  command: text("What the agent runs: split into words, then {{ placeholders }} are filled; no shell"),
  working_dir: text("The folder in which the command starts"),
  env: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).nullish()
    .describe("Environment variables of the command"),
  timeout_seconds: wire.positive().nullish().describe("After this long the run is ended"),
  version_type: ignored(),
  build: ignored(),
  push: ignored(),
  pull: ignored(),
  triggers: ignored(),
  sla: ignored(),
});
export type DeploymentShape = z.output<typeof DeploymentShape>;

/** Keys of a deployment that become job variables. */
export const JOB_KEYS = ["command", "working_dir", "env", "timeout_seconds"] as const;
export const IGNORED_IN_DEPLOYMENT = ["version_type", "build", "push", "pull", "triggers", "sla"] as const;

export const QueueShape = z.strictObject({
  name: wire.keyName().describe("Unique in its pool"),
  priority: wire.int(1).nullish().describe("Lower numbers are served first"),
  concurrency_limit: wire.int(0).nullish().describe("Runs of the queue at once; 0: none"),
});
export type QueueShape = z.output<typeof QueueShape>;

export const PoolShape = z.strictObject({
  name: wire.keyName().describe("Unique"),
  type: text("The kind of infrastructure; prefect-agent without it"),
  concurrency_limit: wire.int(0).nullish().describe("Runs of the pool at once; 0: none"),
  description: text("What it is for"),
  queues: z.array(QueueShape).nullish().describe("Queues beside the default one"),
});
export type PoolShape = z.output<typeof PoolShape>;

export const IGNORED_AT_TOP = ["name", "prefect-version", "build", "push", "pull", "definitions"] as const;

/** The lists are checked item by item, so that one bad item does not hide what is wrong with the others. */
export const ManifestShape = z.strictObject({
  deployments: z.array(z.unknown()).nullish().describe("What there is to run"),
  work_pools: z.array(z.unknown()).nullish().describe("Work pools that are made if they are missing"),
  name: ignored(),
  "prefect-version": ignored(),
  build: ignored(),
  push: ignored(),
  pull: ignored(),
  definitions: ignored(),
});

/** The whole file with all that its lists hold, as editors want to know it. */
export const ManifestFile = ManifestShape.extend({
  deployments: z.array(DeploymentShape.extend({
    schedule: z.union([ScheduleShape, z.array(ScheduleShape), z.null()]).optional()
      .describe("One schedule, or a list"),
    schedules: z.array(ScheduleShape).nullish().describe("When runs are made"),
    concurrency_limit: z.union([wire.int(1), LimitShape, z.null()]).optional()
      .describe("Runs of the deployment at once"),
  })).nullish().describe("What there is to run"),
  work_pools: z.array(PoolShape).nullish().describe("Work pools that are made if they are missing"),
});
