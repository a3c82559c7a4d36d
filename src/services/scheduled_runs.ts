import type { ClaimRequest } from "../domain/plan_claim.ts";
import { DomainError } from "../errors.ts";
import { poolKey, queueKey } from "../kv/keys.ts";
import { get } from "../kv/read.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { Instant } from "../schemas/records.ts";
import { QueueFilter } from "../schemas/work_queue.ts";
import type { DeploymentQueries } from "./deployment_queries.ts";
import type { FlowRunList } from "./flow_run_list.ts";
import type { FlowRunView } from "./flow_run_views.ts";
import type { FlowRuns } from "./flow_runs.ts";
import type { Gates } from "./gate/gates.ts";
import type { Polls } from "./polls.ts";
import type { WorkPools } from "./work_pools.ts";
import type { WorkQueues } from "./work_queues.ts";

export interface PollRequest {
  /** Absent or empty: all queues of the pool. */
  queueNames: readonly string[];
  scheduledBefore: Instant | null;
  scheduledAfter: Instant | null;
  limit: number;
}

/** So many runs are looked at for a queue with a filter. */
const MOST_FILTERED = 1_000;

/** The reference's polls: what could be claimed now, in the order in which it would be. Nothing is reserved. */
export class ScheduledRuns {
  readonly #deps: ServerDeps;
  readonly #gates: Gates;
  readonly #pools: WorkPools;
  readonly #queues: WorkQueues;
  readonly #runs: FlowRuns;
  readonly #runList: FlowRunList;
  readonly #deployments: DeploymentQueries;
  readonly #polls: Polls;

  constructor(
    deps: ServerDeps,
    parts: {
      gates: Gates;
      pools: WorkPools;
      queues: WorkQueues;
      runs: FlowRuns;
      runList: FlowRunList;
      deployments: DeploymentQueries;
      polls: Polls;
    },
  ) {
    this.#deps = deps;
    this.#gates = parts.gates;
    this.#pools = parts.pools;
    this.#queues = parts.queues;
    this.#runs = parts.runs;
    this.#runList = parts.runList;
    this.#deployments = parts.deployments;
    this.#polls = parts.polls;
  }

  /** @throws DomainError `not_found`: no such pool, or no such queue */
  async ofPool(poolName: string, request: PollRequest): Promise<FlowRunView[]> {
    const pool = await this.#pools.require(poolName);
    const wanted = new Set<string>();
    for (const name of new Set(request.queueNames)) {
      const queue = await this.#queues.find(pool, name);
      if (!queue) throw new DomainError("not_found", `Work pool queue '${poolName}/${name}' not found.`);
      wanted.add(queue.id);
    }
    return await this.#poll(pool.id, wanted, request);
  }

  /** @param isPoll false when a person looks: the queue does not count as polled then */
  async ofQueue(id: string, request: Omit<PollRequest, "queueNames">, isPoll = true): Promise<FlowRunView[]> {
    const { value: queue } = await get(this.#deps.kv, queueKey(id));
    const pool = queue && (await get(this.#deps.kv, poolKey(queue.pool))).value;
    if (!queue || !pool) throw new DomainError("missing_object", `Work queue with id ${id} not found.`);
    const { filter } = queue;
    if (filter === null) {
      return await this.#poll(pool.id, new Set([id]), { ...request, queueNames: [] }, isPoll);
    }
    const wide = { ...request, limit: MOST_FILTERED, queueNames: [] };
    const views = await this.#poll(pool.id, new Set([id]), wide, isPoll);
    return views.filter((view) => matchesQueueFilter(QueueFilter.parse(JSON.parse(filter)), view))
      .slice(0, request.limit);
  }

  /**
   * Waiting runs of the deployments, due first, whatever their pools and limits say: the poll of a process that serves
   * deployments by itself. The deployments count as asked for.
   */
  async ofDeployments(
    ids: readonly string[],
    { scheduledBefore, limit }: { scheduledBefore: Instant | null; limit: number },
  ): Promise<FlowRunView[]> {
    const views = await this.#runList.list({
      deployments: { operator: "and_", id: { any_: [...ids] } },
      flow_runs: {
        operator: "and_",
        state: { operator: "and_", type: { any_: ["SCHEDULED"] } },
        next_scheduled_start_time: { before_: scheduledBefore },
      },
      sort: "NEXT_SCHEDULED_START_TIME_ASC",
      limit,
      offset: 0,
    });
    const existing = await this.#deployments.byIds(ids);
    await this.#polls.noteDeployments(existing.map(({ id }) => id));
    return views;
  }

  async #poll(
    pool: string,
    wanted: ReadonlySet<string>,
    request: PollRequest,
    isPoll = true,
  ): Promise<FlowRunView[]> {
    let polled: string[] = [];
    const plan = await this.#gates.of(pool).preview((queues): ClaimRequest => {
      const allows = ({ id }: { id: string }) => wanted.size === 0 || wanted.has(id);
      polled = queues.sorted.filter(allows).map(({ id }) => id);
      return {
        allows,
        n: request.limit,
        dueBefore: request.scheduledBefore ?? Number.MAX_SAFE_INTEGER,
        ...(request.scheduledAfter === null ? {} : { dueAfter: request.scheduledAfter }),
      };
    });
    const views = await this.#runs.views(plan.grants.map(({ run }) => run.id));
    if (isPoll) {
      await this.#polls.noteQueues(polled);
      await this.#polls.noteDeployments(views.flatMap(({ run }) => run.deployment ?? []));
    }
    return views;
  }
}

function matchesQueueFilter(
  { tags, deployment_ids: deployments }: QueueFilter,
  { run, doc }: FlowRunView,
): boolean {
  return (tags ?? []).every((tag) => doc.tags.includes(tag)) &&
    (deployments === null || (run.deployment !== null && deployments.includes(run.deployment)));
}
