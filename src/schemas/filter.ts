import { z } from "zod";
import { STATE_TYPES } from "./records.ts";
import * as wire from "./wire.ts";

const ids = () => z.array(wire.uuid()).nullish();
const words = () => z.array(z.string()).nullish();
const isNull = { is_null_: wire.bool().nullish() };
const operator = { operator: wire.orDefault(z.enum(["and_", "or_"]), "and_") };
const period = z.strictObject({
  before_: wire.instant().nullish(),
  after_: wire.instant().nullish(),
});
const startPeriod = period.extend(isNull);
const nameLike = z.strictObject({ any_: words(), like_: z.string().nullish() });

/** In all of these, absent and null mean no constraint; an empty `any_` matches nothing. */
export const FlowFilter = z.strictObject({
  ...operator,
  id: z.strictObject({ any_: ids(), not_any_: ids() }).nullish(),
  name: nameLike.nullish(),
  tags: z.strictObject({ ...operator, all_: words(), ...isNull }).nullish(),
  deployment: z.strictObject({ ...operator, ...isNull }).nullish(),
}).meta({ id: "FlowFilter" });
export type FlowFilter = z.output<typeof FlowFilter>;

export const FlowRunFilter = z.strictObject({
  ...operator,
  id: z.strictObject({ any_: ids(), not_any_: ids() }).nullish(),
  name: nameLike.nullish(),
  tags: z.strictObject({ ...operator, all_: words(), any_: words(), ...isNull }).nullish(),
  deployment_id: z.strictObject({ ...operator, any_: ids(), ...isNull }).nullish(),
  work_queue_name: z.strictObject({ ...operator, any_: words(), ...isNull }).nullish(),
  state: z.strictObject({
    ...operator,
    type: z.strictObject({
      any_: z.array(z.enum(STATE_TYPES)).nullish(),
      not_any_: z.array(z.enum(STATE_TYPES)).nullish(),
    }).nullish(),
    name: z.strictObject({ any_: words(), not_any_: words() }).nullish(),
  }).nullish(),
  flow_version: z.strictObject({ any_: words() }).nullish(),
  start_time: startPeriod.nullish(),
  end_time: startPeriod.nullish(),
  expected_start_time: period.nullish(),
  next_scheduled_start_time: period.nullish(),
  parent_flow_run_id: z.strictObject({ ...operator, any_: ids() }).nullish(),
  parent_task_run_id: z.strictObject({ ...operator, any_: ids(), ...isNull }).nullish(),
  idempotency_key: z.strictObject({ any_: words(), not_any_: words() }).nullish(),
  created_by: z.strictObject({ ...operator, id_: ids(), type_: words(), ...isNull }).nullish(),
}).meta({ id: "FlowRunFilter" });
export type FlowRunFilter = z.output<typeof FlowRunFilter>;

export const DeploymentFilter = z.strictObject({
  ...operator,
  id: z.strictObject({ any_: ids(), not_any_: ids() }).nullish(),
  name: nameLike.nullish(),
  flow_or_deployment_name: z.strictObject({ like_: z.string().nullish() }).nullish(),
  paused: z.strictObject({ eq_: wire.bool().nullish() }).nullish(),
  tags: z.strictObject({ ...operator, all_: words(), any_: words(), ...isNull }).nullish(),
  work_queue_name: z.strictObject({ any_: words() }).nullish(),
  /** Has no effect in the reference either. */
  concurrency_limit: z.strictObject({ ge_: wire.int().nullish(), le_: wire.int().nullish(), ...isNull })
    .nullish(),
  /** What 2.20 clients send. */
  is_schedule_active: z.strictObject({ eq_: wire.bool().nullish() }).nullish(),
}).meta({ id: "DeploymentFilter" });
export type DeploymentFilter = z.output<typeof DeploymentFilter>;

/** Task runs are not kept in this release: a filter of them that constrains anything matches nothing. */
export const TaskRunFilter = z.strictObject({
  ...operator,
  id: z.strictObject({ any_: ids() }).nullish(),
  name: nameLike.nullish(),
  tags: z.strictObject({ ...operator, all_: words(), ...isNull }).nullish(),
  state: z.strictObject({
    ...operator,
    type: z.strictObject({ any_: z.array(z.enum(STATE_TYPES)).nullish() }).nullish(),
    name: z.strictObject({ any_: words() }).nullish(),
  }).nullish(),
  start_time: startPeriod.nullish(),
  end_time: startPeriod.nullish(),
  expected_start_time: period.nullish(),
  subflow_runs: z.strictObject({ exists_: wire.bool().nullish() }).nullish(),
  flow_run_id: z.strictObject({ ...operator, any_: ids(), ...isNull }).nullish(),
}).meta({ id: "TaskRunFilter" });
export type TaskRunFilter = z.output<typeof TaskRunFilter>;

export const WorkPoolFilter = z.strictObject({
  ...operator,
  id: z.strictObject({ any_: ids() }).nullish(),
  name: z.strictObject({ any_: words() }).nullish(),
  type: z.strictObject({ any_: words() }).nullish(),
}).meta({ id: "WorkPoolFilter" });
export type WorkPoolFilter = z.output<typeof WorkPoolFilter>;

export const WorkQueueFilter = z.strictObject({
  ...operator,
  id: z.strictObject({ any_: ids() }).nullish(),
  name: z.strictObject({ any_: words(), startswith_: words() }).nullish(),
}).meta({ id: "WorkQueueFilter" });
export type WorkQueueFilter = z.output<typeof WorkQueueFilter>;

