import type { Instant, LogHead } from "../schemas/records.ts";
import type { Commit } from "./commit.ts";
import { logHeadKey, logKey, logMergeKey, logTailKey } from "./keys.ts";
import { LIST_BATCH } from "./limits.ts";
import { get } from "./read.ts";

/** What is known of a stored chunk of log lines without reading it. */
export interface LogChunk {
  /** As in the key: a run's id, or {@link NO_RUN}. */
  run: string;
  seq: string;
  first: Instant;
  last: Instant;
  lines: number;
  minLevel: number;
  maxLevel: number;
  /** What its lines count together, before packing. */
  bytes: number;
  pieces: number;
}

/** Stands for the run in keys of lines that have none. */
export const NO_RUN = "none";

/** The chunks of a run that lie, or end, at or after `from`, or begin at or before `to`. */
export interface HeadRange {
  /** Which ends of the chunks are looked at, and in which order: first ends ascending, last ends descending. */
  by: "first" | "last";
  isDescending: boolean;
  from?: Instant | undefined;
  to?: Instant | undefined;
}

/** Attempts to read a list that merges change meanwhile. */
const ATTEMPTS = 50;

/** At most `limit` chunks, in one snapshot. */
export async function readHeads(
  kv: Deno.Kv,
  run: string,
  range: HeadRange,
  limit: number,
): Promise<LogChunk[]> {
  return (await readBatch(kv, rangeKeys(run, range), range.isDescending, limit)).map(toChunk);
}

/** All of them, as they stood at one moment; chunks that are added meanwhile may be missing. */
export async function readAllHeads(kv: Deno.Kv, run: string, range: HeadRange): Promise<LogChunk[]> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = await get(kv, logMergeKey(run));
    const chunks = (await Array.fromAsync(readBatches(kv, rangeKeys(run, range), range.isDescending))).flat();
    const after = await get(kv, logMergeKey(run));
    if (before.versionstamp === after.versionstamp) return chunks.map(toChunk);
  }
  throw new Error(`The log of run ${run} was merged again and again while it was read.`);
}

/** The chunks of all runs, and of the lines without a run; undefined when there are more than `limit`. */
export async function readHeadsOfAll(kv: Deno.Kv, limit: number): Promise<LogChunk[] | undefined> {
  const chunks: LogChunk[] = [];
  const torn = new Set<string>();
  for await (const batch of readBatches(kv, ALL, false)) {
    const before = chunks.at(-1)?.run;
    if (before !== undefined && before === batch[0]!.key[1]) torn.add(before);
    chunks.push(...batch.map(toChunk));
    if (chunks.length > limit) return undefined;
  }
  // A run that lies in two batches may have been merged between them.
  const whole = chunks.filter(({ run }) => !torn.has(run));
  for (const run of torn) whole.push(...await readAllHeads(kv, run, { by: "first", isDescending: false }));
  return whole;
}

/** Puts the chunk's head and tail into its commit. */
export function addHeads(commit: Commit, chunk: LogChunk): void {
  const { run, seq, first, last, lines, minLevel, maxLevel, bytes, pieces } = chunk;
  commit.set(logHeadKey(run, first, seq), [lines, last, minLevel, maxLevel, bytes, pieces]);
  commit.set(logTailKey(run, last, seq), [lines, first, minLevel, maxLevel, bytes, pieces]);
}

/** Takes away all that {@link addHeads} and the chunk's pieces are. */
export function dropChunk(commit: Commit, chunk: LogChunk): void {
  commit.delete(logHeadKey(chunk.run, chunk.first, chunk.seq));
  commit.delete(logTailKey(chunk.run, chunk.last, chunk.seq));
  for (const key of pieceKeys(chunk)) commit.delete(key);
}

export const pieceKeys = ({ run, first, seq, pieces }: LogChunk) =>
  Array.from({ length: pieces }, (_, piece) => logKey(run, first, seq, piece));

interface Bounds {
  start: Deno.KvKey;
  end: Deno.KvKey;
}

/** Truth stands behind all numbers and texts in the order of keys. */
const LAST = true;
const ALL: Bounds = { start: ["log_head"], end: ["log_head", LAST] };

function rangeKeys(run: string, { by, from, to }: HeadRange): Bounds {
  const prefix = [by === "first" ? "log_head" : "log_tail", run];
  return {
    start: from === undefined ? prefix : [...prefix, from],
    end: to === undefined ? [...prefix, LAST] : [...prefix, to, LAST],
  };
}

async function* readBatches(
  kv: Deno.Kv,
  bounds: Bounds,
  isDescending: boolean,
): AsyncGenerator<Deno.KvEntry<LogHead>[]> {
  for (let rest = bounds;;) {
    const batch = await readBatch(kv, rest, isDescending, LIST_BATCH);
    if (batch.length > 0) yield batch;
    if (batch.length < LIST_BATCH) return;
    const { key } = batch.at(-1)!;
    rest = isDescending ? { ...bounds, end: key } : { ...bounds, start: [...key, 0] };
  }
}

/** One batch of KV, which is a snapshot. */
function readBatch(
  kv: Deno.Kv,
  bounds: Bounds,
  isDescending: boolean,
  limit: number,
): Promise<Deno.KvEntry<LogHead>[]> {
  const options = { limit, batchSize: limit, reverse: isDescending };
  return Array.fromAsync(kv.list<LogHead>(bounds, options));
}

function toChunk({ key, value }: Deno.KvEntry<LogHead>): LogChunk {
  const [lines, otherEnd, minLevel, maxLevel, bytes, pieces] = value;
  const [kind, run, end, seq] = key as [string, string, number, string];
  const [first, last] = kind === "log_head" ? [end, otherEnd] : [otherEnd, end];
  return { run, seq, first, last, lines, minLevel, maxLevel, bytes, pieces };
}
