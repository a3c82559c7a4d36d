/** What may follow the words of a command line. */
import { type CommandSpec, type Completion, type OptionSpec, titleOf } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { COMMANDS, findCommand, GROUPS, optionsOf } from "../registry.ts";
import { GLOBAL_OPTIONS } from "../registry/shared.ts";
import { namesFor } from "./names.ts";

export interface Candidate {
  text: string;
  /** One line that says what it is. */
  summary?: string;
}

/** @param words what stands behind the program's name; the last one is being typed, and may be empty */
export async function candidates(words: readonly string[], context: CommandContext): Promise<Candidate[]> {
  const typed = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  const all = await listAll(before, typed, context);
  return all.filter(({ text }) => text.startsWith(typed));
}

async function listAll(
  before: readonly string[],
  typed: string,
  context: CommandContext,
): Promise<Candidate[]> {
  const command = findCommand(before);
  const options = command === undefined ? GLOBAL_OPTIONS : optionsOf(command);
  const open = options.find((option) => option.value !== undefined && isWritten(option, before.at(-1) ?? ""));
  if (open !== undefined) return await valuesOf(open, before, context);
  if (typed.startsWith("-")) {
    return options.map(({ name, summary }) => ({ text: `--${name}`, summary }));
  }
  if (command === undefined) return commandWords(before);
  const argument = argumentAt(command, before);
  return argument === undefined ? [] : await valuesOf(argument, before, context);
}

/** First words, or the second ones of a group. */
function commandWords(before: readonly string[]): Candidate[] {
  const group = before.find((word) => Object.hasOwn(GROUPS, word));
  const shown = COMMANDS.filter(({ isHidden }) => !isHidden);
  if (group !== undefined) {
    return shown.filter((spec) => spec.group === group)
      .map(({ name, summary }) => ({ text: name, summary }));
  }
  return [
    ...Object.entries(GROUPS).map(([text, summary]) => ({ text, summary })),
    ...shown.filter((spec) => spec.group === undefined)
      .map((spec) => ({ text: titleOf(spec), summary: spec.summary })),
  ];
}

const isWritten = ({ name, short, aliases }: OptionSpec, word: string): boolean =>
  word === `--${name}` || word === `-${short}` || (aliases?.includes(word) ?? false);

/** The argument that is being typed: options and their values do not count. */
function argumentAt(command: CommandSpec, before: readonly string[]) {
  const options = optionsOf(command);
  const words = titleOf(command).split(" ").length;
  const given = before.filter((word, index) => {
    const previous = before[index - 1] ?? "";
    const isValue = options.some((option) => option.value !== undefined && isWritten(option, previous));
    return !word.startsWith("-") && !isValue;
  }).length - words;
  const last = command.arguments.at(-1);
  return command.arguments[given] ?? (last?.arity === "many" ? last : undefined);
}

async function valuesOf(
  { choices, completes }: { choices?: readonly string[]; completes?: Completion },
  before: readonly string[],
  context: CommandContext,
): Promise<Candidate[]> {
  if (choices !== undefined) return choices.map((text) => ({ text }));
  if (completes === undefined || completes === "file") return [];
  return (await namesFor(completes, before, context)).map((text) => ({ text }));
}
