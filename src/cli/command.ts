/** What a command is: data for help, parsing, completion and tests, and a module that is loaded when it runs. */
import type { CommandContext } from "./context.ts";
import type { Input } from "./input.ts";

/** What a shell can offer for an argument or an option's value; all but `file` are asked from the server or profiles. */
export const COMPLETIONS = [
  "work-pool",
  "work-queue",
  "deployment",
  "flow",
  "flow-run",
  "agent",
  "variable",
  "profile",
  "file",
] as const;
export type Completion = (typeof COMPLETIONS)[number];

export interface ArgumentSpec {
  name: string;
  summary: string;
  /** One when absent; `many` is one or more, and only the last argument may be `optional` or `many`. */
  arity?: "optional" | "many";
  choices?: readonly string[];
  completes?: Completion;
}

export interface OptionSpec {
  /** Without dashes. */
  name: string;
  short?: string;
  /** Other spellings that users of Prefect know, with their dashes. */
  aliases?: readonly string[];
  /**
   * `texts` may be given several times; `number` is a whole number from `min` on; `count` is one that may be left out,
   * `default` stands for it then; a `switch` takes no value.
   */
  kind: "switch" | "text" | "texts" | "number" | "count";
  /** What the value is called in the help text; every kind but `switch` has one. */
  value?: string;
  min?: number;
  choices?: readonly string[];
  completes?: Completion;
  summary: string;
  /** Environment variables (and settings of the profile) that are asked, in this order, without the option. */
  env?: readonly string[];
  /** Of a `count`: the number when the option is given without one. */
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
  /** Whether times are printed: then `--verbose` makes them exact. */
  printsTimes?: boolean;
  /** Whether it destroys something: then it asks first, unless there is `--yes`. */
  asks?: boolean;
  /** All flags belong to another program part: they reach it as they were typed. */
  passesThrough?: boolean;
  /** Left out of lists of commands: nobody types it. */
  isHidden?: boolean;
  load: () => Promise<{ run: Run }>;
}

/** `work-pool create`, `version`. */
export function titleOf(command: CommandSpec): string {
  return command.group === undefined ? command.name : `${command.group} ${command.name}`;
}
