import { DomainError } from "../errors.ts";
import type { FlowFilters, FlowListBody } from "../schemas/filter.ts";
import type { FlowRecord } from "../schemas/records.ts";
import type { DeploymentQueries } from "./deployment_queries.ts";
import type { FlowRunList } from "./flow_run_list.ts";
import { byNameSort, type Flows } from "./flows.ts";

/** Lists and counts of flows. A filter on related objects asks whether the flow has one that matches. */
export class FlowList {
  readonly #flows: Flows;
  readonly #deployments: DeploymentQueries;
  readonly #runs: FlowRunList;

  constructor(flows: Flows, deployments: DeploymentQueries, runs: FlowRunList) {
    this.#flows = flows;
    this.#deployments = deployments;
    this.#runs = runs;
  }

  async list(body: FlowListBody): Promise<FlowRecord[]> {
    const found = (await this.#matching(body)).toSorted(byNameSort(body.sort));
    return found.slice(body.offset, body.offset + body.limit);
  }

  /** The same, with how many match in all. The first page is 1. */
  async page(
    body: Omit<FlowListBody, "offset"> & { page: number },
  ): Promise<{ flows: FlowRecord[]; count: number }> {
    const found = (await this.#matching(body)).toSorted(byNameSort(body.sort));
    return { flows: found.slice((body.page - 1) * body.limit, body.page * body.limit), count: found.length };
  }

  async count(filters: FlowFilters): Promise<number> {
    return (await this.#matching(filters)).length;
  }

  async #matching(filters: FlowFilters): Promise<FlowRecord[]> {
    if (filters.task_runs !== null && filters.task_runs !== undefined) {
      throw new DomainError(
        "invalid",
        "There are no task runs here that could be asked. Leave task_runs out.",
        {
          field: ["task_runs"],
        },
      );
    }
    const [flows, ofDeployments, ofRuns] = await Promise.all([
      this.#flows.matching(filters.flows),
      this.#ofDeployments(filters),
      filters.flow_runs ? this.#runs.flowsOf({ flow_runs: filters.flow_runs }) : undefined,
    ]);
    return flows.filter(({ id }) => (ofDeployments?.has(id) ?? true) && (ofRuns?.has(id) ?? true));
  }

  /** One deployment has to match both filters. */
  async #ofDeployments({ deployments, work_pools }: FlowFilters): Promise<ReadonlySet<string> | undefined> {
    if (!deployments && !work_pools) return undefined;
    const found = await this.#deployments.matching({ deployments, work_pools });
    return new Set(found.map(({ flow }) => flow));
  }
}
