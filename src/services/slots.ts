import { leaseKey, runDocKey, runKey } from "../kv/keys.ts";
import { getMany } from "../kv/read.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { LeaseRecord, RunDoc, RunRecord } from "../schemas/records.ts";
import type { WorkPools, WorkPoolView } from "./work_pools.ts";
import type { WorkQueues, WorkQueueView } from "./work_queues.ts";

/** A queue with some of the runs that hold its slots. */
export interface QueueSlots {
  view: WorkQueueView;
  holders: { run: RunRecord; doc: RunDoc }[];
  /** How many runs hold slots. */
  count: number;
}

/** A page of a pool's queues. */
export interface PoolSlots {
  view: WorkPoolView;
  queues: QueueSlots[];
  /** How many queues the pool has. */
  count: number;
}

/** The first page is 1. */
export interface PageRequest {
  page: number;
  limit: number;
}

/** Run ids by queue number, longest held first. */
type Holders = ReadonlyMap<number, readonly string[]>;

/** Who holds the slots of a pool or a queue, read from the leases. */
export class Slots {
  readonly #deps: ServerDeps;
  readonly #pools: WorkPools;
  readonly #queues: WorkQueues;

  constructor(deps: ServerDeps, pools: WorkPools, queues: WorkQueues) {
    this.#deps = deps;
    this.#pools = pools;
    this.#queues = queues;
  }

  /** The pool's queues by priority, each with its first `runLimit` holders. @throws DomainError `not_found` */
  async ofPool(name: string, request: PageRequest & { runLimit: number }): Promise<PoolSlots> {
    const view = await this.#pools.get(name);
    const queues = await this.#queues.list(name, null, { limit: Number.MAX_SAFE_INTEGER, offset: 0 });
    const holders = await this.#holders(view.pool.id);
    const first = { page: 1, limit: request.runLimit };
    const slots = pageOf(queues, request).map((queue) => this.#slots(queue, holders, first));
    return { view, queues: await Promise.all(slots), count: queues.length };
  }

  /** A page of the queue's holders. @throws DomainError `not_found` */
  async ofQueue(id: string, request: PageRequest): Promise<QueueSlots> {
    const view = await this.#queues.byId(id);
    return await this.#slots(view, await this.#holders(view.pool.id), request);
  }

  async #holders(pool: string): Promise<Holders> {
    const prefix = leaseKey(pool, "", "").slice(0, 2) as Deno.KvKey;
    const leases = await Array.fromAsync(
      this.#deps.kv.list<LeaseRecord>({ prefix }, { batchSize: 500 }),
      ({ key, value }) => ({ run: String(key[3]), since: value.since, queueNo: value.queueNo }),
    );
    leases.sort((a, b) => a.since - b.since || (a.run < b.run ? -1 : 1));
    return new Map(
      [...Map.groupBy(leases, ({ queueNo }) => queueNo)].map((
        [no, held],
      ) => [no, held.map(({ run }) => run)]),
    );
  }

  async #slots(view: WorkQueueView, holders: Holders, page: PageRequest): Promise<QueueSlots> {
    const { kv } = this.#deps;
    const held = holders.get(view.config.no) ?? [];
    const shown = pageOf(held, page);
    const [runs, docs] = await Promise.all([
      getMany(kv, shown.map(runKey)),
      getMany(kv, shown.map(runDocKey)),
    ]);
    const found = runs.flatMap(({ value: run }, i) => {
      const doc = docs[i]?.value;
      return run && doc ? [{ run, doc }] : []; // deleted just now
    });
    return { view, holders: found, count: held.length };
  }
}

const pageOf = <T>(all: readonly T[], { page, limit }: PageRequest): T[] =>
  all.slice((page - 1) * limit, page * limit);
