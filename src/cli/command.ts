/** What a command is: data for help, parsing and tests, and a module that is loaded when the command runs. */
import type { CommandContext } from "./context.ts";
import type { Input } from "./input.ts";

export interface ArgumentSpec {
  name: string;
  summary: string;
}

export interface OptionSpec {
  /** Without dashes. */
  name: string;
  short?: string;
  /** `texts` may be given several times; `number` is a whole number from `min` on; a `switch` takes no value. */
  kind: "switch" | "text" | "texts" | "number";
  /** What the value is called in the help text; every kind but `switch` has one. */
  value?: string;
  min?: number;
  choices?: readonly string[];
  summary: string;
  /** Environment variables that are asked, in this order, when the option is not given. */
  env?: readonly string[];
  default?: string;
}

/** Returns the exit code; nothing means 0. Throws CliError for what the user has to know. */
export type Run = (input: Input, context: CommandContext) => Promise<number | void>;

export interface CommandSpec {
  /** The first of two words; absent for `version` and its like. */
  group?: string;
  name: string;
  /** One line, without a full stop. */
  summary: string;
  arguments: readonly ArgumentSpec[];
  options: readonly OptionSpec[];
  /** Without the program's name. */
  example: string;
  /** Whether `--output json` says something here. */
  printsData?: boolean;
  /** All flags belong to another program part: they reach it as they were typed. */
  passesThrough?: boolean;
  load: () => Promise<{ run: Run }>;
}

/** `work-pool create`, `version`. */
export function titleOf(command: CommandSpec): string {
  return command.group === undefined ? command.name : `${command.group} ${command.name}`;
}
