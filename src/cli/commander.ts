/** The registry as a commander program: the only file that knows commander. */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { type CommandSpec, type OptionSpec, titleOf } from "./command.ts";
import { VERSION } from "../runtime/version.ts";
import { UsageError } from "./errors.ts";
import { Input, type OptionValue } from "./input.ts";
import { nearest } from "./nearest.ts";
import { COMMANDS, GROUPS, optionsOf } from "./registry.ts";
import { whyMissing } from "./registry/reference.ts";
import { GLOBAL_OPTIONS } from "./registry/shared.ts";
import { spelledOut } from "./spelled_out.ts";
import { signatureOf } from "./usage.ts";

export interface ParseOptions {
  /** The program's name in help and examples. */
  program: string;
  writeOut: (text: string) => void;
  columns: number;
}

/**
 * What the arguments mean; undefined when they asked for help, which is then written.
 *
 * @throws UsageError when they cannot be understood
 */
export function parseArguments(args: readonly string[], options: ParseOptions): Input | undefined {
  let found: Input | undefined;
  const program = buildProgram(options, (input) => found = input);
  try {
    program.parse(spelledOut(args), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw new UsageError(oneLine(error.message), { cause: error });
  }
  return found;
}

const oneLine = (message: string): string =>
  message.replace(/^error: /, "").replace(/\n\((.*)\)$/s, ". $1").replaceAll("\n", " ")
    .replace(/^./, (first) => first.toUpperCase()).replace(/([^.?!])$/, "$1.");

function buildProgram(options: ParseOptions, onFound: (input: Input) => void): Command {
  const program = setUp(new Command(options.program), options)
    .description("Work pools with real limits, and agents that execute the runs.")
    .version(`sluice ${VERSION}`, "-V, --version", "Print the version of this program")
    .addHelpText("after", () => afterHelp(options.program));
  // Listed in full below: the first words alone say too little.
  program.usage("COMMAND [OPTIONS]").configureHelp({ visibleCommands: () => [] });
  program.argument("[command...]").action(([word]: string[]) =>
    word === undefined ? program.help() : refuseWord(program, word)
  );
  addOptions(program, GLOBAL_OPTIONS.map((spec) => spec.name === "profile" ? { ...spec, short: "p" } : spec));
  const groups = new Map<string, Command>();
  for (const spec of COMMANDS) {
    const parent = spec.group === undefined ? program : groups.get(spec.group) ?? addGroup(spec.group);
    parent.addCommand(buildCommand(spec, program, options, onFound));
  }
  return program;

  function addGroup(name: string): Command {
    const group = setUp(new Command(name), options).description(`${GROUPS[name] ?? name}.`)
      .usage("COMMAND [OPTIONS]").configureHelp({ subcommandTerm: (command) => command.name() })
      .addHelpText("after", `\nOptions of a command: ${options.program} ${name} COMMAND --help\n`);
    groups.set(name, group);
    program.addCommand(group);
    return group.argument("[command...]").action(([word]: string[]) => refuseWord(group, word));
  }
}

function setUp(command: Command, { writeOut, columns }: ParseOptions): Command {
  return command.exitOverride().enablePositionalOptions().showSuggestionAfterError()
    .configureOutput({
      writeOut,
      writeErr: () => {},
      getOutHelpWidth: () => columns,
      getOutHasColors: () => false,
    })
    .helpCommand(false).helpOption("-h, --help", "Show this text");
}

/** A group without its second word, or a word that is no command there. */
function refuseWord(parent: Command, word: string | undefined): never {
  const names = parent.commands.map((command) => command.name());
  if (word === undefined) {
    throw new UsageError(`'${parent.name()}' needs a second word: ${names.join(", ")}.`);
  }
  const title = parent.parent === null ? word : `${parent.name()} ${word}`;
  const reason = whyMissing(title);
  if (reason !== undefined) throw new UsageError(`There is no '${title}' here. ${reason}`);
  throw new UsageError(`Unknown command '${title}'. Nearest: ${nearest(word, names).join(", ")}.`);
}

function buildCommand(
  spec: CommandSpec,
  program: Command,
  options: ParseOptions,
  onFound: (input: Input) => void,
): Command {
  const command = setUp(new Command(spec.name), options).description(`${spec.summary}.`).summary(spec.summary)
    .usage(signatureOf(spec)).addHelpText("after", `\nExample:\n  ${options.program} ${spec.example}\n`);
  if (spec.passesThrough) {
    return command.helpOption(false).allowUnknownOption().allowExcessArguments().passThroughOptions()
      .argument("[args...]").action(() => onFound(new Input(spec, command.args, program.opts())));
  }
  for (const { name, summary, arity } of spec.arguments) {
    const dots = arity === "many" ? "..." : "";
    command.argument(arity === "optional" ? `[${name}]` : `<${name}${dots}>`, summary);
  }
  addOptions(command, optionsOf(spec));
  return command.allowExcessArguments(false).action(() => {
    // What stands before the command's name counts where the command itself was told nothing.
    onFound(new Input(spec, command.args, { ...program.opts(), ...command.opts() }));
  });
}

function addOptions(command: Command, specs: readonly OptionSpec[]): void {
  for (const spec of specs) {
    const value = spec.value === undefined
      ? ""
      : spec.kind === "count"
      ? ` [${spec.value}]`
      : ` <${spec.value}>`;
    const long = `--${spec.name}${value}`;
    const option = new Option(spec.short ? `-${spec.short}, ${long}` : long, describe(spec));
    option.attributeName = () => spec.name;
    option.negate = false; // `--no-pager` is the name of an option of its own
    if (spec.kind !== "switch") {
      option.argParser((value, before: unknown) => parseOption(spec, value, before));
    }
    command.addOption(option);
  }
}

function describe({ summary, kind, env = [], default: fallback }: OptionSpec): string {
  const notes = [
    ...(env.length === 0 ? [] : [`env: ${env.join(", ")}`]),
    ...(fallback === undefined || kind === "count" ? [] : [`default: ${fallback}`]),
  ];
  return notes.length === 0 ? summary : `${summary} [${notes.join("; ")}]`;
}

/** The value as the option's kind has it; `before` is what the same option was given already. */
function parseOption(spec: OptionSpec, value: string, before: unknown): OptionValue {
  try {
    return parseValue(spec, value, before);
  } catch (error) {
    throw error instanceof UsageError ? new InvalidArgumentError(error.message) : error;
  }
}

/** @throws UsageError */
export function parseValue(spec: OptionSpec, value: string, before?: unknown): OptionValue {
  if (spec.choices !== undefined && !spec.choices.includes(value)) {
    throw new UsageError(`Allowed are ${spec.choices.join(", ").replace(/, (?=[^,]*$)/, " and ")}.`);
  }
  if (spec.kind === "texts") return [...(Array.isArray(before) ? before.map(String) : []), value];
  if (spec.kind !== "number" && spec.kind !== "count") return value;
  return parseWholeNumber(value, spec.min ?? 0) ?? refuseNumber(spec.min ?? 0);
}

const refuseNumber = (min: number): never => {
  throw new UsageError(`A whole number of ${min} or more is needed.`);
};

/** The number when `text` is a whole one from `min` on that is no typing error. */
export function parseWholeNumber(text: string, min: number): number | undefined {
  return /^\d{1,9}$/.test(text) && Number(text) >= min ? Number(text) : undefined;
}

function afterHelp(program: string): string {
  const shown = COMMANDS.filter(({ isHidden }) => !isHidden);
  const width = Math.max(...shown.map((command) => titleOf(command).length)) + 2;
  const lines = shown.map((command) => `  ${titleOf(command).padEnd(width)}${command.summary}`);
  return [
    "",
    "Commands:",
    ...lines,
    "",
    `Options of a command: ${program} work-pool create --help`,
    "",
    "Start here:",
    `  ${program} quickstart`,
    "",
  ].join("\n");
}
