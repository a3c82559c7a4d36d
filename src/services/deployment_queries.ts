import { type DeploymentNames, matchesDeployment } from "../domain/object_filters.ts";
import { deploymentKey, deploymentOrderKey } from "../kv/keys.ts";
import { getMany, listAll } from "../kv/read.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { DeploymentListFilters, NameSort } from "../schemas/filter.ts";
import type { DeploymentRecord } from "../schemas/records.ts";
import { byNameSort, type Flows } from "./flows.ts";
import type { WorkPools } from "./work_pools.ts";
import type { WorkQueues } from "./work_queues.ts";

/** Filters that have to hold together. `among`: ids, one of which it has to be. */
export type DeploymentFilters = Omit<DeploymentListFilters, "flow_runs" | "task_runs"> & {
  among?: ReadonlySet<string>;
};

/** What a question about deployments asks for, beside its filters. */
export interface DeploymentPage {
  sort: NameSort;
  limit: number;
  offset: number;
}

/** Finds deployments' records. */
export class DeploymentQueries {
  readonly #deps: ServerDeps;
  readonly #flows: Flows;
  readonly #pools: WorkPools;
  readonly #queues: WorkQueues;

  constructor(deps: ServerDeps, flows: Flows, pools: WorkPools, queues: WorkQueues) {
    this.#deps = deps;
    this.#flows = flows;
    this.#pools = pools;
    this.#queues = queues;
  }

  /**
   * The deployments of a page. Without filters and by name, it reads what stands before and on the page; else every
   * deployment that may match, once.
   */
  async page(filters: DeploymentFilters, page: DeploymentPage): Promise<DeploymentRecord[]> {
    const isByName = page.sort === "NAME_ASC" || page.sort === "NAME_DESC";
    if (isByName && !isFiltered(filters)) return await this.#pageByName(page);
    const found = (await this.matching(filters)).sort(byNameSort(page.sort));
    return found.slice(page.offset, page.offset + page.limit);
  }

  async count(filters: DeploymentFilters): Promise<number> {
    if (isFiltered(filters)) return (await this.matching(filters)).length;
    return (await this.#order({})).length;
  }

  /** All deployments that match all the filters, in no order. */
  async matching(filters: DeploymentFilters): Promise<DeploymentRecord[]> {
    const { flows, pools, queues } = await this.#scope(filters);
    const names = await this.#names(filters.deployments);
    return (await this.#candidates(filters)).filter((deployment) =>
      matchesDeployment(filters.deployments, deployment, names) &&
      (!flows || flows.has(deployment.flow)) &&
      (!pools || (deployment.pool !== null && pools.has(deployment.pool))) &&
      (!queues || (deployment.queue !== null && queues.has(deployment.queue)))
    );
  }

  /** Filters on related objects, resolved to the ids that match. */
  async #scope(filters: DeploymentFilters) {
    const ids = (objects: readonly { id: string }[]) => new Set(objects.map(({ id }) => id));
    return {
      flows: filters.flows && ids(await this.#flows.matching(filters.flows)),
      pools: filters.work_pools && ids(await this.#pools.matching(filters.work_pools)),
      queues: filters.work_pool_queues && ids(await this.#queues.matching(filters.work_pool_queues)),
    };
  }

  /** Names of what deployments point at, read as far as the filter asks for them. */
  async #names(
    filter: DeploymentFilters["deployments"],
  ): Promise<(deployment: DeploymentRecord) => DeploymentNames> {
    const flows = filter?.flow_or_deployment_name?.like_ ? await this.#flows.matching(null) : [];
    const queues = filter?.work_queue_name?.any_ ? await this.#queues.matching(null) : [];
    const nameOf = new Map([...flows, ...queues].map(({ id, name }) => [id, name]));
    return ({ flow, queue }) => ({
      flowName: nameOf.get(flow) ?? "",
      queueName: queue === null ? null : nameOf.get(queue) ?? null,
    });
  }

  /** All, or those that are named by id. */
  async #candidates({ deployments, among }: DeploymentFilters): Promise<DeploymentRecord[]> {
    const named = among ?? (deployments?.operator === "or_" ? undefined : deployments?.id?.any_);
    if (named) return await this.byIds(named);
    const prefix = deploymentKey("").slice(0, 1) as Deno.KvKey;
    const entries = await listAll<DeploymentRecord>(this.#deps.kv, prefix, { batchSize: 500 });
    return entries.map(({ value }) => value);
  }

  async #pageByName({ sort, limit, offset }: DeploymentPage): Promise<DeploymentRecord[]> {
    const keys = await this.#order({ limit: offset + limit, reverse: sort === "NAME_DESC" });
    return await this.byIds(keys.slice(offset).map((key) => key[2] as string));
  }

  /** The keys of the deployments in the order of names. */
  async #order(options: Deno.KvListOptions): Promise<Deno.KvKey[]> {
    if (options.limit === 0) return [];
    const prefix = deploymentOrderKey("", "").slice(0, 1) as Deno.KvKey;
    const batchSize = Math.min(options.limit ?? 500, 500);
    return await Array.fromAsync(this.#deps.kv.list({ prefix }, { ...options, batchSize }), ({ key }) => key);
  }

  /** Those that are there, in the order of `ids`. */
  async byIds(ids: Iterable<string>): Promise<DeploymentRecord[]> {
    const entries = await getMany(this.#deps.kv, [...new Set(ids)].map(deploymentKey));
    return entries.flatMap(({ value }) => value ?? []);
  }
}

const isFiltered = (filters: DeploymentFilters): boolean =>
  [filters.flows, filters.deployments, filters.work_pools, filters.work_pool_queues, filters.among]
    .some(Boolean);
