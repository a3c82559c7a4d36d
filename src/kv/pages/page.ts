/**
 * The bytes of a page: columns back to back, so that a value of Deno KV holds some hundreds of runs and reading one
 * column costs nothing for the others.
 *
 *     u32 version · u32 n · n × f64 for each of TIMES · n × 16 bytes of ids · n types · n flags ·
 *     for each of DICTIONARIES: u32 bytes of its JSON · u8 width · JSON · n indexes of that width
 *
 * A dictionary is a JSON array: texts of any kind survive, and `0` stands for what only the record tells.
 */
import { STATE_TYPES, type StateType } from "../../schemas/records.ts";
import { type AskRecord, type PageRow, WORD_COLUMNS, type WordColumn } from "../../schemas/run_row.ts";

export const PAGE_VERSION = 1;
/** Numbers of a row; NaN stands for null. `mark` is the end, or since when it is RUNNING. */
export const TIMES = ["expected", "next", "start", "mark", "totalRunTime"] as const;
export const DICTIONARIES = [...WORD_COLUMNS, "tags"] as const;
export type Dictionary = (typeof DICTIONARIES)[number];
export const HEADER_BYTES = 8;
export const ID_BYTES = 16;
/** Bytes before the JSON of a dictionary. */
export const DICTIONARY_HEADER_BYTES = 5;
/** Flag of a row: `mark` is its end. */
export const MARK_IS_END = 1;

/** Bytes that are no page. */
export class PageBrokenError extends Error {
  override readonly name = "PageBrokenError";
}

type Entry<D extends Dictionary> = D extends "tags" ? readonly string[] | AskRecord
  : string | null | AskRecord;

interface Packed {
  json: Uint8Array;
  indexes: Uint8Array | Uint16Array;
  entries: readonly unknown[] | undefined;
}

/** Dictionaries up to this size stay parsed: they are read again and again, and cost little memory. */
const KEPT_ENTRIES = 64;
const decoder = new TextDecoder();

/** A page as it was read. Its rows never change; a newer version may have more of them. */
export class Page {
  readonly n: number;
  readonly expected: Float64Array;
  readonly next: Float64Array;
  readonly start: Float64Array;
  readonly mark: Float64Array;
  readonly totalRunTime: Float64Array;
  /** Indexes of STATE_TYPES. */
  readonly types: Uint8Array;
  readonly flags: Uint8Array;
  readonly #ids: Uint8Array;
  readonly #dictionaries: Packed[];

  /** @throws PageBrokenError */
  constructor(stored: Uint8Array) {
    // Of its own, so that columns of numbers can be looked at where they are.
    const bytes = stored.slice();
    const reader = new Reader(bytes);
    if (reader.u32() !== PAGE_VERSION) throw new PageBrokenError("not a page of this version");
    const n = this.n = reader.u32();
    if (n * (TIMES.length * 8 + ID_BYTES) > bytes.length) throw new PageBrokenError("too many rows");
    [this.expected, this.next, this.start, this.mark, this.totalRunTime] = [
      reader.floats(n),
      reader.floats(n),
      reader.floats(n),
      reader.floats(n),
      reader.floats(n),
    ];
    this.#ids = reader.take(n * ID_BYTES);
    this.types = reader.take(n);
    this.flags = reader.take(n);
    this.#dictionaries = DICTIONARIES.map(() => reader.dictionary(n));
  }

  id(row: number): string {
    let hex = "";
    for (let at = row * ID_BYTES, end = at + ID_BYTES; at < end; at++) hex += HEX[this.#ids[at]!];
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${
      hex.slice(20)
    }`;
  }

  /** Milliseconds in the id, as a number. */
  createdMs(row: number): number {
    const ids = this.#ids;
    const at = row * ID_BYTES;
    const high = (ids[at]! << 8) | ids[at + 1]!;
    const low = (ids[at + 2]! << 24 | ids[at + 3]! << 16 | ids[at + 4]! << 8 | ids[at + 5]!) >>> 0;
    return high * 2 ** 32 + low;
  }

  type(row: number): StateType {
    const type = STATE_TYPES[this.types[row]!];
    if (!type) throw new PageBrokenError("a state type that is none");
    return type;
  }

  /** All different values of a column. @throws PageBrokenError */
  entries<D extends Dictionary>(dictionary: D): readonly Entry<D>[] {
    const packed = this.#dictionaries[DICTIONARIES.indexOf(dictionary)]!;
    const entries = packed.entries ?? parse(packed.json);
    if (entries.length <= KEPT_ENTRIES) packed.entries = entries;
    // What the packer stored; `audit` compares it with the records.
    return entries as readonly Entry<D>[];
  }

  /** Which of {@link entries} each row has. */
  indexes(dictionary: Dictionary): Uint8Array | Uint16Array {
    return this.#dictionaries[DICTIONARIES.indexOf(dictionary)]!.indexes;
  }

  /** Whole rows, for the packer. @throws PageBrokenError */
  rows(wanted: readonly number[]): PageRow[] {
    const entries = Object.fromEntries(DICTIONARIES.map((name) => [name, this.entries(name)]));
    const value = (dictionary: Dictionary, row: number) => {
      const found = entries[dictionary]![this.indexes(dictionary)[row]!];
      if (found === undefined) throw new PageBrokenError("a row without its text");
      return found;
    };
    return wanted.map((row) => {
      const mark = orNull(this.mark[row]!);
      const hasEnd = (this.flags[row]! & MARK_IS_END) !== 0;
      const words = Object.fromEntries(WORD_COLUMNS.map((column) => [column, value(column, row)]));
      return {
        id: this.id(row),
        type: this.type(row),
        expected: orNull(this.expected[row]!),
        next: orNull(this.next[row]!),
        start: orNull(this.start[row]!),
        end: hasEnd ? mark : null,
        runningSince: hasEnd ? null : mark,
        totalRunTime: this.totalRunTime[row]!,
        ...words as Record<WordColumn, string | null | AskRecord>,
        tags: value("tags", row) as readonly string[] | AskRecord,
      };
    });
  }
}

export const orNull = (value: number): number | null => Number.isNaN(value) ? null : value;

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

function parse(json: Uint8Array): unknown[] {
  try {
    const parsed: unknown = JSON.parse(decoder.decode(json));
    if (Array.isArray(parsed)) return parsed;
  } catch { /* told below */ }
  throw new PageBrokenError("a dictionary that is none");
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new PageBrokenError("ends early");
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }

  u32(): number {
    const part = this.take(4);
    return this.#view.getUint32(part.byteOffset - this.#bytes.byteOffset, true);
  }

  /** They stand first, so that they are aligned. */
  floats(n: number): Float64Array {
    const part = this.take(n * 8);
    return new Float64Array(part.buffer, part.byteOffset, n);
  }

  dictionary(n: number): Packed {
    const length = this.u32();
    const [width = 0] = this.take(1);
    const json = this.take(length);
    if (width !== 1 && width !== 2) throw new PageBrokenError("an index of a width that is none");
    const part = this.take(n * width);
    const indexes = width === 1 ? part : new Uint16Array(part.slice().buffer);
    return { json, indexes, entries: undefined };
  }
}
