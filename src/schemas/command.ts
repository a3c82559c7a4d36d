/**
 * A job's command as text: split into words first, then placeholders are filled within each word. No shell sees it,
 * so a parameter can never add a word or a command of its own.
 *
 * Pure and shared: the agent runs commands by these rules, CLI and server refuse bad ones when they are deployed.
 */

/** A command or template that cannot be used. `message` is for the user: what is wrong and what to do. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

/**
 * Finds the value behind a placeholder's name (`day`, `parameters.day`, `hosts[0].name`); undefined when there is none.
 * Names are dotted words of letters, digits, `_` and `-`, starting with a letter or `_`; `[0]` picks from a list.
 */
export type Lookup = (name: string) => unknown;

const PLACEHOLDER = /\{\{\s*([A-Za-z_][\w-]*(?:\.[\w-]+|\[\d+\])*)\s*\}\}/g;
const ONLY_PLACEHOLDER = new RegExp(`^\\s*${PLACEHOLDER.source}\\s*$`);

/**
 * The words of a command by the quoting rules of a POSIX shell: blanks separate, `'…'` is literal, `"…"` lets `\`
 * escape only `"`, `\`, `$` and the backtick, outside quotes `\` escapes any character and joins two lines. Nothing
 * is expanded: `$x`, `*`, `~`, `;`, `|` and `#` stand for themselves. A placeholder belongs to one word, blanks
 * inside its braces included.
 *
 * @throws CommandError on an unclosed quote, a lone `\` at the end, or text without any word
 */
export function splitCommand(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < text.length;) {
    const part = readPart(text, at);
    at += part.length;
    if (part.text !== undefined) word = (word ?? "") + part.text;
    else if (word !== undefined) {
      words.push(word);
      word = undefined;
    }
  }
  if (word !== undefined) words.push(word);
  if (words.length === 0) throw new CommandError("The command is empty: it needs a program to start.");
  return words;
}

/** A piece of the input: `length` characters that mean `text`, or that separate words when `text` is undefined. */
interface Part {
  length: number;
  text: string | undefined;
}

function readPart(text: string, at: number): Part {
  const char = text[at] as string;
  if (/[ \t\r\n]/.test(char)) return { length: 1, text: undefined };
  if (char === "'") return readSingleQuoted(text, at);
  if (char === '"') return readDoubleQuoted(text, at);
  if (char === "\\") return readEscape(text, at);
  const placeholder = placeholderAt(text, at);
  return placeholder === undefined
    ? { length: 1, text: char }
    : { length: placeholder.length, text: placeholder };
}

function readSingleQuoted(text: string, at: number): Part {
  const end = text.indexOf("'", at + 1);
  if (end < 0) throw unclosed("'", at);
  return { length: end + 1 - at, text: text.slice(at + 1, end) };
}

function readDoubleQuoted(text: string, at: number): Part {
  let content = "";
  for (let i = at + 1; i < text.length; i++) {
    const char = text[i] as string;
    if (char === '"') return { length: i + 1 - at, text: content };
    const next = text[i + 1];
    if (char !== "\\" || next === undefined || !'"\\$`\n'.includes(next)) content += char;
    else {
      if (next !== "\n") content += next;
      i++;
    }
  }
  throw unclosed('"', at);
}

function readEscape(text: string, at: number): Part {
  const next = text[at + 1];
  if (next === undefined) {
    throw new CommandError("The command ends in a lone \\: remove it, or put the backslash in '…'.");
  }
  // An escaped newline joins two lines. It neither starts a word nor ends one.
  return next === "\n" ? joinedLine(text, at) : { length: 2, text: next };
}

function joinedLine(text: string, at: number): Part {
  const rest = at + 2;
  if (rest >= text.length) return { length: 2, text: undefined };
  const following = readPart(text, rest);
  return { length: 2 + following.length, text: following.text };
}

function unclosed(quote: string, at: number): CommandError {
  return new CommandError(`The command has a ${quote} at character ${at + 1} that is never closed.`);
}

function placeholderAt(text: string, at: number): string | undefined {
  if (!text.startsWith("{{", at)) return undefined;
  const sticky = new RegExp(PLACEHOLDER.source, "y");
  sticky.lastIndex = at;
  return sticky.exec(text)?.[0];
}

/** The words as text that {@link splitCommand} reads back as the same words. */
export function joinCommand(words: readonly string[]): string {
  return words.map((word) => /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)
    .join(" ");
}

/** The names of the placeholders in `text`, in order, each once. */
export function placeholdersIn(text: string): string[] {
  return [...new Set([...text.matchAll(PLACEHOLDER)].map((match) => match[1] as string))];
}

