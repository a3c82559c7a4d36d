import { joinCommand } from "../../schemas/command.ts";
import type { CommandContext } from "../context.ts";
import { printJson } from "./json.ts";

/** A heading and the words of a command of this program. */
export type NextStep = readonly [heading: string, words: readonly string[]];

export interface Created {
  /** `work pool` */
  kind: string;
  /** "Created" when absent. */
  verb?: string;
  /** The object itself, for `--output json`. */
  value: unknown;
  properties: readonly (readonly [name: string, value: string])[];
  next: readonly NextStep[];
}

/** Says what was created, with its main properties and what to type next. */
export function printCreated(
  { kind, verb = "Created", value, properties, next }: Created,
  context: CommandContext,
): void {
  if (context.isJson) return printJson(value, context);
  const { line, style } = context.screen;
  line(`${verb} ${kind}:`);
  for (const [name, text] of properties) line(`    ${name} - ${style.cyan(text)}`);
  printNext(next, context);
}

/** Commands to type next, each under its heading. */
export function printNext(next: readonly NextStep[], { screen, world }: CommandContext): void {
  for (const [heading, words] of next) {
    screen.line();
    screen.line(heading);
    screen.line(`    ${screen.style.bold(commandLine(world.program, words))}`);
  }
}

/** A command as the user types it: words that a shell would change are quoted. */
export const commandLine = (program: string, words: readonly string[]): string =>
  `${program} ${joinCommand(words)}`;
