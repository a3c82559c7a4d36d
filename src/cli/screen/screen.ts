import type { CliWorld } from "../world.ts";
import { buildStyle, type Style, wantsColour } from "./style.ts";

/** Where a command writes for people. */
export interface Screen {
  /** Columns to fit into. */
  width: number;
  style: Style;
  /** Writes a line to standard output. */
  line: (text?: string) => void;
  /** Writes a line to standard error: warnings and notes beside the answer. */
  note: (text: string) => void;
}

/** Columns when the output is no terminal. */
const WIDTH_WITHOUT_TERMINAL = 120;

export function buildScreen(world: CliWorld): Screen {
  return {
    width: (world.isTerminal ? world.columns() : undefined) ?? WIDTH_WITHOUT_TERMINAL,
    style: buildStyle(wantsColour(world.isTerminal, world.env)),
    line: (text = "") => world.writeOut(`${text}\n`),
    note: world.writeErr,
  };
}
