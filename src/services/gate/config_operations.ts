/** Operations on a pool's and its queues' settings, at the pool's gate. */
import { firstFreePriority, makeRoom, withPriority } from "../../domain/priorities.ts";
import { DomainError } from "../../errors.ts";
import { poolKey, queueKey, queueNameKey } from "../../kv/keys.ts";
import { dropPieces, pointAt } from "../../kv/large_text.ts";
import { MAX_UINT16 } from "../../kv/limits.ts";
import { get } from "../../kv/read.ts";
import type { Instant, LargeText, QueueConfig, WorkQueueRecord } from "../../schemas/records.ts";
import type { Batch } from "./batch.ts";
import type { Operation } from "./operation.ts";

type Configure<R> = (batch: Batch) => Promise<R>;

/** An operation on settings: at most one goes into a batch. */
export function configure<R>(decide: Configure<R>): Operation<R> {
  return { kind: "configure", decide: async (batch) => ({ result: await decide(batch) }) };
}

/** @throws DomainError `not_found` */
export async function requirePool(kv: Deno.Kv, batch: Batch) {
  const entry = await get(kv, poolKey(batch.pool));
  if (!entry.value) throw new DomainError("not_found", "The work pool does not exist any more.");
  return { ...entry, value: entry.value };
}

/** @throws DomainError `not_found` */
export async function requireQueue(kv: Deno.Kv, batch: Batch, id: string) {
  const entry = await get(kv, queueKey(id));
  const config = batch.queues.byId.get(id);
  if (!entry.value || !config) throw new DomainError("not_found", "work queue not found");
  return { entry: { ...entry, value: entry.value }, config };
}

/** New values of a pool; what is undefined stays. */
export interface PoolChange {
  description?: string | null | undefined;
  paused?: boolean | undefined;
  limit?: number | null | undefined;
  storageConfiguration?: string | undefined;
  /** Its pieces are stored already. */
  baseJobTemplate?: LargeText | undefined;
}

export function updatePool(kv: Deno.Kv, change: PoolChange, now: Instant): Operation<void> {
  return configure(async (batch) => {
    const pool = await requirePool(kv, batch);
    const { paused, limit, ...described } = change;
    const template = described.baseJobTemplate;
    if (template !== undefined && !isSameText(template, pool.value.baseJobTemplate)) {
      dropPieces(batch.commit, pool.value.baseJobTemplate);
    }
    if (paused !== undefined) batch.gate.paused = paused;
    if (limit !== undefined) batch.gate.limit = limit;
    pointAt(batch.commit, template);
    batch.rings = true;
    batch.commit.check(pool).set(poolKey(batch.pool), {
      ...pool.value,
      description: described.description === undefined ? pool.value.description : described.description,
      storageConfiguration: described.storageConfiguration ?? pool.value.storageConfiguration,
      baseJobTemplate: template ?? pool.value.baseJobTemplate,
      updated: now,
    });
  });
}

/** True when the change was made before, and the answer was lost. */
const isSameText = (a: LargeText, b: LargeText): boolean =>
  typeof a === "object" && typeof b === "object" && a.version === b.version;

/** A queue to be made; `priority` null: the first free one. */
export interface NewQueue {
  id: string;
  name: string;
  description: string | null;
  paused: boolean;
  limit: number | null;
  priority: number | null;
  filter: string | null;
  now: Instant;
}

/**
 * The queue as it was made; undefined when it was made before, and the answer was lost.
 *
 * @throws DomainError `conflict` when the name is taken
 */
