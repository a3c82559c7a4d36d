/** Filters on runs and on what they belong to, made one clause on runs. */
import { all, ALWAYS, type Clause, NEVER, type Part, word } from "../domain/run_clause.ts";
import { runClause } from "../domain/run_filter.ts";
import type { FlowRunFilters, TaskRunFilter } from "../schemas/filter.ts";
import type { WordColumn } from "../schemas/run_row.ts";
import type { DeploymentQueries } from "./deployment_queries.ts";
import type { Flows } from "./flows.ts";
import type { WorkPools } from "./work_pools.ts";
import type { WorkQueues } from "./work_queues.ts";

export interface ScopeParts {
  flows: Flows;
  pools: WorkPools;
  queues: WorkQueues;
  deployments: DeploymentQueries;
}

/** What {@link scopeOf} found. */
export interface Scope {
  clause: Clause;
  /** The flows that the filter on flows matches; undefined without one. */
  flows: ReadonlySet<string> | undefined;
}

/** Reads the small collections that the filters name, and only those. */
export async function scopeOf(filters: FlowRunFilters, parts: ScopeParts): Promise<Scope> {
  // Clauses that need nothing to be read may decide everything: idle clients ask for no runs all day.
  if (matchesNothing(filters)) return { clause: NEVER, flows: undefined };
  const { flows, pools, queues, deployments } = parts;
  const names = filters.flow_runs?.work_queue_name ? await queues.matching(null) : [];
  const nameOf = new Map(names.map(({ id, name }) => [id, name]));
  const ownFlows = filters.flows && idsOf(await flows.matching(filters.flows));
  const clause = all(
    runClause(filters.flow_runs, (id) => id === null ? null : nameOf.get(id) ?? null),
    isIn("flow", ownFlows),
    isIn(
      "deployment",
      filters.deployments && idsOf(await deployments.matching({ deployments: filters.deployments })),
    ),
    isIn("pool", filters.work_pools && idsOf(await pools.matching(filters.work_pools))),
    isIn("queue", filters.work_pool_queues && idsOf(await queues.matching(filters.work_pool_queues))),
  );
  return { clause, flows: ownFlows ?? undefined };
}

function matchesNothing({ flows, deployments, flow_runs: runs, task_runs: tasks }: FlowRunFilters): boolean {
  const isEmptyById = [flows, deployments].some((filter) =>
    filter && filter.operator !== "or_" && filter.id?.any_?.length === 0
  );
  return isEmptyById || taskClause(tasks).kind === "never" || runClause(runs, () => null).kind === "never";
}

/** Task runs are not kept in this release, so no run has one that fulfils anything. */
function taskClause(filter: TaskRunFilter | null | undefined): Clause {
  return filter && constrains(filter) ? NEVER : ALWAYS;
}

/** Whether a filter says anything at all. */
function constrains({ operator: _, ...clauses }: Record<string, unknown>): boolean {
  return Object.values(clauses).some((clause) =>
    typeof clause === "object" && clause !== null && !Array.isArray(clause)
      ? constrains(clause as Record<string, unknown>)
      : clause !== null && clause !== undefined
  );
}

const idsOf = (objects: readonly { id: string }[]): Set<string> => new Set(objects.map(({ id }) => id));

function isIn(column: WordColumn, ids: ReadonlySet<string> | null | undefined): Part {
  if (!ids) return undefined;
  return ids.size === 0 ? NEVER : word(column, (value) => value !== null && ids.has(value));
}
