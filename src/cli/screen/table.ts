import { cut, fitColumns, FRAME, withoutExtras } from "./fit_columns.ts";
import type { Screen } from "./screen.ts";
import type { Style, StyleName } from "./style.ts";
import { type Align, pad, widthOf, wrapWords } from "./text.ts";

export interface Column {
  header: string;
  align?: Align;
  style?: StyleName;
  /** Columns below which the cells are cut only when nothing else helps. */
  min?: number;
  /** Its cells are cut before those of other columns. */
  givesWay?: boolean;
  /** It is left out, those furthest to the right first, before any cell of others is cut. */
  isExtra?: boolean;
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
export const idColumn = (header: string): Column => (
  { header, align: "right", style: "cyan", givesWay: true, min: 4 }
);
export const ID_COLUMN = idColumn("ID");

/** Times that are exact keep their seconds. */
export const timeColumn = (header: string, more: Omit<Column, "header" | "min"> = {}): Column => (
  { header, min: 20, ...more }
);

export interface Table {
  title: string;
  columns: readonly Column[];
  rows: readonly (readonly Cell[])[];
  caption?: string;
  /** Stands instead of a table without rows. */
  empty?: string;
}

/** Writes the table, fitted into the screen's width: heavy bars around the header, light ones around the rows. */
export async function printTable(table: Table, screen: Screen): Promise<void> {
  await screen.page(tableLines(table, screen));
}

/** What {@link printTable} writes. */
export function tableLines(table: Table, { width, style }: Screen): string[] {
  if (table.rows.length === 0 && table.empty !== undefined) return [style.dim(table.empty)];
  return renderTable(table, width, style);
}

/** The lines of the table, none wider than `width` unless `width` leaves less than 1 column for each cell. */
export function renderTable(given: Table, width: number, style: Style): string[] {
  const table = withoutExtras(given, width);
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

const frame = (bar: string, cells: readonly string[]): string => `${bar} ${cells.join(` ${bar} `)} ${bar}`;

function centred(text: string, width: number, paint: (text: string) => string): string[] {
  return wrapWords(text, Math.max(width, 1)).map((line) => {
    const before = Math.max(0, Math.floor((width - widthOf(line)) / 2));
    return " ".repeat(before) + paint(line);
  });
}
