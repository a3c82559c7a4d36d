import { type Schema, Validator } from "@cfworker/json-schema";
import { findUndeclaredVariables, templateDefaults } from "../domain/job_template.ts";
import { DomainError } from "../errors.ts";
import type { JsonText } from "../schemas/records.ts";

const LARGEST_BYTES = 1_048_576;
const FIELD = { field: ["base_job_template"] };

/**
 * Whether a pool can have this base job template: both parts or none, no placeholder without a variable, and every
 * default fits its own variable.
 *
 * @throws DomainError `invalid`, `too_large`; `not_found` when a default refers to a block
 */
export function checkTemplate(text: JsonText): void {
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > LARGEST_BYTES) {
    const message = `The base job template has ${bytes} bytes; at most ${LARGEST_BYTES} are allowed.`;
    throw new DomainError("too_large", message, FIELD);
  }
  // Numbers as the validator knows them; what is stored stays as it was written.
  const template: Record<string, unknown> = JSON.parse(text);
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
  checkDefaults(template);
}

function checkDefaults(template: Record<string, unknown>): void {
  for (const { name, value, schema } of templateDefaults(template)) {
    if (isBlockReference(value)) {
      throw new DomainError(
        "not_found",
        `The default of variable '${name}' refers to a block that is not there.`,
      );
    }
    const reason = mismatch(schema, value);
    if (reason === undefined) continue;
    throw new DomainError(
      "invalid",
      `The default of variable '${name}' does not fit the variable's own schema: ${reason}`,
      FIELD,
    );
  }
}

const isBlockReference = (value: unknown): boolean =>
  typeof value === "object" && value !== null && "$ref" in value && typeof value.$ref === "object" &&
  value.$ref !== null && "block_document_id" in value.$ref;

/** Undefined when the value fits. A schema that cannot be used is said too. */
function mismatch(schema: Record<string, unknown>, value: unknown): string | undefined {
  try {
    const { valid, errors } = new Validator(schema as Schema, "2020-12").validate(value);
    return valid ? undefined : errors.at(-1)?.error ?? "it is invalid.";
  } catch (cause) {
    return cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
  }
}
