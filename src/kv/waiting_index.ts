import { laneKey, waitKey } from "./keys.ts";

/** A place in the index of waiting runs. */
export interface WaitEntry {
  t: number;
  run: string;
}

/** Entries read at once: enough for a busy batch of claims, and one round trip. */
const BATCH = 64;

/** The first entries of a queue, or those after `after`. `complete`: nothing stands behind them. */
export async function readQueueHead(
  kv: Deno.Kv,
  pool: string,
  queueNo: number,
  after?: WaitEntry,
): Promise<{ entries: WaitEntry[]; complete: boolean }> {
  const first: Deno.KvKey = after
    ? [...waitKey(pool, queueNo, after.t, after.run), 0]
    : ["wait", pool, queueNo];
  const entries = await readRange(kv, first, queueNo + 1);
  return { entries: entries.map(toEntry), complete: entries.length < BATCH };
}

/** The first entries of a lane, or those after `after`. */
export async function readLaneHead(
  kv: Deno.Kv,
  lane: { pool: string; queueNo: number; deployment: string },
  after?: WaitEntry,
): Promise<{ entries: WaitEntry[]; complete: boolean }> {
  const { pool, queueNo, deployment } = lane;
  const prefix = ["lane", pool, queueNo, deployment];
  const selector = after
    ? { prefix, start: [...laneKey(pool, queueNo, deployment, after.t, after.run), 0] }
    : { prefix };
  const keys = await Array.fromAsync(kv.list(selector, { limit: BATCH, batchSize: BATCH }), ({ key }) => key);
  const entries = keys.map(toEntry);
  return { entries, complete: entries.length < BATCH };
}

/** Some waiting runs of a queue, in the index or in a lane, in no particular order; empty when there are none. */
export async function readAnyWaiting(kv: Deno.Kv, pool: string, queueNo: number): Promise<WaitEntry[]> {
  const { entries } = await readQueueHead(kv, pool, queueNo);
  if (entries.length > 0) return entries;
  const prefix = ["lane", pool, queueNo];
  return await Array.fromAsync(
    kv.list({ prefix }, { limit: BATCH, batchSize: BATCH }),
    ({ key }) => toEntry(key),
  );
}

/**
 * The heads of all non-empty queues of a pool, in the index or in the lanes. A queue with more than a batch of waiting runs is left after its
 * first ones, so the cost follows the number of non-empty queues, never the number of waiting runs.
 */
export async function readAllHeads(
  kv: Deno.Kv,
  pool: string,
  kind: "wait" | "lane" = "wait",
): Promise<Map<number, { entries: WaitEntry[]; complete: boolean }>> {
  const heads = new Map<number, { entries: WaitEntry[]; complete: boolean }>();
  for (let from = 0;;) {
    const keys = await readRange(kv, [kind, pool, from]);
    const isLast = keys.length < BATCH;
    for (const key of keys) {
      const head = heads.get(key[2] as number) ?? { entries: [], complete: true };
      head.entries.push(toEntry(key));
      heads.set(key[2] as number, head);
    }
    if (isLast) return heads;
    const cut = keys.at(-1)![2] as number;
    heads.get(cut)!.complete = false;
    from = cut + 1;
  }
}

/** How many runs wait in the queue for a time up to `until`; not more than `most` are counted. */
export async function countWaiting(
  kv: Deno.Kv,
  pool: string,
  queueNo: number,
  { until, most }: { until: number; most: number },
): Promise<number> {
  const selector = { start: ["wait", pool, queueNo], end: ["wait", pool, queueNo, until + 1] };
  let count = 0;
  for await (const _ of kv.list(selector, { limit: most, batchSize: 500 })) count++;
  return count;
}

async function readRange(
  kv: Deno.Kv,
  start: Deno.KvKey,
  endQueueNo = Number.MAX_SAFE_INTEGER,
): Promise<Deno.KvKey[]> {
  const selector = { start, end: [...start.slice(0, 2), endQueueNo] };
  const entries = kv.list(selector, { limit: BATCH, batchSize: BATCH });
  return await Array.fromAsync(entries, (entry) => entry.key);
}

/** Places in the index and in lanes end with time and id. */
const toEntry = (key: Deno.KvKey): WaitEntry => ({ t: key.at(-2) as number, run: key.at(-1) as string });
