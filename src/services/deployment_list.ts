import { DomainError } from "../errors.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { DeploymentListFilters } from "../schemas/filter.ts";
import type { DeploymentFilters, DeploymentPage, DeploymentQueries } from "./deployment_queries.ts";
import { type DeploymentView, DeploymentViews } from "./deployment_views.ts";
import type { FlowRunList } from "./flow_run_list.ts";

/** One page, and how much there is in all. */
export interface Page<T> {
  results: T[];
  count: number;
  limit: number;
  pages: number;
  page: number;
}

/** Lists and counts of deployments, by filters on runs too. */
export class DeploymentList {
  readonly #queries: DeploymentQueries;
  readonly #runs: FlowRunList;
  readonly #views: DeploymentViews;

  constructor(deps: ServerDeps, queries: DeploymentQueries, runs: FlowRunList) {
    this.#queries = queries;
    this.#runs = runs;
    this.#views = new DeploymentViews(deps);
  }

  /** @throws DomainError `invalid`: a filter on task runs */
  async list(body: DeploymentListFilters & DeploymentPage): Promise<DeploymentView[]> {
    return await this.#views.many(await this.#queries.page(await this.#withRuns(body), body));
  }

  async count(filters: DeploymentListFilters): Promise<number> {
    return await this.#queries.count(await this.#withRuns(filters));
  }

  async page(
    body: DeploymentListFilters & Omit<DeploymentPage, "offset"> & { page: number },
  ): Promise<Page<DeploymentView>> {
    const { limit, page } = body;
    const [results, count] = await Promise.all([
      this.list({ ...body, offset: (page - 1) * limit }),
      this.count(body),
    ]);
    return { results, count, limit, pages: limit === 0 ? 0 : Math.ceil(count / limit), page };
  }

  /** A filter on runs matches the deployments that have such a run. */
  async #withRuns(filters: DeploymentListFilters): Promise<DeploymentFilters> {
    if (filters.task_runs) {
      throw new DomainError("invalid", "Deployments cannot be filtered by task runs: leave task_runs out.", {
        field: ["task_runs"],
      });
    }
    if (!filters.flow_runs) return filters;
    return { ...filters, among: await this.#runs.deploymentsOf(filters.flow_runs) };
  }
}
