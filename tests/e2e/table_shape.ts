/** What a printed table looks like, whatever stands in it. */
import { assert, assertEquals } from "@std/assert";
import stringWidth from "string-width";

export interface TableShape {
  title: string;
  headers: string[];
  rows: string[][];
  caption: string;
}

const cellsOf = (line: string): string[] => line.split(/[┃│]/).slice(1, -1).map((cell) => cell.trim());

/**
 * Reads the one table in a text: title, header between heavy bars (of one line or several), rows between light ones,
 * caption. All its lines are equally wide, and none is wider than `columns`.
 */
export function tableShape(text: string, columns: number): TableShape {
  const lines = text.split("\n").map((line) => line.trimEnd());
  const top = lines.findIndex((line) => line.startsWith("┏"));
  const head = lines.findIndex((line) => line.startsWith("┡"));
  const bottom = lines.findIndex((line) => line.startsWith("└"));
  assert(top > 0 && top < head && head < bottom, text);
  const drawn = lines.slice(top, bottom + 1);
  assertEquals(new Set(drawn.map((line) => stringWidth(line))).size, 1, text);
  for (const line of lines) assert(stringWidth(line) <= columns, `wider than ${columns}: ${line}`);
  const headLines = lines.slice(top + 1, head).map(cellsOf);
  const headers = (headLines[0] ?? []).map((_, index) =>
    headLines.map((cells) => cells[index] ?? "").join(" ").trim()
  );
  return {
    title: (lines[top - 1] ?? "").trim(),
    headers,
    rows: lines.slice(head + 1, bottom).map(cellsOf),
    caption: (lines[bottom + 1] ?? "").trim(),
  };
}
