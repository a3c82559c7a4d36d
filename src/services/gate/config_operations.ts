/** Operations on a pool's and its queues' settings, at the pool's gate. */
import { firstFreePriority, makeRoom, withPriority } from "../../domain/priorities.ts";
import { DomainError } from "../../errors.ts";
import { poolKey, poolNameKey, queueKey, queueNameKey } from "../../kv/keys.ts";
import { dropPieces, pointAt } from "../../kv/large_text.ts";
import { MAX_UINT16 } from "../../kv/limits.ts";
import { get } from "../../kv/read.ts";
import { readAllHeads } from "../../kv/waiting_index.ts";
import type { Instant, LargeText, QueueConfig, WorkQueueRecord } from "../../schemas/records.ts";
import type { Batch } from "./batch.ts";
import type { Operation } from "./operation.ts";

type Configure<R> = (batch: Batch) => Promise<R>;

function configure<R>(decide: Configure<R>): Operation<R> {
  return { kind: "configure", decide: async (batch) => ({ result: await decide(batch) }) };
}

async function requirePool(kv: Deno.Kv, batch: Batch) {
  const entry = await get(kv, poolKey(batch.pool));
  if (!entry.value) throw new DomainError("not_found", "The work pool does not exist any more.");
  return { ...entry, value: entry.value };
}

async function requireQueue(kv: Deno.Kv, batch: Batch, id: string) {
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

function replaced(configs: readonly QueueConfig[], changed: readonly QueueConfig[]): QueueConfig[] {
  const byId = new Map(changed.map((config) => [config.id, config]));
  return configs.map((config) => byId.get(config.id) ?? config);
}

/**
 * First step of deleting queues: they take no new runs and give none away. Refused while they hold slots.
 * Closing writes the queue records, which every creation of a run checks, so what waits in them can be listed after.
 *
 * @throws DomainError `conflict` with the count of held runs
 */
export function closeQueues(kv: Deno.Kv, ids: readonly string[], now: Instant): Operation<void> {
  return configure(async (batch) => {
    const found = await Promise.all(ids.map((id) => requireQueue(kv, batch, id)));
    refuseWhileHeld(batch, found.map(({ config }) => config));
    batch.setQueues(replaced(batch.queues.sorted, found.map(({ config }) => ({ ...config, closing: true }))));
    for (const { entry } of found) setState(batch, entry.value, "closing", now);
  });
}

function refuseWhileHeld(batch: Batch, queues: readonly QueueConfig[]): void {
  const held = queues.reduce((sum, { no }) => sum + batch.gate.heldIn(no), 0);
  if (held === 0) return;
  throw new DomainError(
    "conflict",
    `${held} runs hold slots here. Wait until they end, or cancel them, and delete again.`,
  );
}

/** Takes {@link closeQueues} back, as far as the queues are still there; what else was changed meanwhile stays. */
export function reopenQueues(kv: Deno.Kv, ids: readonly string[], now: Instant): Operation<void> {
  return configure(async (batch) => {
    const left = ids.filter((id) => batch.queues.byId.has(id));
    const found = await Promise.all(left.map((id) => requireQueue(kv, batch, id)));
    batch.setQueues(replaced(batch.queues.sorted, found.map(({ config }) => opened(config))));
    for (const { entry } of found) setState(batch, entry.value, "open", now);
  });
}

function opened({ closing: _, ...config }: QueueConfig): QueueConfig {
  return config;
}

// No check of the queue records: only gate commits write them, and this is one.
function setState(batch: Batch, queue: WorkQueueRecord, state: WorkQueueRecord["state"], now: Instant): void {
  batch.commit.set(queueKey(queue.id), { ...queue, state, updated: now });
}

/**
 * Last step: closed queues go, if nothing waits or is held in them. That is looked up here, at the gate: another
 * deletion may have reopened a queue since it was closed. With `andPool` the pool goes with them.
 *
 * @throws DomainError `conflict` when runs wait or hold slots, when a queue is not closed any more, or when the pool
 * has other queues
 */
export function dropQueues(kv: Deno.Kv, ids: readonly string[], andPool = false): Operation<void> {
  return configure(async (batch) => {
    const found = await Promise.all(ids.map((id) => requireQueue(kv, batch, id)));
    if (found.some(({ entry }) => entry.value.state !== "closing")) {
      throw new DomainError("conflict", "A work queue was taken back into use meanwhile. Delete again.");
    }
    refuseWhileHeld(batch, found.map(({ config }) => config));
    await refuseWhileWaiting(kv, batch.pool, found.map(({ config }) => config));
    const rest = batch.queues.sorted.filter(({ id }) => !ids.includes(id));
    if (andPool && rest.length > 0) {
      throw new DomainError("conflict", "A work queue was made here meanwhile. Delete again.");
    }
    for (const { entry } of found) {
      batch.commit.delete(queueKey(entry.value.id)).delete(queueNameKey(batch.pool, entry.value.name));
    }
    batch.setQueues(rest, new Map([...batch.queues.names].filter(([id]) => !ids.includes(id))));
    if (!andPool) return;
    const pool = await requirePool(kv, batch);
    dropPieces(batch.commit, pool.value.baseJobTemplate);
    batch.commit.check(pool).delete(poolKey(batch.pool)).delete(poolNameKey(pool.value.name));
    batch.closesGate = true;
  });
}

/** @throws DomainError `conflict` with the count when runs wait in these closed queues */
export async function refuseWhileWaiting(
  kv: Deno.Kv,
  pool: string,
  queues: readonly Pick<QueueConfig, "no">[],
): Promise<void> {
  const heads = await readAllHeads(kv, pool);
  const found = queues.map(({ no }) => heads.get(no)).filter((head) => head !== undefined);
  const waiting = found.reduce((sum, head) => sum + head.entries.length, 0);
  if (waiting === 0) return;
  const count = found.every((head) => head.complete) ? String(waiting) : `at least ${waiting}`;
  throw new DomainError("conflict", `Runs wait here (${count}). Cancel or move them, and delete again.`);
}
