import { findUndeclaredVariables } from "../domain/job_template.ts";
import { DomainError } from "../errors.ts";
import type { JsonText } from "../schemas/records.ts";
import { schemaErrors, UnusableSchemaError } from "./json_schema.ts";

const LARGEST_TEMPLATE_BYTES = 1_048_576;
const FIELD = { field: ["base_job_template"] };

/**
 * A template is empty, or has a job configuration together with the variables that it uses, whose defaults are values
 * that they could have.
 *
 * @throws DomainError `invalid` or `too_large`
 */
export function validateTemplate(text: JsonText): void {
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > LARGEST_TEMPLATE_BYTES) {
    throw new DomainError(
      "too_large",
      `The base job template has ${bytes} bytes; at most ${LARGEST_TEMPLATE_BYTES} are allowed.`,
      FIELD,
    );
  }
  // Whether a number keeps its text does not matter here: the text is what is stored.
  const template = JSON.parse(text) as Record<string, unknown>;
  if (Object.keys(template).length === 0) return;
  if (!("job_configuration" in template && "variables" in template)) {
    throw new DomainError(
      "invalid",
      "The `base_job_template` must contain both a `job_configuration` key and a `variables` key.",
      FIELD,
    );
  }
  const undeclared = findUndeclaredVariables(template);
  if (undeclared.length > 0) {
    throw new DomainError(
      "invalid",
      "The variables specified in the job configuration template must be present as properties in the variables " +
        `schema. Your job configuration uses the following undeclared variable(s): ${undeclared.join(" ,")}.`,
      FIELD,
    );
  }
  validateDefaults(template["variables"]);
}

function validateDefaults(variables: unknown): void {
  if (!isObject(variables) || !isObject(variables["properties"])) return;
  const defaults = defaultsOf(variables["properties"]);
  if (Object.keys(defaults).length === 0) return;
  const { required: _, ...schema } = variables;
  const problem = problemOf(schema, defaults);
  if (problem) throw new DomainError("invalid", problem, FIELD);
}

/** A default of null is none; a reference to a block stands for a value that is not known here. */
function defaultsOf(properties: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, property]) => {
      const value = isObject(property) ? property["default"] ?? null : null;
      return value === null || (isObject(value) && "$ref" in value) ? [] : [[name, value]];
    }),
  );
}

function problemOf(schema: unknown, defaults: Record<string, unknown>): string | undefined {
  try {
    const errors = schemaErrors(schema, defaults);
    // The innermost error says what is wrong; those around it, that something is.
    const inner = errors.find(({ keyword }) => keyword !== "properties") ?? errors[0];
    if (!inner) return undefined;
    const name = inner.instanceLocation.replace(/^#\//, "").replaceAll("/", ".");
    return `Validation failed for field '${name}' of the variables' defaults. Failure reason: ${inner.error}`;
  } catch (error) {
    if (!(error instanceof UnusableSchemaError)) throw error;
    return `The variables are no valid JSON schema: ${error.message}`;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
