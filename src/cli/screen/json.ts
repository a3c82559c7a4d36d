import type { CommandContext } from "../context.ts";

/** Writes an answer as JSON, for programs: nothing is shortened, coloured or made relative. */
export function printJson(value: unknown, { screen }: CommandContext): void {
  screen.line(JSON.stringify(value, null, 2));
}
