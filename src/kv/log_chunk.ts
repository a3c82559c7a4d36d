/** How log lines are packed: columns as JSON, in gzip, cut into pieces that fit into a value. */
import { gunzipSync, gzipSync } from "node:zlib";
import type { LogLine } from "../schemas/records.ts";
import { CHUNK_BYTES } from "./limits.ts";

/**
 * Level 1: 0.3 ms for 160 KB, against 1.2 ms at level 6 for two thirds of the size. `CompressionStream` has no levels,
 * and takes 7 ms.
 */
const LEVEL = 1;

/** Hex digits at the end of a line's id that count the lines of a batch. */
const NUMBER_DIGITS = 6;

/** A column in which all values are the same is that value. */
type Column = number[] | number;

/** Lines side by side. Texts that repeat stand in `texts`, the columns then have their numbers; -1 is null. */
export interface LogColumns {
  size: number;
  texts: string[];
  /** Beginning of the id: which batch the line came in. */
  batch: Column;
  /** End of the id, less the line's place. */
  number: Column;
  /** Less the time of the line before, unless some are so far off that a difference would be rounded. */
  time: Column;
  areTimesWhole: boolean;
  level: Column;
  name: Column;
  task: Column;
  message: string[];
}

/** The id of a line of a batch. Ids of one batch increase, and stay below the next batch's. */
export const lineId = (batch: string, number: number): string =>
  batch.slice(0, -NUMBER_DIGITS) + number.toString(16).padStart(NUMBER_DIGITS, "0");

/** Half of what a number holds exactly, so that differences are exact: the years 1827 to 2112. */
const EXACT = 2 ** 52;

/** What a line counts, in bytes before packing, with about what stands beside its message. */
export const lineBytes = ({ message, name }: LogLine): number =>
  new TextEncoder().encode(message).length + name.length + 40;

/** Packs lines of one run, which are in order of time, into pieces that fit into a value. */
export function packLines(lines: readonly LogLine[]): Uint8Array[] {
  const numbers = new Map<string, number>();
  const numberOf = (text: string): number => {
    const known = numbers.get(text);
    if (known === undefined) numbers.set(text, numbers.size);
    return known ?? numbers.size - 1;
  };
  const areTimesWhole = lines.some(({ timestamp }) => Math.abs(timestamp) > EXACT);
  const before = (i: number) => areTimesWhole ? 0 : lines[i - 1]?.timestamp ?? 0;
  const columns: Omit<LogColumns, "texts"> = {
    size: lines.length,
    batch: column(lines.map(({ id }) => numberOf(id.slice(0, -NUMBER_DIGITS)))),
    number: column(lines.map(({ id }, i) => parseInt(id.slice(-NUMBER_DIGITS), 16) - i)),
    time: column(lines.map(({ timestamp }, i) => timestamp - before(i))),
    areTimesWhole,
    level: column(lines.map(({ level }) => level)),
    name: column(lines.map(({ name }) => numberOf(name))),
    task: column(lines.map(({ taskRunId }) => taskRunId === null ? -1 : numberOf(taskRunId))),
    message: lines.map(({ message }) => message),
  };
  const bytes = new TextEncoder().encode(JSON.stringify({ ...columns, texts: [...numbers.keys()] }));
  const packed = gzipSync(bytes, { level: LEVEL });
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < packed.length; at += CHUNK_BYTES) {
    pieces.push(new Uint8Array(packed.subarray(at, at + CHUNK_BYTES)));
  }
  return pieces;
}

export function unpackColumns(pieces: readonly Uint8Array[]): LogColumns {
  const packed = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    packed.set(piece, at);
    at += piece.length;
  }
  return JSON.parse(new TextDecoder().decode(gunzipSync(packed)));
}

/** The lines that pass `test`, in order. */
export function linesOf(
  columns: LogColumns,
  flowRunId: string | null,
  test: (line: Omit<LogLine, "id">) => boolean,
): LogLine[] {
  const { texts, batch, number, time, areTimesWhole, level, name, task, message } = columns;
  const lines: LogLine[] = [];
  let timestamp = 0;
  for (let i = 0; i < columns.size; i++) {
    timestamp = areTimesWhole ? at(time, i) : timestamp + at(time, i);
    const line = {
      name: texts[at(name, i)]!,
      level: at(level, i),
      message: message[i]!,
      timestamp,
      flowRunId,
      taskRunId: texts[at(task, i)] ?? null,
    };
    if (!test(line)) continue;
    const id = texts[at(batch, i)]! + (at(number, i) + i).toString(16).padStart(NUMBER_DIGITS, "0");
    lines.push({ id, ...line });
  }
  return lines;
}

const column = (values: number[]): Column =>
  values.every((value) => value === values[0]) ? values[0] ?? 0 : values;

const at = (values: Column, i: number): number => typeof values === "number" ? values : values[i]!;
