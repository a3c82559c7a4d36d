/** How much of a table fits into a width. */
import type { Cell, Column, Table } from "./table.ts";
import { printable, truncate, widthOf, wrapWords } from "./text.ts";

const DEFAULT_MIN = 8;
/** What a column costs beside its text: a bar and a space on each side. */
export const FRAME = 3;

/** The least of what gives way that is worth a column: two parts of an id. */
const WORTH_SHOWING = 13;

/** The table without the extra columns for which there is no room. */
export function withoutExtras(table: Table, width: number): Table {
  const extra = table.columns.findLastIndex(({ isExtra }) => isExtra);
  if (extra < 0) return table;
  const wanted = table.columns.map(({ header, givesWay }, index) => {
    const cells = widest(table.rows.map((row) => cut(row[index] ?? "", Infinity)));
    const full = Math.max(widest(header.split(" ")), cells);
    return givesWay ? Math.min(full, WORTH_SHOWING) : full;
  });
  if (wanted.reduce((sum, column) => sum + column + FRAME, 1) <= width) return table;
  const without = <T>(list: readonly T[]) => list.filter((_, index) => index !== extra);
  return withoutExtras({ ...table, columns: without(table.columns), rows: table.rows.map(without) }, width);
}

/** The cell's text in at most `width` columns, its mark included. */
export function cut(cell: Cell, width: number): string {
  const text = printable(typeof cell === "string" ? cell : cell.text);
  const mark = typeof cell === "object" && "mark" in cell ? cell.mark : "";
  const room = width - widthOf(mark);
  return room > 1 ? `${truncate(text, room)}${mark}` : truncate(`${text}${mark}`, width);
}

/**
 * How wide each column's text is: as wide as it wants to be while there is room; else headers are broken at their
 * spaces, then columns are cut down to their minimum, those that give way before the others, then beyond it.
 */
export function fitColumns(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): number[] {
  const cells = columns.map((_, index) => widest(rows.map((row) => row[index] ?? "")));
  const words = columns.map(({ header }) => widest(header.split(" ")));
  const wanted = columns.map(({ header }, index) => Math.max(cells[index] ?? 1, widthOf(header)));
  const uncut = columns.map((_, index) => Math.max(cells[index] ?? 1, words[index] ?? 1));
  const least = columns.map(({ min = DEFAULT_MIN }, index) =>
    Math.max(Math.min(cells[index] ?? 1, min), words[index] ?? 1)
  );
  const floors = [
    uncut,
    columns.map(({ givesWay }, index) => (givesWay ? least : uncut)[index] ?? 1),
    least,
    columns.map(() => 1),
  ];
  const room = width - 1 - FRAME * columns.length;
  const fitted = floors.reduce((widths, floor) => shrink(widths, floor, room), wanted);
  // A header that was broken may need less than it was left.
  return fitted.map((column, index) => {
    const lines = wrapWords(columns[index]?.header ?? "", column).map(widthOf);
    return Math.min(column, Math.max(cells[index] ?? 1, ...lines));
  });
}

/** Takes columns away from the widest, one by one, none below its floor, until all fit into `room`. */
function shrink(widths: readonly number[], floor: readonly number[], room: number): number[] {
  const fitted = [...widths];
  const isAbove = (index: number) => (fitted[index] ?? 0) > (floor[index] ?? 0);
  for (let over = fitted.reduce((sum, one) => sum + one, 0) - room; over > 0; over--) {
    const open = fitted.map((_, index) => index).filter(isAbove);
    if (open.length === 0) break;
    const widest = open.reduce((best, index) => (fitted[index] ?? 0) > (fitted[best] ?? 0) ? index : best);
    fitted[widest] = (fitted[widest] ?? 1) - 1;
  }
  return fitted;
}

/** Columns of the widest text, 1 at least. Lists may be longer than what a call takes as arguments. */
const widest = (texts: readonly string[]): number =>
  texts.reduce((most, text) => Math.max(most, widthOf(text)), 1);
