import { DomainError } from "../errors.ts";
import { poolKey, queueKey, queueNameKey, queuePolledKey } from "../kv/keys.ts";
import { type Entry, get, getMany, listAll } from "../kv/read.ts";
import { countWaiting } from "../kv/waiting_index.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { WorkQueueFilter } from "../schemas/filter.ts";
import { Gate } from "../domain/gate.ts";
import type { Instant, QueueConfig, WorkPoolRecord, WorkQueueRecord } from "../schemas/records.ts";
import { fitsKey } from "../schemas/wire.ts";
import type { WorkQueueCreate, WorkQueueUpdate } from "../schemas/work_queue.ts";
import { createQueue, updateQueue } from "./gate/config_operations.ts";
import type { Gates } from "./gate/gates.ts";
import { readQueueConfig, readQueueConfigs } from "./gate/pool_cache.ts";
import { isRecent } from "./polls.ts";
import { type Clearing, removeQueues } from "./queue_removal.ts";
import { DEFAULT_AGENT_POOL, type WorkPools } from "./work_pools.ts";

/** A queue as people see it. */
export interface WorkQueueView {
  queue: WorkQueueRecord;
  config: QueueConfig;
  pool: WorkPoolRecord;
  /** Slots taken. */
  held: number;
  lastPolled: Instant | null;
  status: "READY" | "NOT_READY" | "PAUSED";
}

/** Whether a queue's work is done in time. */
export interface QueueHealth {
  /** Waiting runs whose time is over; not more than 1,000 are counted. */
  late: number;
  lastPolled: Instant | null;
  isHealthy: boolean;
}

/** A run is late when it waits for this long after its time (the reference's default). */
const LATE_MICROS = 15e6;
const MOST_LATE = 1_000;

export class WorkQueues {
  readonly #deps: ServerDeps;
  readonly #gates: Gates;
  readonly #pools: WorkPools;

  constructor(deps: ServerDeps, gates: Gates, pools: WorkPools) {
    this.#deps = deps;
    this.#gates = gates;
    this.#pools = pools;
  }

  /** @throws DomainError `not_found`: no such pool; `conflict`: the name is taken */
  async create(poolName: string, body: WorkQueueCreate): Promise<WorkQueueView> {
    return await this.#create(await this.#pools.require(poolName), body);
  }

  /**
   * A queue made without a pool stands in the default agent pool. The first one brings the pool with it, and is the
   * pool's own default queue if it has that name.
   */
  async createWithoutPool(body: WorkQueueCreate): Promise<WorkQueueView> {
    const isFirst = !await this.#pools.find(DEFAULT_AGENT_POOL);
    const pool = await this.#pools.ensureDefaultAgentPool();
    if (isFirst && body.name === "default") return await this.get(pool.name, "default");
    return await this.#create(pool, body);
  }

