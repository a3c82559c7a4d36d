/** Operations of deleting queues, at the pool's gate (docs/gate.md, law 5). */
import { DomainError } from "../../errors.ts";
import { poolKey, poolNameKey, queueKey, queueNameKey, queuePolledKey } from "../../kv/keys.ts";
import { dropPieces } from "../../kv/large_text.ts";
import { readAllHeads } from "../../kv/waiting_index.ts";
import type { Instant, QueueConfig, WorkQueueRecord } from "../../schemas/records.ts";
import type { Batch } from "./batch.ts";
import { configure, opened, replaced, requirePool, requireQueue } from "./config_operations.ts";
import type { Operation } from "./operation.ts";

/**
 * First step of deleting queues: they take no new runs and give none away. Tells how many slots are held there; then
 * nothing is closed, unless it is wished all the same. Closing writes the queue records, which every creation of a run
 * and every change of a deployment's target checks, so what is in them can be listed after.
 */
export function closeQueues(
  kv: Deno.Kv,
  ids: readonly string[],
  { evenIfHeld, now }: { evenIfHeld: boolean; now: Instant },
): Operation<number> {
  return configure(async (batch) => {
    const found = await Promise.all(ids.map((id) => requireQueue(kv, batch, id)));
    const held = heldIn(batch, found.map(({ config }) => config));
    if (held > 0 && !evenIfHeld) return held;
    batch.setQueues(replaced(batch.queues.sorted, found.map(({ config }) => ({ ...config, closing: true }))));
    for (const { entry } of found) setState(batch, entry.value, "closing", now);
    return held;
  });
}

const heldIn = (batch: Batch, queues: readonly QueueConfig[]): number =>
  queues.reduce((sum, { no }) => sum + batch.gate.heldIn(no), 0);

/** Takes {@link closeQueues} back, as far as the queues are still there; what else was changed meanwhile stays. */
export function reopenQueues(kv: Deno.Kv, ids: readonly string[], now: Instant): Operation<void> {
  return configure(async (batch) => {
    const left = ids.filter((id) => batch.queues.byId.has(id));
    const found = await Promise.all(left.map((id) => requireQueue(kv, batch, id)));
    batch.setQueues(replaced(batch.queues.sorted, found.map(({ config }) => opened(config))));
    for (const { entry } of found) setState(batch, entry.value, "open", now);
  });
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
    const [heads, parked] = await Promise.all([
      readAllHeads(kv, batch.pool),
      readAllHeads(kv, batch.pool, "lane"),
    ]);
    const isUsed = heldIn(batch, found.map(({ config }) => config)) > 0 ||
      found.some(({ config }) => heads.has(config.no) || parked.has(config.no));
    if (isUsed) throw new DomainError("conflict", "A run came here meanwhile. Delete again.");
    const rest = batch.queues.sorted.filter(({ id }) => !ids.includes(id));
    if (andPool && rest.length > 0) {
      throw new DomainError("conflict", "A work queue was made here meanwhile. Delete again.");
    }
    for (const { entry } of found) {
      const { id, name } = entry.value;
      batch.commit.delete(queueKey(id)).delete(queueNameKey(batch.pool, name)).delete(queuePolledKey(id));
    }
    batch.setQueues(rest, new Map([...batch.queues.names].filter(([id]) => !ids.includes(id))));
    if (!andPool) return;
    const pool = await requirePool(kv, batch);
    dropPieces(batch.commit, pool.value.baseJobTemplate);
    batch.commit.check(pool).delete(poolKey(batch.pool)).delete(poolNameKey(pool.value.name));
    batch.closesGate = true;
  });
}
