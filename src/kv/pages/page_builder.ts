import { STATE_TYPES } from "../../schemas/records.ts";
import { type PageRow, WORD_COLUMNS } from "../../schemas/run_row.ts";
import {
  DICTIONARIES,
  type Dictionary,
  DICTIONARY_HEADER_BYTES,
  HEADER_BYTES,
  ID_BYTES,
  MARK_IS_END,
  type Page,
  PAGE_VERSION,
  TIMES,
} from "./page.ts";
import { utf8Bytes } from "./page_row.ts";

/** Most bytes of a page. KV takes values of 65,536 bytes; the rest is for their serialisation. */
export const MAX_PAGE_BYTES = 61_440;
/** Rows of a page when they are of usual size. Source of the number: docs/lists.md. */
export const MAX_PAGE_ROWS = 600;

/** Numbers, id, type, flags, and indexes of the widest kind. */
const ROW_BYTES = TIMES.length * 8 + ID_BYTES + 2 + DICTIONARIES.length * 2;

interface Growing {
  /** JSON of each entry. */
  texts: string[];
  /** Place by value; lists of tags by their JSON. */
  index: Map<unknown, number>;
  indexes: number[];
}

/** A page that is being written. Rows are added at its end and never moved. */
export class PageBuilder {
  readonly #maxRows: number;
  readonly #rows: PageRow[] = [];
  readonly #dictionaries: Growing[] = DICTIONARIES.map(() => ({ texts: [], index: new Map(), indexes: [] }));
  #bytes = HEADER_BYTES + DICTIONARIES.length * (DICTIONARY_HEADER_BYTES + 2);

  /** Goes on with the first `n` rows of `page`. */
  constructor(maxRows = MAX_PAGE_ROWS, page?: Page, n = 0) {
    this.#maxRows = maxRows;
    if (page) {
      for (const row of page.rows(Array.from({ length: n }, (_, i) => i))) {
        this.#add(row, Infinity);
      }
    }
  }

  get n(): number {
    return this.#rows.length;
  }

  /** At most so many bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** False when the page is full: the row belongs on another one. */
  add(row: PageRow): boolean {
    return this.n < this.#maxRows && this.#add(row, MAX_PAGE_BYTES);
  }

  #add(row: PageRow, most: number): boolean {
    const keys = DICTIONARIES.map((name) => name === "tags" ? JSON.stringify(row.tags) : row[name]);
    let bytes = this.#bytes + ROW_BYTES;
    const texts = keys.map((key, i) => {
      if (this.#dictionaries[i]!.index.has(key)) return undefined;
      const text = DICTIONARIES[i] === "tags" ? String(key) : JSON.stringify(key);
      bytes += utf8Bytes(text) + 1;
      return text;
    });
    if (bytes > most) return false;
    this.#bytes = bytes;
    this.#rows.push(row);
    this.#dictionaries.forEach((dictionary, i) => {
      const text = texts[i];
      if (text !== undefined) dictionary.index.set(keys[i], dictionary.texts.push(text) - 1);
      dictionary.indexes.push(dictionary.index.get(keys[i])!);
    });
    return true;
  }

  encode(): Uint8Array {
    const rows = this.#rows;
    const jsons = this.#dictionaries.map(({ texts }) => new TextEncoder().encode(`[${texts.join(",")}]`));
    const widths = this.#dictionaries.map(({ texts }) => texts.length <= 256 ? 1 : 2);
    const size = HEADER_BYTES + rows.length * (TIMES.length * 8 + ID_BYTES + 2) +
      jsons.reduce(
        (sum, json, i) => sum + DICTIONARY_HEADER_BYTES + json.length + rows.length * widths[i]!,
        0,
      );
    const bytes = new Uint8Array(size);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, PAGE_VERSION, true);
    view.setUint32(4, rows.length, true);
    let at = HEADER_BYTES;
    for (const time of TIMES) {
      for (const row of rows) {
        view.setFloat64(at, (time === "mark" ? row.end ?? row.runningSince : row[time]) ?? NaN, true);
        at += 8;
      }
    }
    for (const row of rows) {
      writeId(bytes, at, row.id);
      at += ID_BYTES;
    }
    for (const row of rows) bytes[at++] = STATE_TYPES.indexOf(row.type);
    for (const row of rows) bytes[at++] = row.end === null ? 0 : MARK_IS_END;
    this.#dictionaries.forEach(({ indexes }, i) => {
      view.setUint32(at, jsons[i]!.length, true);
      bytes[at + 4] = widths[i]!;
      at += DICTIONARY_HEADER_BYTES;
      bytes.set(jsons[i]!, at);
      at += jsons[i]!.length;
      for (const index of indexes) {
        if (widths[i] === 1) bytes[at] = index;
        else view.setUint16(at, index, true);
        at += widths[i]!;
      }
    });
    return bytes;
  }
}

function writeId(bytes: Uint8Array, at: number, id: string): void {
  const end = at + ID_BYTES;
  let high = -1;
  for (let i = 0; i < id.length && at < end; i++) {
    const digit = HEX_DIGIT[id.charCodeAt(i)] ?? -1;
    if (digit < 0) continue;
    if (high < 0) high = digit;
    else {
      bytes[at++] = high << 4 | digit;
      high = -1;
    }
  }
}
/** Value of a lower-case hexadecimal digit by its character code. */
const HEX_DIGIT: readonly (number | undefined)[] = Array.from(
  { length: 103 },
  (_, code) => code >= 48 && code <= 57 ? code - 48 : code >= 97 ? code - 87 : undefined,
);

/** The columns that a page of this version has a dictionary for. */
export const hasDictionary = (column: string): column is Dictionary =>
  column === "tags" || WORD_COLUMNS.some((word) => word === column);