export function createQueue(
  kv: Deno.Kv,
  queue: NewQueue,
): Operation<{ record: WorkQueueRecord; config: QueueConfig } | undefined> {
  return configure(async (batch) => {
    const nameKey = queueNameKey(batch.pool, queue.name);
    const taken = await get(kv, nameKey);
    if (taken.value === queue.id) return undefined;
    if (taken.value) throw new DomainError("conflict", "A work queue with this name already exists.");
    const pool = await requirePool(kv, batch);
    const no = pool.value.nextQueueNo;
    if (no > MAX_UINT16) {
      throw new DomainError(
        "invalid",
        `A work pool can have ${MAX_UINT16 + 1} queues in its life; make a new pool.`,
      );
    }
    const priority = queue.priority ?? firstFreePriority(batch.queues.sorted);
    const moved = queue.priority === null ? [] : makeRoom(batch.queues.sorted, priority);
    const config = { no, id: queue.id, priority, paused: queue.paused, limit: queue.limit };
    const record: WorkQueueRecord = {
      id: queue.id,
      pool: batch.pool,
      no,
      state: "open",
      name: queue.name,
      description: queue.description,
      filter: queue.filter,
      created: queue.now,
      updated: queue.now,
    };
    batch.setQueues(
      [...replaced(batch.queues.sorted, moved), config],
      new Map([...batch.queues.names, [queue.id, queue.name]]),
    );
    batch.commit.check(taken).set(nameKey, queue.id)
      .check(pool).set(poolKey(batch.pool), { ...pool.value, nextQueueNo: no + 1 })
      .set(queueKey(queue.id), record);
    return { record, config };
  });
}

/** New values of a queue; what is undefined stays. */
export interface QueueChange {
  name?: string | undefined;
  description?: string | null | undefined;
  paused?: boolean | undefined;
  limit?: number | null | undefined;
  priority?: number | undefined;
  filter?: string | null | undefined;
}

/**
 * @param shuffles whether other queues make room for a new priority; by id the number is written as it is
 * @throws DomainError `conflict` when the new name is taken
 */
export function updateQueue(
  kv: Deno.Kv,
  id: string,
  change: QueueChange,
  options: { shuffles: boolean; now: Instant },
): Operation<void> {
  return configure(async (batch) => {
    const { entry, config } = await requireQueue(kv, batch, id);
    const { value: queue } = entry;
    const isRenamed = change.name !== undefined && change.name !== queue.name;
    const newName = isRenamed ? await get(kv, queueNameKey(batch.pool, change.name!)) : undefined;
    if (newName?.value) {
      throw new DomainError(
        "conflict",
        `A work queue named '${change.name}' already exists in this work pool.`,
      );
    }
    if (newName) {
      batch.commit.check(newName).set(newName.key, id).delete(queueNameKey(batch.pool, queue.name));
    }
    // Resuming also takes back a deletion that never came to its end, because its server died.
    const resumed = change.paused === false ? opened(config) : config;
    batch.setQueues(
      changedConfigs(batch, { ...resumed, ...definedConfig(change) }, change, options.shuffles),
      isRenamed ? new Map([...batch.queues.names, [id, change.name!]]) : undefined,
    );
    batch.commit.check(entry).set(queueKey(id), {
      ...queue,
      state: change.paused === false ? "open" : queue.state,
      name: change.name ?? queue.name,
      description: change.description === undefined ? queue.description : change.description,
      filter: change.filter === undefined ? queue.filter : change.filter,
      updated: options.now,
    });
  });
}

function definedConfig({ paused, limit }: QueueChange): Partial<QueueConfig> {
  return { ...(paused === undefined ? {} : { paused }), ...(limit === undefined ? {} : { limit }) };
}

function changedConfigs(
  batch: Batch,
  config: QueueConfig,
  change: QueueChange,
  shuffles: boolean,
): QueueConfig[] {
  const configs = replaced(batch.queues.sorted, [config]);
  if (change.priority === undefined) return configs;
  if (shuffles) return withPriority(configs, config.id, change.priority);
  return replaced(configs, [{ ...config, priority: change.priority }]);
}

/** The configurations with some of them changed. */
export function replaced(configs: readonly QueueConfig[], changed: readonly QueueConfig[]): QueueConfig[] {
  const byId = new Map(changed.map((config) => [config.id, config]));
  return configs.map((config) => byId.get(config.id) ?? config);
}

/** Without the mark of a deletion. */
export function opened({ closing: _, ...config }: QueueConfig): QueueConfig {
  return config;
}
