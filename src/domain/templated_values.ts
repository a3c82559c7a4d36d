/**
 * Values that a form may leave open: an object with the key `__prefect_kind` stands for another value. `json` is the
 * value of a JSON text, `none` the value itself, `workspace_variable` that of a stored variable; one that names no
 * value leaves its place out.
 */
import { parseLossless } from "../schemas/lossless_json.ts";

const KIND = "__prefect_kind";
/** What to do where a value is left out. */
const NOTHING = Symbol("nothing");

/** A value that cannot be made. `message` is for the user. */
export class TemplateError extends Error {
  override readonly name = "TemplateError";
}

/** Whether the text can hold a templated value at all. */
export const mayBeTemplated = (text: string): boolean => text.includes(KIND);

/** The names of the stored variables that the value asks for. */
export function variableNames(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(variableNames);
  if (!isPlainObject(value)) return [];
  const own = value[KIND] === "workspace_variable" ? value["variable_name"] : undefined;
  return [...typeof own === "string" ? [own] : [], ...Object.values(value).flatMap(variableNames)];
}

/** The value with every templated one filled in. @throws TemplateError */
export function fillValues(value: unknown, variables: ReadonlyMap<string, unknown>): unknown {
  const filled = fill(value, variables);
  return filled === NOTHING ? null : filled;
}

function fill(value: unknown, variables: ReadonlyMap<string, unknown>): unknown {
  if (Array.isArray(value)) return value.map((one) => fill(one, variables)).filter((one) => one !== NOTHING);
  if (!isPlainObject(value)) return value;
  switch (value[KIND]) {
    case "none":
      return "value" in value ? fill(value["value"], variables) : NOTHING;
    case "json":
      return "value" in value ? parsed(fill(value["value"], variables)) : NOTHING;
    case "jinja":
      throw new TemplateError("Jinja templates are not supported: give the value itself.");
    case "workspace_variable":
      return "variable_name" in value ? variable(value["variable_name"], variables) : NOTHING;
  }
  const entries = Object.entries(value).map(([key, one]) => [key, fill(one, variables)] as const);
  return Object.fromEntries(entries.filter(([, one]) => one !== NOTHING));
}

function parsed(value: unknown): unknown {
  if (typeof value !== "string") throw new TemplateError("Invalid JSON: the value has to be text.");
  try {
    return parseLossless(value);
  } catch (error) {
    throw new TemplateError(`Invalid JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function variable(name: unknown, variables: ReadonlyMap<string, unknown>): unknown {
  if (typeof name === "string" && variables.has(name)) return variables.get(name);
  throw new TemplateError(`Variable '${String(name)}' not found in workspace.`);
}

/** Numbers that are kept as they were written are objects without a prototype. */
const isPlainObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