export const FLOW_RUN_SORTS = [
  "ID_DESC",
  "START_TIME_ASC",
  "START_TIME_DESC",
  "EXPECTED_START_TIME_ASC",
  "EXPECTED_START_TIME_DESC",
  "NAME_ASC",
  "NAME_DESC",
  "NEXT_SCHEDULED_START_TIME_ASC",
  "END_TIME_DESC",
] as const;
export type FlowRunSort = (typeof FLOW_RUN_SORTS)[number];

const page = { limit: wire.limit(), offset: wire.offset() };
const byName = ["CREATED_DESC", "UPDATED_DESC", "NAME_ASC", "NAME_DESC"] as const;
export type NameSort = (typeof byName)[number];

/** The filters that everything about runs shares; all of them have to hold. */
const filters = {
  flows: FlowFilter.nullish(),
  flow_runs: FlowRunFilter.nullish(),
  task_runs: TaskRunFilter.nullish(),
  deployments: DeploymentFilter.nullish(),
  work_pools: WorkPoolFilter.nullish(),
  work_pool_queues: WorkQueueFilter.nullish(),
};

export const FlowRunListBody = z.object({
  ...filters,
  sort: wire.orDefault(z.enum(FLOW_RUN_SORTS), "ID_DESC"),
  ...page,
});
export type FlowRunListBody = z.output<typeof FlowRunListBody>;

export const FlowRunFilters = z.object(filters);
export type FlowRunFilters = z.output<typeof FlowRunFilters>;

export const FlowRunPaginateBody = z.object({
  ...filters,
  sort: wire.orDefault(z.enum(FLOW_RUN_SORTS), "ID_DESC"),
  page: wire.orDefault(wire.int(1), 1),
  limit: wire.limit(),
});
export type FlowRunPaginateBody = z.output<typeof FlowRunPaginateBody>;

const { work_pool_queues: queues, ...common } = filters;
export const FlowRunHistoryBody = z.object({
  history_start: wire.instant(),
  history_end: wire.instant(),
  history_interval_seconds: wire.positive(),
  ...common,
  /** The reference's name for it here; elsewhere it is `work_pool_queues`. */
  work_queues: queues,
  work_pool_queues: queues,
});
export type FlowRunHistoryBody = z.output<typeof FlowRunHistoryBody>;

/** Task runs are refused by the service: there is nothing that could answer. */
const flowFilters = {
  flows: FlowFilter.nullish(),
  flow_runs: FlowRunFilter.nullish(),
  task_runs: z.unknown().optional(),
  deployments: DeploymentFilter.nullish(),
  work_pools: WorkPoolFilter.nullish(),
};
const flowSort = { sort: wire.orDefault(z.enum(byName), "NAME_ASC") };

export const FlowListBody = z.object({ ...flowFilters, ...flowSort, ...page });
export type FlowListBody = z.output<typeof FlowListBody>;

export const FlowCountBody = z.object(flowFilters);
/** The filters of a list of flows. */
export type FlowFilters = z.output<typeof FlowCountBody>;

export const FlowPaginateBody = z.object({
  ...flowFilters,
  ...flowSort,
  page: wire.orDefault(wire.int(1), 1),
  limit: wire.limit(),
});

export const FlowBulkDeleteBody = z.object({
  flows: FlowFilter.nullish(),
  limit: wire.orDefault(wire.int(1, 50), 50),
});

/** Task runs are refused by the service: there is nothing that could answer. */
const deploymentFilters = { ...filters, task_runs: z.unknown().optional() };
const nameSort = { sort: wire.orDefault(z.enum(byName), "NAME_ASC") };

export const DeploymentListBody = z.object({ ...deploymentFilters, ...nameSort, ...page });
export type DeploymentListBody = z.output<typeof DeploymentListBody>;

export const DeploymentCountBody = z.object(deploymentFilters);
/** The filters of a list of deployments. */
export type DeploymentListFilters = z.output<typeof DeploymentCountBody>;

export const DeploymentPaginateBody = z.object({
  ...deploymentFilters,
  ...nameSort,
  page: wire.orDefault(wire.int(1), 1),
  limit: wire.limit(),
});

export const DeploymentBulkDeleteBody = z.object({
  deployments: DeploymentFilter.nullish(),
  limit: wire.orDefault(wire.int(1, 50), 50),
});

export const WorkPoolCountBody = z.object({ work_pools: WorkPoolFilter.nullish() });

export const WorkPoolListBody = z.object({ work_pools: WorkPoolFilter.nullish(), ...page });
export type WorkPoolListBody = z.output<typeof WorkPoolListBody>;

/** Queues of one pool: `work_queues` (2.20 and 3.x send it under this name). */
export const WorkQueueListBody = z.object({ work_queues: WorkQueueFilter.nullish(), ...page });
export type WorkQueueListBody = z.output<typeof WorkQueueListBody>;

export const LogFilter = z.strictObject({
  ...operator,
  level: z.strictObject({ ge_: wire.int().nullish(), le_: wire.int().nullish() }).nullish(),
  timestamp: period.nullish(),
  flow_run_id: z.strictObject({ any_: ids() }).nullish(),
  task_run_id: z.strictObject({ any_: ids(), ...isNull }).nullish(),
  text: z.strictObject({ query: z.string().max(200) }).nullish(),
}).meta({ id: "LogFilter" });
export type LogFilter = z.output<typeof LogFilter>;

export const LogListBody = z.object({
  logs: LogFilter.nullish(),
  sort: wire.orDefault(z.enum(["TIMESTAMP_ASC", "TIMESTAMP_DESC"]), "TIMESTAMP_ASC"),
  ...page,
});
export type LogListBody = z.output<typeof LogListBody>;