/** The name, when `text` is exactly one placeholder. */
export function onlyPlaceholder(text: string): string | undefined {
  return ONLY_PLACEHOLDER.exec(text)?.[1];
}

/** What `from` has under a name, also deep inside: `resources.cpu`, `hosts[0].name`. A key with dots in it goes first. */
export function valueAt(from: Readonly<Record<string, unknown>>, name: string): unknown {
  if (Object.hasOwn(from, name)) return from[name];
  let at: unknown = from;
  for (const part of name.split(/[.[\]]+/).filter((part) => part !== "")) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, part)) return undefined;
    at = Reflect.get(at, part);
  }
  return at;
}

/** What a value looks like inside text: text as it is, anything else as JSON. */
export function printValue(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value) ?? "";
}

/**
 * `template` with its placeholders replaced, through objects and lists. A text that is exactly one placeholder
 * takes the value with its own type; without a value the key or list item is dropped (undefined at the top). Inside
 * other text the value is printed, a missing one as nothing. Values that come in are not searched again.
 */
export function fillPlaceholders(template: unknown, lookup: Lookup): unknown {
  if (typeof template === "string") {
    const only = onlyPlaceholder(template);
    return only !== undefined
      ? lookup(only)
      : template.replace(PLACEHOLDER, (_match, name: string) => printValue(lookup(name)));
  }
  if (Array.isArray(template)) {
    return template.map((item) => fillPlaceholders(item, lookup)).filter((item) => item !== undefined);
  }
  if (typeof template !== "object" || template === null) return template;
  const filled = Object.entries(template).map(([key, value]) =>
    [key, fillPlaceholders(value, lookup)] as const
  );
  return Object.fromEntries(filled.filter(([, value]) => value !== undefined));
}

/**
 * One word of a command with its placeholders replaced; it stays one word.
 *
 * @throws CommandError when a placeholder has no value
 */
export function fillWord(word: string, lookup: Lookup): string {
  return word.replace(PLACEHOLDER, (placeholder, name: string) => {
    const value = lookup(name);
    if (value !== undefined) return printValue(value);
    throw new CommandError(
      `The command names ${placeholder}, but there is no job variable or parameter of this name.`,
    );
  });
}

/** A placeholder where a shell would run what it is filled with. */
export interface ShellPlaceholder {
  name: string;
  /** For the user: what is wrong and what to write instead. */
  message: string;
}

const SHELLS = new Set(["sh", "bash", "dash", "zsh", "ksh", "ash"]);

/**
 * A placeholder inside the script of `sh -c '…'` (or bash, dash, zsh, ksh, ash; with other options; behind `env`,
 * `nice` and their like): the shell would run the parameter as code. Arguments after the script are harmless.
 *
 * @param command the command's text, or its words before placeholders were filled
 * @param filled the words as they will be run, when a program's name may itself come from a placeholder
 * @throws CommandError as {@link splitCommand}
 */
export function findShellPlaceholder(
  command: string | readonly string[],
  filled?: readonly string[],
): ShellPlaceholder | undefined {
  const words = typeof command === "string" ? splitCommand(command) : command;
  for (const index of shellScripts(filled ?? words)) {
    const name = placeholdersIn(words[index] ?? "")[0];
    if (name !== undefined) return { name, message: refusalOf(name) };
  }
  return undefined;
}

/** Where the scripts stand: after each shell's name, the first word that is no option, if one of these had a `c`. */
function shellScripts(words: readonly string[]): number[] {
  const found: number[] = [];
  words.forEach((word, index) => {
    if (!SHELLS.has(word.slice(word.lastIndexOf("/") + 1))) return;
    let hasScript = false;
    let at = index + 1;
    for (; /^[-+]./.test(words[at] ?? ""); at++) {
      const option = words[at] as string;
      if (option === "--") {
        at++;
        break;
      }
      if (!/^[-+][A-Za-z]+$/.test(option)) continue;
      if (option.startsWith("-") && option.includes("c")) hasScript = true;
      if (/[oO]$/.test(option)) at++; // `-o pipefail`: the option's own word
    }
    if (hasScript && at < words.length) found.push(at);
  });
  return found;
}

function refusalOf(name: string): string {
  const bare = name.startsWith("parameters.") ? name.slice("parameters.".length) : name;
  return `{{ ${name} }} stands inside a shell script, where its value would run as code: write ` +
    `"$${parameterVariable(bare)}" there instead.`;
}

/** The environment variable that carries the parameter `name` to the run. */
export function parameterVariable(name: string): string {
  return `SLUICE_PARAM_${name.replace(/[^A-Za-z0-9_]/g, "_")}`;
}
