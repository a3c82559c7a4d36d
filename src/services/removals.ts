import { DomainError } from "../errors.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { RemovalQuery } from "../schemas/removal.ts";
import { Cancelling, Moving } from "./clearing.ts";
import type { FlowRuns } from "./flow_runs.ts";
import type { Clearing } from "./queue_removal.ts";
import type { SetState } from "./set_state.ts";
import type { WorkPools } from "./work_pools.ts";
import type { WorkQueues } from "./work_queues.ts";

interface Parts {
  pools: WorkPools;
  queues: WorkQueues;
  runs: FlowRuns;
  setState: SetState;
}

/** Deletes pools and queues together with what is in use of them, as far as it is wished. */
export class Removals {
  readonly #deps: ServerDeps;
  readonly #parts: Parts;

  constructor(deps: ServerDeps, parts: Parts) {
    this.#deps = deps;
    this.#parts = parts;
  }

  /** @throws DomainError `not_found`; `invalid`: the target is within the pool; and as {@link WorkPools.delete} */
  async pool(name: string, how: RemovalQuery): Promise<void> {
    const own = await this.#parts.pools.find(name);
    const clearing = await this.#clearing(how, name, ({ pool }) => pool === own?.id);
    await this.#parts.pools.delete(name, clearing);
  }

  async queue(poolName: string, name: string, how: RemovalQuery): Promise<void> {
    const { queue } = await this.#parts.queues.get(poolName, name);
    await this.#queue(queue.id, poolName, how);
  }

  async queueById(id: string, how: RemovalQuery): Promise<void> {
    const { pool } = await this.#parts.queues.byId(id);
    await this.#queue(id, pool.name, how);
  }

  async #queue(id: string, poolName: string, how: RemovalQuery): Promise<void> {
    const clearing = await this.#clearing(how, poolName, (target) => target.id === id);
    await this.#parts.queues.deleteById(id, clearing);
  }

  async #clearing(
    { cascade, move_to }: RemovalQuery,
    poolName: string,
    isDeleted: (target: { id: string; pool: string }) => boolean,
  ): Promise<Clearing | undefined> {
    if (cascade) return new Cancelling(this.#deps, this.#parts.setState);
    if (move_to === undefined) return undefined;
    const [first = "", second] = move_to.split("/");
    const { queue } = second === undefined
      ? await this.#parts.queues.get(poolName, first)
      : await this.#parts.queues.get(first, second);
    if (isDeleted(queue)) {
      throw new DomainError(
        "invalid",
        `The queue '${move_to}' is deleted with it. Give another one as move_to, as '<pool>/<queue>'.`,
      );
    }
    return new Moving(this.#deps, this.#parts.runs, queue);
  }
}
