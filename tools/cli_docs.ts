/** docs/cli.md, made from the registry of the command line. */
import { type Flag, START_FLAGS } from "../src/agent/flags.ts";
import { type CommandSpec, type OptionSpec, titleOf } from "../src/cli/command.ts";
import { COMMANDS, findCommand, GROUPS, optionsOf } from "../src/cli/registry.ts";
import { MISSING, OTHERWISE } from "../src/cli/registry/reference.ts";
import { GLOBAL_OPTIONS } from "../src/cli/registry/shared.ts";
import { signatureOf } from "../src/cli/usage.ts";
import { SETTINGS } from "../src/runtime/config.ts";
import { splitWords } from "./shell_words.ts";

const INTRODUCTION = `# The command line

Made from the program itself by \`deno task docs\`: do not edit.

\`sluice GROUP COMMAND [OPTIONS] ARGUMENTS\`; from a checkout \`deno task cli\` stands for \`sluice\`. What is true
everywhere:

- Objects are named by their name or their id. A name that is not there is answered with the nearest ones.
- \`--output json\` prints what the server said, for programs; everything else goes to standard error then.
- Times say how far away they are; \`--verbose\` makes them exact. Colours and the pager (\`$PAGER\`, else
  \`less -FRX\`) are for terminals alone; \`NO_COLOR\` and \`--no-pager\` switch them off.
- What destroys something asks first; \`--yes\` does not ask, and without a terminal it has to be given.
- A setting comes from its option, else from the environment, else from the profile (\`config\`, \`profile\`), else it
  is the default.
- Exit codes: 0 done; 1 refused, not found or not reachable; 2 for a wrong command line. \`--debug\` shows where an
  error comes from.
- \`source <(sluice completions bash)\` completes commands, options and names; also for zsh, fish and PowerShell.`;

/** @param recorded command lines of the reference, without its program's name */
export function cliDocs(recorded: readonly string[]): string {
  const shown = COMMANDS.filter(({ isHidden }) => !isHidden);
  return [
    INTRODUCTION,
    "## Options of every command",
    optionTable(GLOBAL_OPTIONS),
    ...Object.entries(GROUPS).flatMap(([group, about]) => [
      `## ${group}`,
      `${about}.`,
      ...shown.filter((spec) => spec.group === group).flatMap(ofCommand),
    ]),
    "## Without a group",
    ...shown.filter(({ group }) => group === undefined).flatMap(ofCommand),
    ...comparison(recorded),
  ].join("\n\n") + "\n";
}

function ofCommand(spec: CommandSpec): string[] {
  const own = optionsOf(spec).filter((option) => !GLOBAL_OPTIONS.includes(option));
  const passed = titleOf(spec) === "server start"
    ? [serverTable()]
    : titleOf(spec) === "agent start"
    ? [agentTable()]
    : [];
  return [
    `### ${titleOf(spec)}`,
    `${spec.summary}.`,
    `\`\`\`sh\nsluice ${spec.example}\n\`\`\``,
    `Usage: \`sluice ${titleOf(spec)} ${signatureOf(spec)}\``,
    ...(spec.arguments.length === 0
      ? []
      : [spec.arguments.map(({ name, summary }) => `- \`${name}\`: ${summary}`).join("\n")]),
    ...(own.length === 0 ? [] : [optionTable(own)]),
    ...passed,
  ];
}

function optionTable(options: readonly OptionSpec[]): string {
  return table(
    ["option", "default", ""],
    options.map((option) => {
      const value = option.value === undefined
        ? ""
        : ` ${option.kind === "count" ? `[${option.value}]` : option.value}`;
      const spellings = [
        ...(option.short ? [`-${option.short}`] : []),
        `--${option.name}`,
        ...option.aliases ?? [],
      ];
      const fallback = option.kind === "count"
        ? []
        : [...(option.env ?? []), ...(option.default ? [option.default] : [])];
      return [
        `\`${spellings.join(", ")}${value}\``,
        fallback.map((text) => `\`${text}\``).join(", "),
        option.summary,
      ];
    }),
  );
}

function serverTable(): string {
  return table(
    ["option", "default", ""],
    SETTINGS.map(({ flag, value, env, default: fallback, help }) => [
      `\`--${flag} ${value.replaceAll("|", "\\|")}\``,
      [...env, ...(fallback === "" ? [] : [fallback])].map((text) => `\`${text}\``).join(", "),
      help,
    ]),
  );
}

function agentTable(): string {
  const flags: readonly Flag[] = START_FLAGS;
  return table(
    ["option", "default", ""],
    flags.map(({ name, short, value, negatable, env = [], default: fallback, help }) => [
      `\`${short ? `-${short}, ` : ""}--${name}${value ? ` ${value}` : ""}${
        negatable ? `, --no-${name}` : ""
      }\``,
      [...env.map((text) => `\`${text}\``), ...(fallback ? [fallback] : [])].join(", "),
      help.replaceAll("|", "\\|"),
    ]),
  );
}

/** Every recorded command of the reference with its options, and what becomes of it here. */
function comparison(recorded: readonly string[]): string[] {
  return [
    "## Compared with Prefect",
    "What a user types after `prefect` works after `sluice`, or stands in the list below with the reason. The table " +
    "has every command line that was recorded of Prefect's 2.20 and 3.x.",
    table(
      ["after `prefect`", "options", "here"],
      recordedCommands(recorded).map(({ title, options, isHere }) => [
        `\`${title}\``,
        options.map((option) => `\`${option}\``).join(", "),
        isHere ? "works" : `no: see \`${missingWords(title)}\` below`,
      ]),
    ),
    "### Not here, and why",
    MISSING.map(({ words, reason }) => `- \`${words}\`: ${reason}`).join("\n"),
    "### Otherwise here",
    OTHERWISE.map(({ words, reason }) => `- ${words}: ${reason}`).join("\n"),
  ];
}

interface Recorded {
  title: string;
  options: string[];
  isHere: boolean;
}

function recordedCommands(lines: readonly string[]): Recorded[] {
  const found = new Map<string, Recorded>();
  for (const line of lines) {
    const words = splitWords(line);
    const spec = findCommand(words);
    const title = spec ? titleOf(spec) : foreignTitle(words);
    const entry = found.get(title) ?? { title, options: [], isHere: spec !== undefined };
    const options = words.filter((word) => word.startsWith("-"));
    found.set(title, { ...entry, options: [...new Set([...entry.options, ...options])].sort() });
  }
  return [...found.values()].sort((a, b) => a.title < b.title ? -1 : 1);
}

/** The words of a command that is not here: all before the first option, at most as many as name it. */
function foreignTitle(words: readonly string[]): string {
  const named = words.filter((word) => /^[a-z-]+$/.test(word) && !word.startsWith("-"));
  const depth = missingWords(named.join(" ")).split(" ").length;
  return named.slice(0, Math.min(named.length, depth + 1)).join(" ");
}

/** The entry of {@link MISSING} that covers a command; empty when none does. */
export function missingWords(title: string): string {
  return MISSING.find(({ words }) => `${title} `.startsWith(`${words} `))?.words ?? "";
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}
