import { Commit } from "../kv/commit.ts";
import type { GroupCommit } from "../kv/group_commit.ts";
import { logKey } from "../kv/keys.ts";
import { packText, readText, storePieces } from "../kv/large_text.ts";
import { get } from "../kv/read.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { LogFilter, LogListBody } from "../schemas/filter.ts";
import type { LogCreate } from "../schemas/log.ts";
import type { LogChunk, LogLine } from "../schemas/records.ts";

/** Log lines without a run stand under this name. */
const NO_RUN = "none";
/** Characters of one chunk's JSON, about. */
const CHUNK_CHARACTERS = 150_000;

/** Log lines, kept in batches as they come. */
export class Logs {
  readonly #deps: ServerDeps;
  readonly #group: GroupCommit;

  constructor(deps: ServerDeps, group: GroupCommit) {
    this.#deps = deps;
    this.#group = group;
  }

  async create(lines: readonly LogCreate[]): Promise<void> {
    const byRun = new Map<string, LogLine[]>();
    for (const line of lines) {
      const run = line.flow_run_id ?? NO_RUN;
      byRun.set(run, [...byRun.get(run) ?? [], this.#toLine(line)]);
    }
    const chunks = [...byRun].flatMap(([run, of]) => split(of).map((chunk) => [run, chunk] as const));
    await Promise.all(chunks.map(([run, chunk]) => this.#store(run, chunk)));
  }

  #toLine(line: LogCreate): LogLine {
    return {
      id: this.#deps.ids.uuid(),
      name: line.name,
      level: line.level,
      message: line.message,
      timestamp: line.timestamp,
      flowRunId: line.flow_run_id ?? null,
      taskRunId: line.task_run_id ?? null,
    };
  }

  async #store(run: string, lines: readonly LogLine[]): Promise<void> {
    const { kv, ids } = this.#deps;
    const text = packText(JSON.stringify(lines), ids.uuid());
    const key = logKey(run, lines[0]!.timestamp, ids.uuid());
    const commit = new Commit().checkAbsent(key).set(key, {
      count: lines.length,
      lastTimestamp: lines.at(-1)!.timestamp,
      maxLevel: Math.max(...lines.map(({ level }) => level)),
      lines: text.stored,
    });
    await storePieces(kv, commit, [text]);
    // False means that an earlier attempt of the runtime was applied: nobody else writes this key.
    await this.#group.send(commit);
  }

  async list(body: LogListBody): Promise<LogLine[]> {
    const lines = (await this.#matching(body.logs)).sort((a, b) =>
      a.timestamp - b.timestamp || (a.id < b.id ? -1 : 1)
    );
    if (body.sort === "TIMESTAMP_DESC") lines.reverse();
    return lines.slice(body.offset, body.offset + body.limit);
  }

  async #matching(filter: LogFilter | null | undefined): Promise<LogLine[]> {
    const { kv } = this.#deps;
    const runs = filter?.operator === "or_" ? undefined : filter?.flow_run_id?.any_;
    const prefixes: Deno.KvKey[] = runs ? [...new Set(runs)].map((run) => ["log", run]) : [["log"]];
    const lines: LogLine[] = [];
    for (const prefix of prefixes) {
      for await (const { key, value } of kv.list<LogChunk>({ prefix }, { batchSize: 100 })) {
        if (!mayMatch(filter, value, key[2] as number)) continue;
        lines.push(...(await this.#lines(key, value)).filter((line) => matchesLine(filter, line)));
      }
    }
    return lines;
  }

  async #lines(key: Deno.KvKey, chunk: LogChunk): Promise<LogLine[]> {
    try {
      return JSON.parse(await readText(this.#deps.kv, chunk.lines));
    } catch (error) {
      if ((await get(this.#deps.kv, key)).value === null) return []; // the run was just deleted
      throw error;
    }
  }
}

function split(lines: readonly LogLine[]): LogLine[][] {
  const ordered = lines.toSorted((a, b) => a.timestamp - b.timestamp);
  const chunks: LogLine[][] = [];
  let size = Infinity;
  for (const line of ordered) {
    const characters = line.message.length + 200;
    if (size + characters > CHUNK_CHARACTERS) {
      chunks.push([]);
      size = 0;
    }
    chunks.at(-1)!.push(line);
    size += characters;
  }
  return chunks;
}

/** Whether a chunk can have a matching line, judged without reading its text. */
function mayMatch(filter: LogFilter | null | undefined, chunk: LogChunk, firstTimestamp: number): boolean {
  if (!filter || filter.operator === "or_") return true;
  const { level, timestamp } = filter;
  return !(typeof level?.ge_ === "number" && chunk.maxLevel < level.ge_) &&
    !(typeof timestamp?.after_ === "number" && chunk.lastTimestamp < timestamp.after_) &&
    !(typeof timestamp?.before_ === "number" && firstTimestamp > timestamp.before_);
}

function matchesLine(filter: LogFilter | null | undefined, line: LogLine): boolean {
  if (!filter) return true;
  const clauses: boolean[] = [];
  const { level, timestamp, flow_run_id: run, task_run_id: task } = filter;
  if (typeof level?.ge_ === "number") clauses.push(line.level >= level.ge_);
  if (typeof level?.le_ === "number") clauses.push(line.level <= level.le_);
  if (typeof timestamp?.after_ === "number") clauses.push(line.timestamp >= timestamp.after_);
  if (typeof timestamp?.before_ === "number") clauses.push(line.timestamp <= timestamp.before_);
  if (run?.any_) clauses.push(line.flowRunId !== null && run.any_.includes(line.flowRunId));
  if (task?.any_) clauses.push(line.taskRunId !== null && task.any_.includes(line.taskRunId));
  if (typeof task?.is_null_ === "boolean") clauses.push((line.taskRunId === null) === task.is_null_);
  if (clauses.length === 0) return true;
  return filter.operator === "or_" ? clauses.some(Boolean) : clauses.every(Boolean);
}
