import { buildLogMatcher } from "../domain/log_filter.ts";
import { DomainError } from "../errors.ts";
import type { LogColumns } from "../kv/log_chunk.ts";
import { type HeadRange, type LogChunk, readAllHeads, readHeads, readHeadsOfAll } from "../kv/log_heads.ts";
import { LIST_BATCH } from "../kv/limits.ts";
import type { LogFilter } from "../schemas/filter.ts";
import type { Instant, LogLine } from "../schemas/records.ts";
import { ChunkGoneError, type LogChunkReader } from "./log_chunks.ts";
import { type LogPlace, LogSweep } from "./log_sweep.ts";

export interface LogQuery {
  filter: LogFilter | null | undefined;
  isDescending: boolean;
  offset: number;
  limit: number;
}

/**
 * Heads that are read at first, and then, and then all. Up to a batch of them is one snapshot and one read: enough for
 * the first page of any log, and for any page of a million lines.
 */
const STEPS = [50, LIST_BATCH];
/** What a question about more than one run may look at. 20,000 heads take 0.15 s, 200 MB of lines about 2 s. */
const MOST_HEADS = 20_000;
const MOST_BYTES = 200_000_000;
/** How often in a row chunks may be merged away before they are read. */
const ATTEMPTS = 50;

/** The chunks that a question needs, as they stood at one moment. */
interface Snapshot {
  chunks: LogChunk[];
  /** From here on there may be others; undefined when these are all. */
  horizon: Instant | undefined;
}

/** Reads lines in order of time, lines of one time as they came; each once, also while chunks are being merged. */
export class LogReader {
  readonly #kv: Deno.Kv;
  readonly #chunks: LogChunkReader;
  readonly #onRead: (run: string, chunks: readonly LogChunk[]) => void;

  /** @param onRead is told what heads of a run were read */
  constructor(
    kv: Deno.Kv,
    chunks: LogChunkReader,
    onRead: (run: string, chunks: readonly LogChunk[]) => void,
  ) {
    this.#kv = kv;
    this.#chunks = chunks;
    this.#onRead = onRead;
  }

  /**
   * The lines that match, batch by batch, as many as are asked for.
   *
   * @throws DomainError `invalid` when a question about more than one run would have to look at too much
   */
  async *read(query: LogQuery): AsyncGenerator<LogLine[]> {
    const { filter, isDescending, offset } = query;
    const runs = runsOf(filter);
    if (runs?.length === 0 || query.limit === 0) return;
    const matcher = buildLogMatcher(filter);
    const load = runs?.length === 1 ? (chunk: LogChunk) => this.#chunks.load(chunk) : this.#boundedLoad();
    let limit = query.limit;
    let place: LogPlace = { skip: offset };
    for (let step = 0, failed = 0;; step++) {
      const { chunks, horizon } = await this.#snapshot(runs, query, STEPS[step]);
      const sweep = new LogSweep(chunks, { isDescending, matcher, load, place, limit, horizon }).lines();
      try {
        let next = await sweep.next();
        for (; !next.done; next = await sweep.next()) {
          yield next.value;
          failed = 0;
          place = { after: next.value.at(-1), skip: 0 };
          limit -= next.value.length;
          if (limit === 0) return;
        }
        if (horizon === undefined) return;
        place = next.value;
      } catch (error) {
        if (!(error instanceof ChunkGoneError)) throw error;
        if (++failed > ATTEMPTS) {
          throw new DomainError("contention", "The log is being rewritten: try again.", { cause: error });
        }
      }
    }
  }

  #boundedLoad(): (chunk: LogChunk) => Promise<LogColumns> {
    let bytes = 0;
    return (chunk) => {
      bytes += chunk.bytes;
      if (bytes > MOST_BYTES) throw tooMuch(`about ${bytes / 1e6} MB of lines`);
      return this.#chunks.load(chunk);
    };
  }

  /** @param most heads that are read of a run; undefined for all */
  async #snapshot(runs: readonly string[] | undefined, query: LogQuery, most?: number): Promise<Snapshot> {
    if (!runs) {
      const chunks = await readHeadsOfAll(this.#kv, MOST_HEADS);
      if (!chunks) throw tooMuch(`more than ${MOST_HEADS} pieces of logs`);
      return { chunks, horizon: undefined };
    }
    const range = rangeOf(query);
    const chunks: LogChunk[] = [];
    const horizons: Instant[] = [];
    for (const run of runs) {
      const own = most === undefined
        ? await readAllHeads(this.#kv, run, range)
        : await readHeads(this.#kv, run, range, most);
      chunks.push(...own);
      if (own.length === most) horizons.push(horizonOf(own, range));
      this.#onRead(run, own);
      if (runs.length > 1 && chunks.length > MOST_HEADS) {
        throw tooMuch(`more than ${MOST_HEADS} pieces of logs`);
      }
    }
    if (horizons.length === 0) return { chunks, horizon: undefined };
    return { chunks, horizon: range.isDescending ? Math.max(...horizons) : Math.min(...horizons) };
  }
}

/** Where the order of reading is that of the keys, the first heads tell about a beginning of the log. */
function horizonOf(chunks: readonly LogChunk[], { isDescending, isInOrder }: OrderedRange): Instant {
  const { first, last } = chunks.at(-1)!;
  if (isDescending) return isInOrder ? last : Infinity;
  return isInOrder ? first : -Infinity;
}

interface OrderedRange extends HeadRange {
  /** Whether the keys have the order in which lines are read. */
  isInOrder: boolean;
}

/** Reads by first ends forwards and by last ends backwards, unless a bound in time can be had from the other ends. */
function rangeOf({ filter, isDescending }: LogQuery): OrderedRange {
  const isBounded = filter?.operator !== "or_";
  const from = isBounded ? filter?.timestamp?.after_ ?? undefined : undefined;
  const to = isBounded ? filter?.timestamp?.before_ ?? undefined : undefined;
  if (isDescending) {
    return from === undefined && to !== undefined
      ? { by: "first", isDescending, to, isInOrder: false }
      : { by: "last", isDescending, from, isInOrder: true };
  }
  return from === undefined
    ? { by: "first", isDescending, to, isInOrder: true }
    : { by: "last", isDescending, from, isInOrder: false };
}

/** The runs that a filter names; undefined when lines of any run, or of none, may match. */
function runsOf(filter: LogFilter | null | undefined): string[] | undefined {
  const named = filter?.operator === "or_" ? undefined : filter?.flow_run_id?.any_;
  return named ? [...new Set(named)] : undefined;
}

const tooMuch = (what: string) =>
  new DomainError(
    "invalid",
    `This would have to look at ${what}. Name a run in logs.flow_run_id.any_, or fewer runs; where lines are the ` +
      "matter, a shorter time in logs.timestamp or a smaller offset helps, too.",
  );
