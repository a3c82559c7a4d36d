import type { Screen } from "./screen.ts";
import type { Style, StyleName } from "./style.ts";
import { type Align, pad, printable, truncate, widthOf, wrapWords } from "./text.ts";

export interface Column {
  header: string;
  align?: Align;
  style?: StyleName;
  /** Columns below which the cells are cut only when nothing else helps. */
  min?: number;
  /** Its cells are cut before those of other columns. */
  givesWay?: boolean;
}

/** Text whose style stands over the column's. */
export interface StyledText {
  text: string;
  style: StyleName;
}

/** Text with an end that is never cut off. */
export interface MarkedText {
  text: string;
  mark: string;
}

export type Cell = string | StyledText | MarkedText;

/** Objects are named elsewhere: of all columns, an id is missed least. */
export const ID_COLUMN: Column = { header: "ID", align: "right", style: "cyan", givesWay: true, min: 4 };

export interface Table {
  title: string;
  columns: readonly Column[];
  rows: readonly (readonly Cell[])[];
  caption?: string;
}

const DEFAULT_MIN = 8;
/** What a column costs beside its text: a bar and a space on each side. */
const FRAME = 3;

/** Writes the table, fitted into the screen's width: heavy bars around the header, light ones around the rows. */
export function printTable(table: Table, screen: Screen): void {
  for (const line of renderTable(table, screen.width, screen.style)) screen.line(line);
}

/** The lines of the table, none wider than `width` unless `width` leaves less than 1 column for each cell. */
export function renderTable(table: Table, width: number, style: Style): string[] {
  const rows = table.rows.map((row) => row.map((cell) => cut(cell, Infinity)));
  const widths = fitColumns(table.columns, rows, width);
  const full = widths.reduce((sum, column) => sum + column + FRAME, 1);
  const rule = (left: string, fill: string, between: string, right: string) =>
    left + widths.map((column) => fill.repeat(column + 2)).join(between) + right;
  const headers = table.columns.map(({ header }, index) => wrapWords(header, widths[index] ?? 1));
  const height = Math.max(...headers.map((lines) => lines.length));
  const headerLines = Array.from(
    { length: height },
    (_, line) =>
      frame(
        "┃",
        headers.map((lines, index) =>
          style.bold(pad(lines[line] ?? "", widths[index] ?? 1, table.columns[index]?.align))
        ),
      ),
  );
  return [
    ...centred(table.title, full, style.italic),
    rule("┏", "━", "┳", "┓"),
    ...headerLines,
    rule("┡", "━", "╇", "┩"),
    ...table.rows.map((row) => frame("│", row.map(renderCell))),
    rule("└", "─", "┴", "┘"),
    ...(table.caption === undefined ? [] : centred(table.caption, full, style.dim)),
  ];

  function renderCell(cell: Cell, index: number): string {
    const column = table.columns[index];
    const name = typeof cell === "object" && "style" in cell ? cell.style : column?.style;
    const padded = pad(cut(cell, widths[index] ?? 1), widths[index] ?? 1, column?.align);
    return name === undefined ? padded : style[name](padded);
  }
}

/** The cell's text in at most `width` columns, its mark included. */
function cut(cell: Cell, width: number): string {
  const text = printable(typeof cell === "string" ? cell : cell.text);
  const mark = typeof cell === "object" && "mark" in cell ? cell.mark : "";
  const room = width - widthOf(mark);
  return room > 1 ? `${truncate(text, room)}${mark}` : truncate(`${text}${mark}`, width);
}

const frame = (bar: string, cells: readonly string[]): string => `${bar} ${cells.join(` ${bar} `)} ${bar}`;

function centred(text: string, width: number, paint: (text: string) => string): string[] {
  return wrapWords(text, Math.max(width, 1)).map((line) => {
    const before = Math.max(0, Math.floor((width - widthOf(line)) / 2));
    return " ".repeat(before) + paint(line);
  });
}

/**
 * How wide each column's text is: as wide as it wants to be while there is room; else headers are broken at their
 * spaces, then columns are cut down to their minimum, those that give way before the others, then beyond it.
 */
function fitColumns(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): number[] {
  const cells = columns.map((_, index) => Math.max(1, ...rows.map((row) => widthOf(row[index] ?? ""))));
  const words = columns.map(({ header }) => Math.max(...header.split(" ").map(widthOf)));
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
