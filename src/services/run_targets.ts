import { DomainError } from "../errors.ts";
import { poolKey } from "../kv/keys.ts";
import { get } from "../kv/read.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { DeploymentRecord } from "../schemas/records.ts";
import type { NewRun } from "./run_staging.ts";
import { DEFAULT_AGENT_POOL, type WorkPools } from "./work_pools.ts";
import type { WorkQueues } from "./work_queues.ts";

/** The pool and queue that a new run goes to. */
export type RunTarget = Pick<NewRun, "queue" | "pool">;
const NOWHERE: RunTarget = { queue: undefined, pool: undefined };

/** Finds where new runs go. */
export class RunTargets {
  readonly #deps: ServerDeps;
  readonly #pools: WorkPools;
  readonly #queues: WorkQueues;

  constructor(deps: ServerDeps, { pools, queues }: { pools: WorkPools; queues: WorkQueues }) {
    this.#deps = deps;
    this.#pools = pools;
    this.#queues = queues;
  }

  /**
   * Where the deployment points, or another queue of its pool, which is made when it is missing.
   *
   * @throws DomainError `conflict`: its pool or queue was deleted
   */
  async of(deployment: DeploymentRecord, queueName: string | null): Promise<RunTarget> {
    if (deployment.pool === null) {
      if (queueName === null) return NOWHERE;
      const { id } = await this.#queues.ensureWithoutPool(queueName);
      return {
        queue: await this.#queues.requireOpen(id),
        pool: await this.#pools.require(DEFAULT_AGENT_POOL),
      };
    }
    const pool = (await get(this.#deps.kv, poolKey(deployment.pool))).value;
    if (!pool) throw goneTarget("work pool");
    const queue = queueName === null ? deployment.queue : (await this.#queues.ensure(pool, queueName)).id;
    if (queue === null) throw goneTarget("work queue");
    return { queue: await this.#queues.requireOpen(queue), pool };
  }

  /** @throws DomainError `not_found`: no such pool or queue */
  async named(poolName: string | null, queueName: string | null): Promise<RunTarget> {
    if (poolName === null && queueName === null) return NOWHERE;
    const pool = poolName === null
      ? await this.#pools.ensureDefaultAgentPool()
      : await this.#pools.require(poolName);
    if (queueName === null) {
      return { queue: await this.#queues.requireOpen(pool.defaultQueue), pool };
    }
    const queue = await this.#queues.find(pool, queueName);
    if (!queue) throw new DomainError("not_found", `Work queue '${pool.name}/${queueName}' not found.`);
    return { queue: await this.#queues.requireOpen(queue.id), pool };
  }
}

const goneTarget = (what: string) =>
  new DomainError(
    "conflict",
    `The ${what} that this run would go to was deleted. Set another one and try again.`,
  );
