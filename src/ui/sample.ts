import type { Schema } from "../schemas/openapi.ts";

const SAMPLE_ID = "01a20d10-0000-7000-8000-000000000000";

/** A small value that fits the schema: of an object the fields that have to be there. */
export function sampleOf(schema: Schema, schemas: Readonly<Record<string, Schema>>): unknown {
  const { $ref, anyOf, oneOf, enum: words, items, properties = {}, required = [] } = schema;
  const id = $ref?.split("/").at(-1);
  if (id !== undefined) return sampleOf(schemas[id] ?? {}, schemas);
  const first = anyOf?.[0] ?? oneOf?.[0];
  if (first) return sampleOf(first, schemas);
  if (schema.const !== undefined) return schema.const;
  if (words) return words[0];
  switch (Array.isArray(schema.type) ? schema.type[0] : schema.type ?? "string") {
    case "integer":
    case "number":
      return Math.max(schema.minimum ?? 1, 1);
    case "boolean":
      return true;
    case "array":
      return items ? [sampleOf(items, schemas)] : [];
    case "object":
      return Object.fromEntries(
        Object.entries(properties).filter(([name]) => required.includes(name))
          .map(([name, field]) => [name, sampleField(name, field, schemas)]),
      );
    default:
      return sampleText(schema, "text");
  }
}

function sampleField(name: string, field: Schema, schemas: Readonly<Record<string, Schema>>): unknown {
  const value = sampleOf(field, schemas);
  return value === "text" ? sampleText(field, name === "name" ? "my-name" : `some ${name}`) : value;
}

function sampleText({ format }: Schema, otherwise: string): string {
  if (format === "uuid") return SAMPLE_ID;
  return format === "date-time" ? "2027-01-01T00:00:00Z" : otherwise;
}
