/**
 * What a manifest leaves open: `{{ $NAME }}` stands for an environment variable of whoever applies it,
 * `{{ prefect.variables.name }}` for a variable on the server. Every other `{{ … }}` is the command's own business.
 */
import type { Problem } from "./problem.ts";
import type { Path, Source } from "./source.ts";

/** What stands for the placeholders. */
export interface PlaceholderValues {
  env: Readonly<Record<string, string | undefined>>;
  /** By name; what the server has no variable for is absent. */
  variables: Readonly<Record<string, unknown>>;
}

const PLACEHOLDER = /\{\{\s*(?:\$(\w+)|prefect\.variables\.([\w-]+))\s*\}\}/g;

/** The names of the server's variables that the file refers to. */
export function findVariables(value: unknown): string[] {
  const texts = JSON.stringify(value) ?? "";
  return [...new Set([...texts.matchAll(PLACEHOLDER)].flatMap(([, , name]) => name ?? []))];
}

/** The source with its placeholders filled; those that nothing stands for are added to `problems`. */
export function fillPlaceholders(source: Source, values: PlaceholderValues, problems: Problem[]): Source {
  return { ...source, value: fill(source.value, []) };

  function fill(value: unknown, path: Path): unknown {
    if (typeof value === "string") return fillText(value, path);
    if (Array.isArray(value)) return value.map((item, index) => fill(item, [...path, index]));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item, [...path, key])]));
  }

  /** A text that is one placeholder becomes the value itself, of whatever kind; inside of text it becomes text. */
  function fillText(text: string, path: Path): unknown {
    const [only] = text.matchAll(PLACEHOLDER);
    if (only !== undefined && only[0] === text.trim()) return valueOf(only, path);
    return text.replaceAll(PLACEHOLDER, (...match) => {
      const value = valueOf(match, path);
      return typeof value === "string" ? value : JSON.stringify(value);
    });
  }

  function valueOf([whole, env, variable]: readonly (string | undefined)[], path: Path): unknown {
    const value = env === undefined ? ownValue(values.variables, variable ?? "") : values.env[env];
    if (value !== undefined) return value;
    const message = env === undefined
      ? `The server has no variable '${variable}': set it by variable set ${variable} VALUE.`
      : `The environment has no ${env}, for which '${whole}' stands.`;
    problems.push({ line: source.lineOf(path), message });
    return "";
  }
}

const ownValue = (values: Readonly<Record<string, unknown>>, name: string): unknown =>
  Object.hasOwn(values, name) ? values[name] : undefined;
