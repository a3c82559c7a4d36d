/** The registry as a commander program: the only file that knows commander. */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { type CommandSpec, type OptionSpec, titleOf } from "./command.ts";
import { VERSION } from "../runtime/version.ts";
import { UsageError } from "./errors.ts";
import { Input, type OptionValue } from "./input.ts";
import { nearest } from "./nearest.ts";
import { COMMANDS, GLOBAL_OPTIONS, GROUPS, OUTPUT_OPTION } from "./registry.ts";

export interface ParseOptions {
  /** The program's name in help and examples. */
  program: string;
  writeOut: (text: string) => void;
  columns: number;
  env: Readonly<Record<string, string | undefined>>;
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
    program.parse(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw new UsageError(`${oneLine(error.message)} See --help.`, { cause: error });
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
  program.usage("COMMAND [options]").configureHelp({ visibleCommands: () => [] });
  program.argument("[command...]").action(([word]: string[]) =>
    word === undefined ? program.help() : refuseWord(program, word)
  );
  addOptions(program, GLOBAL_OPTIONS);
  const groups = new Map<string, Command>();
  for (const spec of COMMANDS) {
    const parent = spec.group === undefined ? program : groups.get(spec.group) ?? addGroup(spec.group);
    parent.addCommand(buildCommand(spec, program, options, onFound));
  }
  return program;

  function addGroup(name: string): Command {
    const group = setUp(new Command(name), options).description(`${GROUPS[name] ?? name}.`).usage(
      "COMMAND [options]",
    );
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
  throw new UsageError(
    `Unknown command '${title}'. Nearest: ${nearest(word, names).join(", ")}. See --help.`,
  );
}

function buildCommand(
  spec: CommandSpec,
  program: Command,
  options: ParseOptions,
  onFound: (input: Input) => void,
): Command {
  const command = setUp(new Command(spec.name), options).description(`${spec.summary}.`).summary(spec.summary)
    .addHelpText("after", `\nExample:\n  ${options.program} ${spec.example}\n`);
  if (spec.passesThrough) {
    return command.helpOption(false).allowUnknownOption().allowExcessArguments().passThroughOptions()
      .usage("[OPTIONS]").argument("[args...]")
      .action(() => onFound(new Input(spec, command.args, program.opts())));
  }
  for (const { name, summary } of spec.arguments) command.argument(`<${name}>`, summary);
  const declared = optionsOf(spec);
  addOptions(command, declared);
  return command.allowExcessArguments(false).action(() =>
    onFound(new Input(spec, command.args, valuesOf(declared, command, program, options.env)))
  );
}

/** All options of a command, the shared ones included. */
export function optionsOf(spec: CommandSpec): readonly OptionSpec[] {
  if (spec.passesThrough) return spec.options;
  return [...spec.options, ...(spec.printsData ? [OUTPUT_OPTION] : []), ...GLOBAL_OPTIONS];
}

function addOptions(command: Command, specs: readonly OptionSpec[]): void {
  for (const spec of specs) {
    const long = spec.value === undefined ? `--${spec.name}` : `--${spec.name} <${spec.value}>`;
    const option = new Option(spec.short ? `-${spec.short}, ${long}` : long, describe(spec));
    option.attributeName = () => spec.name;
    if (spec.kind !== "switch") {
      option.argParser((value, before: unknown) => parseValue(spec, value, before));
    }
    command.addOption(option);
  }
}

function describe(spec: OptionSpec): string {
  const from = [...(spec.env ?? []), ...(spec.default === undefined ? [] : [spec.default])];
  return from.length === 0 ? spec.summary : `${spec.summary} [default: ${from.join(", ")}]`;
}

function parseValue(spec: OptionSpec, value: string, before: unknown): OptionValue {
  if (spec.kind === "texts") return [...(Array.isArray(before) ? before.map(String) : []), value];
  if (spec.choices !== undefined && !spec.choices.includes(value)) {
    throw new InvalidArgumentError(`Allowed are ${spec.choices.join(" and ")}.`);
  }
  if (spec.kind !== "number") return value;
  return parseWholeNumber(value, spec.min ?? 0) ?? refuseNumber(spec.min ?? 0);
}

const refuseNumber = (min: number): never => {
  throw new InvalidArgumentError(`A whole number of ${min} or more is needed.`);
};

/** The number when `text` is a whole one from `min` on that is no typing error. */
export function parseWholeNumber(text: string, min: number): number | undefined {
  return /^\d{1,9}$/.test(text) && Number(text) >= min ? Number(text) : undefined;
}

/** The command's own options over those before its name, over the environment, over the defaults. */
function valuesOf(
  specs: readonly OptionSpec[],
  command: Command,
  program: Command,
  env: ParseOptions["env"],
): Record<string, OptionValue> {
  const given: Record<string, OptionValue> = { ...program.opts(), ...command.opts() };
  return Object.fromEntries(specs.map((spec) => {
    const fromEnv = spec.env?.map((name) => env[name]).find((value) => value);
    const fallback = fromEnv ?? spec.default;
    return [
      spec.name,
      given[spec.name] ?? (fallback === undefined ? undefined : parseValue(spec, fallback, [])),
    ];
  }));
}

function afterHelp(program: string): string {
  const width = Math.max(...COMMANDS.map((command) => titleOf(command).length)) + 2;
  const lines = COMMANDS.map((command) => `  ${titleOf(command).padEnd(width)}${command.summary}`);
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
