import type { CliWorld } from "../world.ts";
import { buildStyle, type Style, wantsColour } from "./style.ts";

/** Where a command writes for people. */
export interface Screen {
  /** Columns to fit into. */
  width: number;
  style: Style;
  /** Writes a line to standard output. */
  line: (text?: string) => void;
  /** Writes lines to standard output; through the pager when they are more than the terminal shows. */
  page: (lines: readonly string[]) => Promise<void>;
  /** Writes a line to standard error: warnings and notes beside the answer. */
  note: (text: string) => void;
}

/** Columns when the output is no terminal. */
const WIDTH_WITHOUT_TERMINAL = 120;

export function buildScreen(world: CliWorld, mayPage = true): Screen {
  const write = (lines: readonly string[]) => world.writeOut(lines.map((line) => `${line}\n`).join(""));
  return {
    width: (world.isTerminal ? world.columns() : undefined) ?? WIDTH_WITHOUT_TERMINAL,
    style: buildStyle(wantsColour(world.isTerminal, world.env)),
    line: (text = "") => world.writeOut(`${text}\n`),
    async page(lines) {
      const height = mayPage && world.isTerminal ? world.rows() : undefined;
      const isLong = height !== undefined && lines.length >= height;
      if (isLong && await world.page?.(lines.map((line) => `${line}\n`).join(""))) return;
      write(lines);
    },
    note: world.writeErr,
  };
}
