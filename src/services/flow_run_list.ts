import { byRunSort, type FilterableRun, matchesRun } from "../domain/run_filter.ts";
import { runDocKey, runKey } from "../kv/keys.ts";
import { getMany, listAll } from "../kv/read.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { FlowRunListBody } from "../schemas/filter.ts";
import type { RunDoc, RunRecord } from "../schemas/records.ts";
import type { DeploymentQueries } from "./deployment_queries.ts";
import type { Flows } from "./flows.ts";
import type { FlowRunView } from "./flow_run_views.ts";
import type { FlowRuns } from "./flow_runs.ts";
import type { WorkPools } from "./work_pools.ts";
import type { WorkQueues } from "./work_queues.ts";

type Filters = Omit<FlowRunListBody, "limit" | "offset" | "sort">;

interface Parts {
  flows: Flows;
  pools: WorkPools;
  queues: WorkQueues;
  deployments: DeploymentQueries;
  runs: FlowRuns;
}

/** Lists and counts of runs: the clauses are evaluated over all records, or over those that are named by id. */
export class FlowRunList {
  readonly #deps: ServerDeps;
  readonly #parts: Parts;

  constructor(deps: ServerDeps, parts: Parts) {
    this.#deps = deps;
    this.#parts = parts;
  }

  async list(body: FlowRunListBody): Promise<FlowRunView[]> {
    const found = (await this.#matching(body)).sort(byRunSort(body.sort));
    const page = found.slice(body.offset, body.offset + body.limit);
    return await this.#parts.runs.views(page.map(({ run }) => run.id));
  }

  /** The flows that have a run which the filters match. */
  async flowsOf(filters: Filters): Promise<Set<string>> {
    return new Set((await this.#matching(filters)).map(({ run }) => run.flow));
  }

  async count(filters: Filters): Promise<number> {
    return (await this.#matching(filters)).length;
  }

  /** The ids of all runs that match, in no order. */
  async idsOf(filters: Filters): Promise<string[]> {
    return (await this.#matching(filters)).map(({ run }) => run.id);
  }

  /** The deployments that have a run that the filter matches. */
  async deploymentsOf(filter: NonNullable<Filters["flow_runs"]>): Promise<Set<string>> {
    const runs = await this.#matching({ flow_runs: filter });
    return new Set(runs.flatMap(({ run }) => run.deployment ?? []));
  }

  async #matching(filters: Filters): Promise<FilterableRun[]> {
    if (hasEmptyAny(filters)) return [];
    const scope = await this.#scope(filters);
    const runs = (await this.#candidates(filters)).filter((run) =>
      (!scope.flows || scope.flows.has(run.flow)) &&
      (!scope.deployments || (run.deployment !== null && scope.deployments.has(run.deployment))) &&
      (!scope.pools || (run.pool !== null && scope.pools.has(run.pool))) &&
      (!scope.queues || (run.queue !== null && scope.queues.has(run.queue)))
    );
    const docs = await this.#docs(runs);
    return runs.flatMap((run): FilterableRun[] => {
      const doc = docs.get(run.id);
      if (!doc) return [];
      const one = {
        run,
        doc,
        queueName: run.queue === null ? null : scope.queueNames.get(run.queue) ?? null,
      };
      return matchesRun(filters.flow_runs, one) ? [one] : [];
    });
  }

  /** Filters on related objects, resolved to the ids that match. */
  async #scope(filters: Filters) {
    const { flows, pools, queues, deployments } = this.#parts;
    const ids = (objects: readonly { id: string }[]) => new Set(objects.map(({ id }) => id));
    return {
      flows: filters.flows && ids(await flows.matching(filters.flows)),
      pools: filters.work_pools && ids(await pools.matching(filters.work_pools)),
      queues: filters.work_pool_queues && ids(await queues.matching(filters.work_pool_queues)),
      deployments: filters.deployments &&
        ids(await deployments.matching({ deployments: filters.deployments })),
      queueNames: new Map((await queues.matching(null)).map(({ id, name }) => [id, name])),
    };
  }

  async #candidates(filters: Filters): Promise<RunRecord[]> {
    const { kv } = this.#deps;
    const isNarrow = filters.flow_runs?.operator !== "or_";
    const named = isNarrow ? filters.flow_runs?.id?.any_ : undefined;
    if (named) {
      const entries = await getMany(kv, [...new Set(named)].map(runKey));
      return entries.flatMap(({ value }) => value ?? []);
    }
    const entries = await listAll(kv, runKey("").slice(0, 1) as Deno.KvKey, { batchSize: 500 });
    return entries.map(({ value }) => value as RunRecord);
  }

  async #docs(runs: readonly RunRecord[]): Promise<Map<string, RunDoc>> {
    const { kv } = this.#deps;
    const few = runs.length <= 100;
    const docs = few
      ? (await getMany(kv, runs.map(({ id }) => runDocKey(id)))).flatMap(({ value }) => value ?? [])
      : (await listAll(kv, runDocKey("").slice(0, 1) as Deno.KvKey, { batchSize: 500 }))
        .map(({ value }) => value as RunDoc);
    return new Map(docs.map((doc) => [doc.id, doc]));
  }
}

/** An empty `any_` of an ID filter matches nothing: idle clients ask this all day, and it must cost no read. */
function hasEmptyAny({ flows, flow_runs: runs, deployments }: Filters): boolean {
  return [flows, runs, deployments].some((filter) =>
    filter?.operator !== "or_" && filter?.id?.any_?.length === 0
  );
}
