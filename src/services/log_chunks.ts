import { lineBytes, type LogColumns, packLines, unpackColumns } from "../kv/log_chunk.ts";
import { addHeads, type LogChunk, pieceKeys } from "../kv/log_heads.ts";
import type { Commit } from "../kv/commit.ts";
import { getMany } from "../kv/read.ts";
import type { LogLine } from "../schemas/records.ts";

/** Bytes of lines in one chunk; a longer line has a chunk of its own. */
export const CHUNK_TARGET_BYTES = 200_000;

/** Chunks that stay unpacked in memory: a page is mostly in the chunk of the page before. */
const KEPT = 16;

/** Cuts lines, which are in order of time, into runs for one chunk each. */
export function cutLines(lines: readonly LogLine[], longestMicros = Infinity): LogLine[][] {
  const parts: LogLine[][] = [];
  let bytes = 0;
  let start = 0;
  for (const line of lines) {
    const more = lineBytes(line);
    const part = parts.at(-1);
    if (part && bytes + more <= CHUNK_TARGET_BYTES && line.timestamp - start <= longestMicros) {
      part.push(line);
      bytes += more;
    } else {
      parts.push([line]);
      bytes = more;
      start = line.timestamp;
    }
  }
  return parts;
}

/** A chunk ready to be stored. */
export interface PackedChunk {
  chunk: LogChunk;
  pieces: Uint8Array[];
  /** Bytes that it takes. */
  size: number;
}

/** Packs lines of one run, in order of time; `seq` is fresh. */
export function packChunk(run: string, seq: string, lines: readonly LogLine[]): PackedChunk {
  const pieces = packLines(lines);
  let [minLevel, maxLevel, bytes] = [Infinity, -Infinity, 0];
  for (const line of lines) {
    minLevel = Math.min(minLevel, line.level);
    maxLevel = Math.max(maxLevel, line.level);
    bytes += lineBytes(line);
  }
  const [first, last] = [lines[0]!.timestamp, lines.at(-1)!.timestamp];
  return {
    chunk: { run, seq, first, last, lines: lines.length, minLevel, maxLevel, bytes, pieces: pieces.length },
    pieces,
    size: pieces.reduce((sum, { length }) => sum + length, 0),
  };
}

/** Puts a chunk with its pieces into a commit. */
export function addChunk(commit: Commit, { chunk, pieces }: PackedChunk): void {
  addHeads(commit, chunk);
  pieceKeys(chunk).forEach((key, i) => commit.set(key, pieces[i]!));
}

/** A chunk was merged into others, or its run was deleted, after its head was read. */
export class ChunkGoneError extends Error {
  override readonly name = "ChunkGoneError";
}

/** Reads chunks. A chunk never changes under its `seq`, so what was read once stays right. */
export class LogChunkReader {
  readonly #kv: Deno.Kv;
  /** The last ones, the latest at the end. */
  readonly #kept = new Map<string, LogColumns>();

  constructor(kv: Deno.Kv) {
    this.#kv = kv;
  }

  /** @throws ChunkGoneError */
  async load(chunk: LogChunk): Promise<LogColumns> {
    const columns = this.#kept.get(chunk.seq) ?? unpackColumns(await this.#pieces(chunk));
    this.#kept.delete(chunk.seq);
    if (chunk.bytes <= 2 * CHUNK_TARGET_BYTES) this.#kept.set(chunk.seq, columns);
    for (const seq of this.#kept.keys()) {
      if (this.#kept.size <= KEPT) break;
      this.#kept.delete(seq);
    }
    return columns;
  }

  async #pieces(chunk: LogChunk): Promise<Uint8Array[]> {
    const entries = await getMany(this.#kv, pieceKeys(chunk));
    return entries.map(({ value }) => {
      if (value === null) throw new ChunkGoneError(`Chunk ${chunk.seq} of run ${chunk.run} is gone.`);
      return value;
    });
  }
}
