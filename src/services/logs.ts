import { DomainError } from "../errors.ts";
import { Commit } from "../kv/commit.ts";
import type { GroupCommit } from "../kv/group_commit.ts";
import { logHeadKey, logKey, logMergeKey, runDocKey } from "../kv/keys.ts";
import { BATCH_MUTATIONS, COMMIT_PAYLOAD_BYTES } from "../kv/limits.ts";
import { lineId } from "../kv/log_chunk.ts";
import { addHeads, dropChunk, NO_RUN, readHeads } from "../kv/log_heads.ts";
import { get } from "../kv/read.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { LogListBody } from "../schemas/filter.ts";
import type { LogCreate } from "../schemas/log.ts";
import type { LogLine } from "../schemas/records.ts";
import type { RunChange } from "./gate/batch.ts";
import { addChunk, cutLines, LogChunkReader, packChunk, type PackedChunk } from "./log_chunks.ts";
import { LogMerger } from "./log_merger.ts";
import { LogReader } from "./log_reader.ts";

/** A chunk spans no more: chunks that lie across many others make pages dear. */
const LONGEST_SPAN_MICROS = 60e6;
/** Chunks that one commit of a deletion takes. */
const DELETED_AT_ONCE = 100;
/** Longer than any merge that was under way when its run was deleted. */
const REMEMBERED_MS = 24 * 60 * 60 * 1000;

/** Log lines, kept in packed chunks (docs/logs.md). */
export class Logs {
  readonly #deps: ServerDeps;
  readonly #group: GroupCommit;
  readonly #reader: LogReader;
  readonly #merger: LogMerger;

  constructor(deps: ServerDeps, group: GroupCommit) {
    this.#deps = deps;
    this.#group = group;
    this.#merger = new LogMerger(deps);
    this.#reader = new LogReader(
      deps.kv,
      new LogChunkReader(deps.kv),
      (run, chunks) => this.#merger.noteRead(run, chunks),
    );
  }

  /** Settles when no log is to be merged any more. */
  get merged(): Promise<void> {
    return this.#merger.idle;
  }

  /** Ended runs get their logs merged. */
  noteChanges(changes: readonly RunChange[]): void {
    this.#merger.noteChanges(changes);
  }

  /** Stores lines of any runs, or of none. All of them are there when it resolves. */
  async create(lines: readonly LogCreate[]): Promise<void> {
    const batch = this.#deps.ids.uuid();
    const byRun = Map.groupBy(lines.map((line, i) => toLine(line, lineId(batch, i))), runKeyOf);
    await Promise.all([...byRun].map(async ([run, of]) => {
      const parts = cutLines(of.sort((a, b) => a.timestamp - b.timestamp), LONGEST_SPAN_MICROS);
      await Promise.all(parts.map((part) => this.#store(packChunk(run, this.#deps.ids.uuid(), part))));
      this.#merger.noteAdded(run, parts.length);
    }));
  }

  async #store(packed: PackedChunk): Promise<void> {
    const { kv, sharedKv } = this.#deps;
    const { chunk: { run, seq, first }, chunk, pieces, size } = packed;
    const commit = new Commit();
    // A shared KV may repeat the commit after the chunk was merged into another.
    if (sharedKv) commit.once(seq);
    else commit.checkAbsent(logHeadKey(run, first, seq));
    if (size <= COMMIT_PAYLOAD_BYTES) {
      addChunk(commit, packed);
    } else {
      // Ahead of the head, where nobody finds them until it is there.
      for (const [i, piece] of pieces.entries()) {
        const key = logKey(run, first, seq, i);
        await new Commit().checkAbsent(key).set(key, piece).send(kv);
      }
      addHeads(commit, chunk);
    }
    // False means that an earlier attempt of the runtime was applied: nobody else writes this chunk.
    await this.#group.send(commit, size);
  }

  /** A page of lines in order of time; lines of one time as they came. @throws DomainError `invalid` */
  async list({ logs: filter, sort, offset, limit }: LogListBody): Promise<LogLine[]> {
    const isDescending = sort === "TIMESTAMP_DESC";
    return (await Array.fromAsync(this.#reader.read({ filter, isDescending, offset, limit }))).flat();
  }

  /**
   * All lines of a run, in order of time, as they are asked for, with the run's name.
   *
   * @throws DomainError `not_found`
   */
  async download(run: string): Promise<{ name: string; lines: AsyncGenerator<LogLine[]> }> {
    const doc = (await get(this.#deps.kv, runDocKey(run))).value;
    if (!doc) throw new DomainError("not_found", "Flow run not found");
    const filter = { operator: "and_" as const, flow_run_id: { any_: [run] } };
    const lines = this.#reader.read({ filter, isDescending: false, offset: 0, limit: Infinity });
    return { name: doc.name, lines };
  }

  /** Deletes what a run has logged so far, a bounded part in each commit. */
  async deleteOf(run: string): Promise<void> {
    const { kv, ids } = this.#deps;
    for (;;) {
      // Before the chunks, and written with them: a merge under way must not bring any back.
      const version = await get(kv, logMergeKey(run));
      const chunks = await readHeads(kv, run, { by: "first", isDescending: false }, DELETED_AT_ONCE);
      if (chunks.length === 0) return;
      const commit = new Commit().check(version);
      commit.set(logMergeKey(run), ids.uuid(), { expireIn: REMEMBERED_MS });
      for (const chunk of chunks) {
        if (commit.mutations > BATCH_MUTATIONS) break;
        dropChunk(commit, chunk);
      }
      await commit.send(kv);
    }
  }
}

const runKeyOf = ({ flowRunId }: LogLine): string => flowRunId ?? NO_RUN;

function toLine(line: LogCreate, id: string): LogLine {
  return {
    id,
    name: line.name,
    level: line.level,
    message: line.message,
    timestamp: line.timestamp,
    flowRunId: line.flow_run_id ?? null,
    taskRunId: line.task_run_id ?? null,
  };
}
