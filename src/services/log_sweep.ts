import type { LogMatcher } from "../domain/log_filter.ts";
import { linesOf, type LogColumns } from "../kv/log_chunk.ts";
import { type LogChunk, NO_RUN } from "../kv/log_heads.ts";
import type { Instant, LogLine } from "../schemas/records.ts";

/** A place in the lines that match: behind a line, or what could be one, and so many lines more. */
export interface LogPlace {
  after?: Pick<LogLine, "timestamp" | "id"> | undefined;
  skip: number;
}

export interface SweepOptions {
  /** Backwards: all that is said of "before" and "near" is meant from the newest line on. */
  isDescending: boolean;
  matcher: LogMatcher;
  load(chunk: LogChunk): Promise<LogColumns>;
  /** Where to begin. */
  place: LogPlace;
  /** How many lines to give at most. */
  limit: number;
  /** From this time on there may be lines in chunks that are not known: none of them is given. */
  horizon?: Instant | undefined;
}

/** The run that a chunk's lines have. */
const runOf = ({ run }: LogChunk): string | null => run === NO_RUN ? null : run;

/**
 * Goes through chunks in order of time and gives their matching lines in order, reading each chunk when it is needed.
 * Chunks may overlap: a line is given once no chunk that was not read can have an earlier one.
 */
export class LogSweep {
  readonly #options: SweepOptions;
  readonly #chunks: LogChunk[];
  readonly #sign: 1 | -1;
  readonly #horizon: number;
  /** Matching lines that were read and not given yet, in order. */
  #pending: LogLine[] = [];
  #skip: number;
  #limit: number;
  /** Whether the place may lie where chunks are not known: then nothing was passed over. */
  #isBeyond = false;

  constructor(chunks: readonly LogChunk[], options: SweepOptions) {
    const { isDescending, matcher, place, horizon, limit } = options;
    const { after, skip } = place;
    this.#options = options;
    this.#sign = isDescending ? -1 : 1;
    this.#horizon = horizon === undefined ? Infinity : horizon * this.#sign;
    this.#skip = skip;
    this.#limit = limit;
    this.#chunks = chunks
      .filter((chunk) => !after || this.#far(chunk) >= this.#at(after))
      .filter((chunk) => this.#near(chunk) < this.#horizon)
      .filter((chunk) => matcher.judge({ ...chunk, run: runOf(chunk) }) !== "none")
      .sort((a, b) => this.#near(a) - this.#near(b));
  }

  /**
   * The lines, batch by batch. Returns where to go on with the chunks that were not known.
   *
   * @throws ChunkGoneError
   */
  async *lines(): AsyncGenerator<LogLine[], LogPlace> {
    for (const chunk of this.#chunks.slice(await this.#jump())) {
      yield* this.#take(this.#near(chunk));
      this.#add(await this.#read(chunk));
    }
    yield* this.#take(this.#horizon);
    return this.#rest();
  }

  #rest(): LogPlace {
    const { isDescending, horizon, place } = this.#options;
    if (this.#isBeyond || horizon === undefined) return place;
    // Before every line of that time: ids are hexadecimal.
    return { after: { timestamp: horizon, id: isDescending ? "~" : "" }, skip: this.#skip };
  }

  /**
   * Passes over chunks that lie before the first line wanted, reading only those that reach beyond the place, and those
   * whose matching lines are not known from their heads. Tells with which chunk to go on.
   */
  async #jump(): Promise<number> {
    let next = 0;
    for (let most = 0; next < this.#chunks.length; next++) {
      most += this.#chunks[next]!.lines;
      if (most > this.#skip) break;
    }
    const isAll = next === this.#chunks.length;
    this.#isBeyond = isAll && this.#horizon < Infinity;
    if (this.#isBeyond) return next;
    const place = isAll ? Infinity : this.#near(this.#chunks[next]!);
    while (next > 0 && this.#near(this.#chunks[next - 1]!) === place) next--;
    for (const chunk of this.#chunks.slice(0, next)) await this.#pass(chunk, place);
    return next;
  }

  async #pass(chunk: LogChunk, place: number): Promise<void> {
    const { matcher, place: { after } } = this.#options;
    const isWhole = !after || this.#near(chunk) > this.#at(after);
    const verdict = matcher.judge({ ...chunk, run: runOf(chunk) });
    if (verdict === "all" && isWhole && this.#far(chunk) < place) {
      this.#skip -= chunk.lines;
      return;
    }
    const lines = await this.#read(chunk);
    const rest = lines.filter((line) => this.#at(line) >= place);
    this.#skip -= lines.length - rest.length;
    this.#add(rest);
  }

  async #read(chunk: LogChunk): Promise<LogLine[]> {
    const { load, matcher, place: { after }, isDescending } = this.#options;
    const columns = await load(chunk);
    const lines = linesOf(columns, runOf(chunk), matcher.matches);
    if (isDescending) lines.reverse();
    return after ? lines.filter((line) => this.#compare(line, after) > 0) : lines;
  }

  #add(lines: readonly LogLine[]): void {
    const last = this.#pending.at(-1);
    const overlaps = last !== undefined && lines.length > 0 && this.#compare(last, lines[0]!) > 0;
    this.#pending = this.#pending.concat(lines);
    if (overlaps) this.#pending.sort((a, b) => this.#compare(a, b));
    const wanted = this.#skip + this.#limit;
    if (this.#pending.length > wanted) this.#pending.length = wanted;
  }

  /** Gives the pending lines before a time. */
  *#take(before: number): Generator<LogLine[]> {
    const found = this.#pending.findIndex((line) => this.#at(line) >= before);
    const count = found === -1 ? this.#pending.length : found;
    if (count === 0) return;
    const skipped = Math.min(count, this.#skip);
    const lines = this.#pending.slice(skipped, Math.min(count, skipped + this.#limit));
    this.#pending = this.#pending.slice(count);
    this.#skip -= skipped;
    this.#limit -= lines.length;
    if (lines.length > 0) yield lines;
  }

  #near = (chunk: LogChunk): number => this.#sign === 1 ? chunk.first : -chunk.last;
  #far = (chunk: LogChunk): number => this.#sign === 1 ? chunk.last : -chunk.first;
  #at = (line: Pick<LogLine, "timestamp">): number => this.#sign * line.timestamp;
  #compare = (a: Pick<LogLine, "timestamp" | "id">, b: Pick<LogLine, "timestamp" | "id">): number =>
    this.#at(a) - this.#at(b) || this.#sign * (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}
