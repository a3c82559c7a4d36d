import { Commit } from "../kv/commit.ts";
import { logMergeKey } from "../kv/keys.ts";
import { linesOf } from "../kv/log_chunk.ts";
import { dropChunk, type LogChunk, readAllHeads } from "../kv/log_heads.ts";
import { get } from "../kv/read.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import {
  addChunk,
  CHUNK_TARGET_BYTES,
  ChunkGoneError,
  cutLines,
  LogChunkReader,
  packChunk,
} from "./log_chunks.ts";

/** What one commit merges: it deletes up to four keys a chunk, and writes at most these bytes. */
const GROUP_CHUNKS = 150;
const GROUP_BYTES = 500_000;

/** Chunks above this are left as they are. Two below it fit into one, so that merging always ends. */
const SMALL_BYTES = CHUNK_TARGET_BYTES / 2;

export const isSmall = ({ bytes }: LogChunk): boolean => bytes <= SMALL_BYTES;

/**
 * Merges the small chunks of a run into few. Each commit takes some chunks away and puts their lines back as fewer
 * ones, so it can end after any of them; whoever reads meanwhile finds a chunk gone and looks again.
 */
export async function mergeLog(deps: ServerDeps, run: string): Promise<void> {
  for (let before = Infinity;;) {
    const chunks = await readAllHeads(deps.kv, run, { by: "first", isDescending: false });
    if (chunks.length >= before) return; // rivals are at it, or nothing is to be gained
    before = chunks.length;
    for (const group of groupsOf(chunks)) {
      if (deps.shutdown.aborted) return;
      await mergeGroup(deps, run, group);
    }
  }
}

/** Neighbours in time that are worth merging. */
function groupsOf(chunks: readonly LogChunk[]): LogChunk[][] {
  const groups: LogChunk[][] = [[]];
  let bytes = 0;
  for (const chunk of chunks) {
    const group = groups.at(-1)!;
    const fits = group.length < GROUP_CHUNKS && bytes + chunk.bytes <= GROUP_BYTES;
    if (isSmall(chunk) && fits) {
      group.push(chunk);
      bytes += chunk.bytes;
    } else {
      groups.push(isSmall(chunk) ? [chunk] : []);
      bytes = isSmall(chunk) ? chunk.bytes : 0;
    }
  }
  return groups.filter(({ length }) => length > 1);
}

async function mergeGroup({ kv, ids }: ServerDeps, run: string, group: readonly LogChunk[]): Promise<void> {
  // Before the chunks: whoever takes one of them away later makes the commit fail.
  const version = await get(kv, logMergeKey(run));
  const reader = new LogChunkReader(kv);
  try {
    const lines = [];
    for (const chunk of group) lines.push(...linesOf(await reader.load(chunk), null, () => true));
    lines.sort((a, b) => a.timestamp - b.timestamp || (a.id < b.id ? -1 : 1));
    const merged = cutLines(lines).map((part) => packChunk(run, ids.uuid(), part));
    if (merged.length >= group.length) return;
    const commit = new Commit().check(version).set(logMergeKey(run), ids.uuid());
    for (const chunk of group) dropChunk(commit, chunk);
    for (const chunk of merged) addChunk(commit, chunk);
    await commit.send(kv); // when it fails, a rival was here; the next round looks again
  } catch (error) {
    if (!(error instanceof ChunkGoneError)) throw error;
  }
}
