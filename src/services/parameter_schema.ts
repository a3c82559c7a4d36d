/** What does not fit the schema of parameters or job variables, in the words of the reference. */
import type { OutputUnit } from "@cfworker/json-schema";
import { withoutQuirks } from "../domain/json_schema_quirks.ts";
import type { JsonText } from "../schemas/records.ts";
import { schemaErrors } from "./json_schema.ts";

/**
 * Why `value` does not fit `schema`, in the reference's words; undefined when it fits.
 *
 * @throws UnusableSchemaError when the schema itself is wrong
 */
export function findMismatch(
  schema: JsonText,
  value: JsonText,
  { ignoreRequired = false }: { ignoreRequired?: boolean } = {},
): string | undefined {
  const root = withoutQuirks(JSON.parse(schema), { ignoreRequired });
  const instance: unknown = JSON.parse(value);
  const worst = nearest(schemaErrors(root, instance));
  return worst && worded(worst, root, instance);
}

/** Errors of what only holds others together say nothing of their own. */
const CONTAINERS = new Set(["properties", "patternProperties", "items", "prefixItems", "$ref", "allOf"]);

/** The error closest to the top, of those that say what is wrong. */
function nearest(errors: readonly OutputUnit[]): OutputUnit | undefined {
  const depth = ({ instanceLocation }: OutputUnit) => instanceLocation.split("/").length;
  const telling = errors.filter(({ keyword }) => !CONTAINERS.has(keyword));
  return (telling.length > 0 ? telling : errors).reduce<OutputUnit | undefined>(
    (best, one) => best === undefined || depth(one) < depth(best) ? one : best,
    undefined,
  );
}

function worded(error: OutputUnit, schema: unknown, instance: unknown): string {
  const at = pointer(error.instanceLocation);
  const reason = reasonOf(error, schema, walk(instance, at));
  const path = at.map((token, i) => /^\d+$/.test(token) ? `[${token}]` : i === 0 ? token : `.${token}`).join(
    "",
  );
  return path === ""
    ? `Validation failed. Failure reason: ${reason}`
    : `Validation failed for field ${quoted(path)}. Failure reason: ${reason}`;
}

function reasonOf({ keyword, keywordLocation, error }: OutputUnit, schema: unknown, value: unknown): string {
  const wanted = keywordValue(schema, pointer(keywordLocation));
  const shown = python(value);
  switch (keyword) {
    case "type":
      return `${shown} is not of type ${[wanted].flat().map(python).join(", ")}`;
    case "required":
      return `${quoted(/"(.*)"/.exec(error)?.[1] ?? "")} is a required property`;
    case "enum":
      return `${shown} is not one of ${python(wanted)}`;
    case "const":
      return `${python(wanted)} was expected`;
    case "anyOf":
    case "oneOf":
      return `${shown} is not valid under any of the given schemas`;
    case "minimum":
      return `${shown} is less than the minimum of ${python(wanted)}`;
    case "maximum":
      return `${shown} is greater than the maximum of ${python(wanted)}`;
    case "exclusiveMinimum":
      return `${shown} is less than or equal to the minimum of ${python(wanted)}`;
    case "exclusiveMaximum":
      return `${shown} is greater than or equal to the maximum of ${python(wanted)}`;
    case "minLength":
    case "minItems":
      return `${shown} is too short`;
    case "maxLength":
    case "maxItems":
      return `${shown} is too long`;
    case "pattern":
      return `${shown} does not match ${python(wanted)}`;
    case "additionalProperties":
      return `Additional properties are not allowed (${
        quoted(/^Property "(.*)" does/.exec(error)?.[1] ?? "")
      } was unexpected)`;
    default:
      return error;
  }
}

/** The parts of a JSON pointer. */
const pointer = (location: string): string[] =>
  location.replace(/^#?\/?/, "").split("/").filter((token) => token !== "")
    .map((token) => decodeURIComponent(token).replaceAll("~1", "/").replaceAll("~0", "~"));

function walk(value: unknown, path: readonly string[]): unknown {
  let at = value;
  for (const token of path) {
    if (typeof at !== "object" || at === null) return undefined;
    at = Reflect.get(at, token);
  }
  return at;
}

/** What stands at a place of the schema, references followed. */
function keywordValue(schema: unknown, path: readonly string[]): unknown {
  let at: unknown = schema;
  for (const token of path) {
    at = walk(at, [token]);
    if (token === "$ref" && typeof at === "string") at = walk(schema, pointer(at));
  }
  return at;
}

/** Longest value that is repeated in a refusal. */
const LONGEST_SHOWN = 200;

/** A value as Python prints it, since that is what the reference's clients show. */
function python(value: unknown): string {
  const text = pythonText(value);
  return text.length <= LONGEST_SHOWN ? text : `${text.slice(0, LONGEST_SHOWN)}…`;
}

function pythonText(value: unknown): string {
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value === "string") return quoted(value);
  if (Array.isArray(value)) return `[${value.slice(0, LONGEST_SHOWN).map(pythonText).join(", ")}]`;
  if (typeof value !== "object") return String(value);
  const entries = Object.entries(value).slice(0, LONGEST_SHOWN);
  return `{${entries.map(([key, one]) => `${quoted(key)}: ${pythonText(one)}`).join(", ")}}`;
}

const quoted = (text: string): string =>
  text.includes("'") && !text.includes('"') ? `"${text}"` : `'${text.replaceAll("'", "\\'")}'`;
