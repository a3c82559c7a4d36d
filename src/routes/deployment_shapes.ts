import type { Deployment } from "../schemas/deployment.ts";
import type { DeploymentRecord, ScheduleRecord } from "../schemas/records.ts";
import type { DeploymentSchedule } from "../schemas/schedule.ts";
import { formatInstant, formatOptional, fromJsonText } from "../schemas/wire.ts";
import type { DeploymentView } from "../services/deployments.ts";
import { object, optionalJson } from "./shapes.ts";

export function toDeployment(view: DeploymentView): Deployment {
  const { deployment } = view;
  const jobVariables = object(view.jobVariables);
  const schedules = view.schedules.map((schedule) => toSchedule(schedule, deployment.id));
  return {
    id: deployment.id,
    created: formatInstant(deployment.created),
    updated: formatInstant(deployment.updated),
    name: deployment.name,
    version: deployment.version,
    description: deployment.description,
    flow_id: deployment.flow,
    paused: deployment.paused,
    schedules,
    concurrency_limit: deployment.concurrencyLimit,
    global_concurrency_limit: toLimit(deployment, view.held),
    concurrency_options: optionalJson(deployment.concurrencyOptions),
    job_variables: jobVariables,
    parameters: object(view.parameters),
    tags: deployment.tags,
    labels: object(deployment.labels),
    work_queue_name: view.queueName,
    work_queue_id: view.queueName === null ? null : deployment.queue,
    last_polled: formatOptional(view.lastPolled),
    parameter_openapi_schema: object(view.parameterSchema),
    path: deployment.path,
    pull_steps: optionalJson(view.pullSteps) as unknown[] | null,
    entrypoint: deployment.entrypoint,
    storage_document_id: deployment.storageDocumentId,
    infrastructure_document_id: deployment.infrastructureDocumentId,
    created_by: null,
    updated_by: null,
    work_pool_name: view.poolName,
    status: view.status,
    enforce_parameter_schema: deployment.enforceParameterSchema,
    // What 2.20 clients read.
    infra_overrides: jobVariables,
    manifest_path: null,
    schedule: schedules[0]?.schedule ?? null,
    is_schedule_active: !deployment.paused,
  };
}

/** The deployment's limit as the reference shows it. */
function toLimit(
  { id, concurrencyLimit, limit }: DeploymentRecord,
  held: number,
): Deployment["global_concurrency_limit"] {
  if (concurrencyLimit === null || limit === null) return null;
  return {
    id: limit.id,
    created: formatInstant(limit.created),
    updated: formatInstant(limit.updated),
    active: true,
    name: `deployment:${id}`,
    limit: concurrencyLimit,
    active_slots: held,
    slot_decay_per_second: 0,
  };
}

export function toSchedule(schedule: ScheduleRecord, deployment: string): DeploymentSchedule {
  return {
    id: schedule.id,
    created: formatInstant(schedule.created),
    updated: formatInstant(schedule.updated),
    deployment_id: deployment,
    schedule: fromJsonText(schedule.schedule) as Record<string, unknown>,
    active: schedule.active,
    max_scheduled_runs: schedule.maxScheduledRuns,
    parameters: object(schedule.parameters),
    slug: schedule.slug,
    catchup: schedule.catchup,
    max_active_runs: schedule.maxActiveRuns,
  };
}
