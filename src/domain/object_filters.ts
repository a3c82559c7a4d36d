/** Which flows and deployments a filter means. */
import type { DeploymentFilter, FlowFilter } from "../schemas/filter.ts";
import type { DeploymentRecord, FlowRecord } from "../schemas/records.ts";
import { combine, isAny, isLike, isNotAny, isNull } from "./clauses.ts";

interface TagFilter {
  operator: "and_" | "or_";
  all_?: string[] | null | undefined;
  any_?: string[] | null | undefined;
  is_null_?: boolean | null | undefined;
}

const hasTags = ({ operator, all_, any_, is_null_ }: TagFilter, tags: readonly string[]): boolean =>
  combine(operator, [
    all_?.every((tag) => tags.includes(tag)),
    any_?.some((tag) => tags.includes(tag)),
    isNull(is_null_, tags.length === 0),
  ]);

/** Absent and null clauses are no constraint. `hasDeployment`: whether some deployment is of the flow. */
export function matchesFlow(
  filter: FlowFilter | null | undefined,
  flow: FlowRecord,
  hasDeployment: (flow: string) => boolean,
): boolean {
  if (!filter) return true;
  const { id, name, tags, deployment } = filter;
  return combine(filter.operator, [
    id && combine("and_", [isAny(id.any_, flow.id), isNotAny(id.not_any_, flow.id)]),
    name && combine("and_", [isAny(name.any_, flow.name), isLike(name.like_, flow.name)]),
    tags && hasTags(tags, flow.tags),
    deployment && combine("and_", [
      isNull(deployment.is_null_, !hasDeployment(flow.id)),
    ]),
  ]);
}

/** What a deployment points at, by name. */
export interface DeploymentNames {
  flowName: string;
  queueName: string | null;
}

/** Absent and null clauses are no constraint; `concurrency_limit` is none either, as in the reference. */
export function matchesDeployment(
  filter: DeploymentFilter | null | undefined,
  deployment: DeploymentRecord,
  names: (deployment: DeploymentRecord) => DeploymentNames,
): boolean {
  if (!filter) return true;
  const { id, name, tags, paused, flow_or_deployment_name: either, work_queue_name: queue } = filter;
  return combine(filter.operator, [
    id && combine("and_", [isAny(id.any_, deployment.id), isNotAny(id.not_any_, deployment.id)]),
    name && combine("and_", [isAny(name.any_, deployment.name), isLike(name.like_, deployment.name)]),
    either &&
    combine("and_", [
      isLike(either.like_, deployment.name) || isLike(either.like_, names(deployment).flowName),
    ]),
    paused && combine("and_", [isNull(paused.eq_, deployment.paused)]),
    filter.is_schedule_active &&
    combine("and_", [isNull(filter.is_schedule_active.eq_, !deployment.paused)]),
    tags && hasTags(tags, deployment.tags),
    queue && combine("and_", [isAny(queue.any_, names(deployment).queueName)]),
  ]);
}
