import {
  ASK_RECORD,
  type AskRecord,
  type PageRow,
  type RunRow,
  WORD_COLUMNS,
  type WordColumn,
} from "../../schemas/run_row.ts";

/** Longest text of a row, in bytes of its JSON: longer ones are left to the record. */
export const LONGEST_WORD_BYTES = 512;

/** Bytes of a well-formed text in UTF-8, where a character of CJK has three. JSON is always well-formed. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit >= 0x80) bytes++;
    // Two units of a pair make four bytes together.
    if (unit >= 0x800 && (unit < 0xd800 || unit > 0xdfff)) bytes++;
  }
  return bytes;
}

/** The row without what is too long for a page. With a small `longest`, rows of any kind get small. */
export function toPageRow(row: RunRow, longest = LONGEST_WORD_BYTES): PageRow {
  const { flowVersion: _v, idempotencyKey: _k, createdBy: _c, ...kept } = row;
  const words = Object.fromEntries(WORD_COLUMNS.map((column) => [column, clip(row[column], longest)]));
  return {
    ...kept,
    ...words as Record<WordColumn, string | null | AskRecord>,
    tags: clipTags(row.tags, longest),
  };
}

/** Most texts are so short that nothing has to be counted: JSON makes six bytes of a UTF-16 unit at most. */
const MOST_PER_UNIT = 6;

function clip(word: string | null, longest: number): string | null | AskRecord {
  if (word === null || word.length * MOST_PER_UNIT + 2 <= longest) return word;
  return utf8Bytes(JSON.stringify(word)) <= longest ? word : ASK_RECORD;
}

function clipTags(tags: readonly string[], longest: number): readonly string[] | AskRecord {
  if (tags.length === 0) return tags;
  return utf8Bytes(JSON.stringify(tags)) <= longest ? tags : ASK_RECORD;
}

/** When the run was made, in milliseconds: the first 48 bits of its id, a UUID of version 7. */
export const createdMs = (id: string): number => parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
