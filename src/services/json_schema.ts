import { type OutputUnit, type Schema, Validator } from "@cfworker/json-schema";

/** What does not fit, and where. */
export interface SchemaViolation {
  /** As a JSON pointer below `#`. */
  at: string;
  message: string;
}

/** The schema itself cannot be used: it refers to what is not there, or to itself without end. */
export class UnusableSchemaError extends Error {
  override readonly name = "UnusableSchemaError";
}

/**
 * Checks `value` against a JSON schema (2020-12; older `definitions` work too). Empty when it fits.
 *
 * @throws UnusableSchemaError
 */
export function schemaViolations(schema: unknown, value: unknown): SchemaViolation[] {
  return leaves(schemaErrors(schema, value)).map(({ instanceLocation: at, error: message }) => ({
    at,
    message,
  }));
}

/**
 * The same, as the library says it.
 *
 * @throws UnusableSchemaError
 */
export function schemaErrors(schema: unknown, value: unknown): OutputUnit[] {
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) {
    throw new UnusableSchemaError("A JSON schema is an object.");
  }
  try {
    return new Validator(schema as Schema, "2020-12", false).validate(value).errors;
  } catch (cause) {
    // The library's message is of many lines, of which the first tells.
    const [reason] = String(cause instanceof Error ? cause.message : cause).split("\n");
    throw new UnusableSchemaError(`The JSON schema cannot be used: ${reason}`, { cause });
  }
}

/** Without those that only say that something inside them does not fit. */
function leaves(errors: readonly OutputUnit[]): OutputUnit[] {
  const told = errors.filter(({ keyword }) => keyword !== "false"); // the keyword that forbids it is told as well
  return told.filter(({ keywordLocation }) =>
    !told.some((other) => other.keywordLocation.startsWith(`${keywordLocation}/`))
  );
}

/** In one line, for people. */
export const describeViolations = (violations: readonly SchemaViolation[]): string =>
  violations.map(({ at, message }) => at === "#" ? message : `${at.slice(2)}: ${message}`).join(" ");