  /** The queue of that name in the pool, made when it is missing: with that priority, or the first free one. */
  async ensure(pool: WorkPoolRecord, name: string, priority?: number): Promise<WorkQueueRecord> {
    const existing = await this.find(pool, name);
    if (existing) return existing;
    try {
      return (await this.#create(pool, { name, is_paused: false, priority })).queue;
    } catch (error) {
      const made = error instanceof DomainError && error.code === "conflict" && await this.find(pool, name);
      if (made) return made;
      throw error;
    }
  }

  /** A queue that is named without a pool stands in the default agent pool; made when it is missing, it goes first. */
  async ensureWithoutPool(name: string): Promise<WorkQueueRecord> {
    return await this.ensure(await this.#pools.ensureDefaultAgentPool(), name, 1);
  }

  async #create(pool: WorkPoolRecord, body: WorkQueueCreate): Promise<WorkQueueView> {
    const { kv, ids, clock } = this.#deps;
    const id = ids.uuid();
    const made = await this.#gates.of(pool.id).submit(createQueue(kv, {
      id,
      name: body.name,
      description: body.description ?? "",
      paused: body.is_paused,
      limit: body.concurrency_limit ?? null,
      priority: body.priority ?? null,
      filter: body.filter ?? null,
      now: clock.now(),
    }));
    if (!made) return await this.byId(id);
    const { record: queue, config } = made;
    return { queue, config, pool, held: 0, lastPolled: null, status: config.paused ? "PAUSED" : "NOT_READY" };
  }

  /** Undefined when the pool has none of that name. */
  async find(pool: WorkPoolRecord, name: string): Promise<WorkQueueRecord | undefined> {
    if (!fitsKey(name)) return undefined;
    const { value: id } = await get(this.#deps.kv, queueNameKey(pool.id, name));
    if (!id) return undefined;
    return (await get(this.#deps.kv, queueKey(id))).value ?? undefined;
  }

  /** @throws DomainError `not_found` */
  async get(poolName: string, name: string): Promise<WorkQueueView> {
    const pool = await this.#pools.require(poolName);
    const queue = await this.find(pool, name);
    if (!queue) throw new DomainError("not_found", `Work pool queue '${poolName}/${name}' not found.`);
    return await this.#viewOf(pool, queue);
  }

  /** The record with its version, for what has to check it. @throws DomainError `conflict`: it was deleted, or is being */
  async requireOpen(id: string): Promise<Entry<WorkQueueRecord> & { value: WorkQueueRecord }> {
    const entry = await get(this.#deps.kv, queueKey(id));
    if (!entry.value || entry.value.state !== "open") {
      throw new DomainError(
        "conflict",
        "The work queue that it would go to was deleted. Set another one and try again.",
      );
    }
    return { ...entry, value: entry.value };
  }

  /** A queue of the default agent pool. @throws DomainError `not_found` */
  async withoutPool(name: string): Promise<WorkQueueView> {
    const pool = await this.#pools.find(DEFAULT_AGENT_POOL);
    const queue = pool && await this.find(pool, name);
    if (!queue) throw new DomainError("not_found", "work queue not found");
    return await this.#viewOf(pool, queue);
  }

  /** @throws DomainError `not_found` */
  async byId(id: string): Promise<WorkQueueView> {
    const { value: queue } = await get(this.#deps.kv, queueKey(id));
    const pool = queue && (await get(this.#deps.kv, poolKey(queue.pool))).value;
    if (!queue || !pool) throw new DomainError("not_found", "work queue not found");
    return await this.#viewOf(pool, queue);
  }

  /** @throws DomainError `missing_object` */
  async health(id: string): Promise<QueueHealth> {
    const { kv, clock } = this.#deps;
    const { value: queue } = await get(kv, queueKey(id));
    if (!queue) throw new DomainError("missing_object", `Work queue with id ${id} not found`);
    const now = clock.now();
    const [late, { value: lastPolled }] = await Promise.all([
      countWaiting(kv, queue.pool, queue.no, { until: now - LATE_MICROS, most: MOST_LATE }),
      get(kv, queuePolledKey(id)),
    ]);
    return { late, lastPolled, isHealthy: late === 0 && isRecent(lastPolled, now) };
  }

  /** Queues of one pool, by priority, then name. */
  async list(
    poolName: string,
    filter: WorkQueueFilter | null | undefined,
    page: { limit: number; offset: number },
  ): Promise<WorkQueueView[]> {
    const pool = await this.#pools.require(poolName);
    const views = await this.#views(pool, (await this.#all()).filter((queue) => queue.pool === pool.id));
    return views.filter(({ queue }) => matchesQueue(filter, queue))
      .toSorted((a, b) => a.config.priority - b.config.priority || compare(a.queue.name, b.queue.name))
      .slice(page.offset, page.offset + page.limit);
  }

  /** Queues of all pools, by name. */
  async listAll(
    filter: WorkQueueFilter | null | undefined,
    page: { limit: number; offset: number },
  ): Promise<WorkQueueView[]> {
    const queues = (await this.matching(filter)).toSorted((a, b) => compare(a.name, b.name));
    const chosen = queues.slice(page.offset, page.offset + page.limit);
    const pools = await getMany(this.#deps.kv, [...new Set(chosen.map(({ pool }) => pool))].map(poolKey));
    const views = await Promise.all(
      pools.flatMap(({ value: pool }) =>
        pool ? [this.#views(pool, chosen.filter((queue) => queue.pool === pool.id))] : []
      ),
    );
    const byId = new Map(views.flat().map((view) => [view.queue.id, view]));
    return chosen.flatMap(({ id }) => byId.get(id) ?? []);
  }

  /** The queues that the filter matches, of all pools; all without a filter. */
  async matching(filter: WorkQueueFilter | null | undefined): Promise<WorkQueueRecord[]> {
    return (await this.#all()).filter((queue) => matchesQueue(filter, queue));
  }

  /** Only the keys that are present are written. Here the priority of others makes room. */
  async update(poolName: string, name: string, body: WorkQueueUpdate): Promise<void> {
    await this.#update((await this.get(poolName, name)).queue, body, true);
  }

  /** As {@link update}, but the priority is written as it is: two queues may have the same one. */
  async updateById(id: string, body: WorkQueueUpdate): Promise<void> {
    const { value: queue } = await get(this.#deps.kv, queueKey(id));
    if (!queue) throw new DomainError("not_found", `Work Queue ${id} not found`);
    await this.#update(queue, body, false);
  }

  async #update(queue: WorkQueueRecord, body: WorkQueueUpdate, shuffles: boolean): Promise<void> {
    const { kv, clock } = this.#deps;
    const change = {
      name: body.name ?? undefined,
      description: body.description,
      paused: body.is_paused ?? undefined,
      limit: "concurrency_limit" in body ? body.concurrency_limit ?? null : undefined,
      priority: body.priority ?? undefined,
      filter: body.filter,
    };
    await this.#gates.of(queue.pool).submit(
      updateQueue(kv, queue.id, change, { shuffles, now: clock.now() }),
    );
    // Written blindly, as by polls.
    if (typeof body.last_polled === "number") await kv.set(queuePolledKey(queue.id), body.last_polled);
  }

  /** Deletes the queue, after `clearing` has taken away what is in use. @throws DomainError as {@link removeQueues} */
  async delete(poolName: string, name: string, clearing?: Clearing): Promise<void> {
    await this.#delete(await this.get(poolName, name), clearing);
  }

  async deleteById(id: string, clearing?: Clearing): Promise<void> {
    await this.#delete(await this.byId(id), clearing);
  }

  async #delete({ queue, config, pool }: WorkQueueView, clearing: Clearing | undefined): Promise<void> {
    if (pool.defaultQueue === queue.id) {
      throw new DomainError(
        "conflict",
        "The default queue of a work pool cannot be deleted; delete the pool instead.",
      );
    }
    await removeQueues(this.#deps, this.#gates, {
      pool: pool.id,
      queues: [config],
      andPool: false,
      clearing,
    });
  }

  async #all(): Promise<WorkQueueRecord[]> {
    const entries = await listAll(this.#deps.kv, queueKey("").slice(0, 1) as Deno.KvKey);
    return entries.map(({ value }) => value as WorkQueueRecord);
  }

  async #viewOf(pool: WorkPoolRecord, queue: WorkQueueRecord): Promise<WorkQueueView> {
    const [view] = await this.#views(pool, [queue]);
    if (!view) throw new DomainError("not_found", `Work pool queue '${pool.name}/${queue.name}' not found.`);
    return view;
  }

  /** The configuration of these queues, and of others maybe. */
  async #configs(pool: WorkPoolRecord, queues: readonly WorkQueueRecord[]): Promise<QueueConfig[]> {
    const { kv } = this.#deps;
    const [only, ...others] = queues;
    if (!only || others.length > 0) return await readQueueConfigs(kv, pool.id);
    const config = await readQueueConfig(kv, pool.id, only.no);
    return config ? [config] : [];
  }

  async #views(pool: WorkPoolRecord, queues: readonly WorkQueueRecord[]): Promise<WorkQueueView[]> {
    const { kv, clock } = this.#deps;
    const [gate, configs, polled] = await Promise.all([
      this.#gates.read(pool.id),
      this.#configs(pool, queues),
      getMany(kv, queues.map(({ id }) => queuePolledKey(id))),
    ]);
    if (!gate) return [];
    const counts = new Gate(gate);
    const byId = new Map(configs.map((config) => [config.id, config]));
    return queues.flatMap((queue, i) => {
      const config = byId.get(queue.id);
      if (!config) return [];
      const lastPolled = polled[i]?.value ?? null;
      const ready = isRecent(lastPolled, clock.now()) ? "READY" : "NOT_READY";
      const status = config.paused || config.closing ? "PAUSED" : ready;
      return [{ queue, config, pool, held: counts.heldIn(config.no), lastPolled, status }];
    });
  }
}

const compare = (a: string, b: string): number => a < b ? -1 : a > b ? 1 : 0;

function matchesQueue(filter: WorkQueueFilter | null | undefined, queue: WorkQueueRecord): boolean {
  if (!filter) return true;
  const clauses: boolean[] = [];
  if (filter.id?.any_) clauses.push(filter.id.any_.includes(queue.id));
  if (filter.name?.any_) clauses.push(filter.name.any_.includes(queue.name));
  if (filter.name?.startswith_) {
    clauses.push(filter.name.startswith_.some((prefix) => queue.name.startsWith(prefix)));
  }
  if (clauses.length === 0) return true;
  return filter.operator === "or_" ? clauses.some(Boolean) : clauses.every(Boolean);
}
