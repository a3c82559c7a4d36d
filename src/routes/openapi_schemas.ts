import { z } from "zod";
import type { Schema } from "../schemas/openapi.ts";

/** Whether a schema is what a caller sends, or what is answered. */
export type Side = "input" | "output";

/** zod schemas → JSON Schemas that refer to each other by the ids of their `.meta()`. */
export class ComponentSchemas {
  readonly #schemas = new Map<string, Schema>();

  /** The schema, or a reference to it when it has an id. */
  add(schema: z.ZodType, side: Side): Schema {
    const { $schema: _, $defs = {}, ...own } = converted(schema, side);
    for (const [id, definition] of Object.entries($defs)) this.#keep(id, definition);
    return own;
  }

  /** The schema itself, also when it has an id. */
  inline(schema: z.ZodType, side: Side): Schema {
    const added = this.add(schema, side);
    return this.#schemas.get(added.$ref?.split("/").at(-1) ?? "") ?? added;
  }

  /** Everything that was referred to, by id. */
  sorted(): Record<string, Schema> {
    return Object.fromEntries([...this.#schemas].sort(([a], [b]) => a < b ? -1 : 1));
  }

  #keep(id: string, schema: Schema): void {
    const known = this.#schemas.get(id);
    if (known && JSON.stringify(known) !== JSON.stringify(schema)) {
      throw new Error(`The schema id ${id} stands for two shapes: give one of them another id.`);
    }
    this.#schemas.set(id, schema);
  }
}

interface Document extends Schema {
  $schema?: string;
  $defs?: Record<string, Schema>;
}

function converted(schema: z.ZodType, side: Side): Document {
  const json = z.toJSONSchema(schema, {
    io: side,
    unrepresentable: "any",
    override: (one) => tidy(one, side),
  });
  return JSON.parse(JSON.stringify(json).replaceAll('"#/$defs/', '"#/components/schemas/')) as Document;
}

/** Leaves out what says nothing, and what would promise too much. */
function tidy({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }, side: Side): void {
  // Keys of JSON objects are always text.
  if (JSON.stringify(jsonSchema.propertyNames) === '{"type":"string"}') delete jsonSchema.propertyNames;
  if (jsonSchema.format === "uuid") delete jsonSchema.pattern;
  // Bounds of every integer that a number can hold.
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  // A later version may answer more.
  if (side === "output" && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
  describeDefault(jsonSchema);
}

/** `wire.orDefault` says under a name of its own what stands for null and for nothing: zod drops a plain default. */
function describeDefault(jsonSchema: z.core.JSONSchema.BaseSchema): void {
  if (!("whenAbsent" in jsonSchema)) return;
  const { whenAbsent } = jsonSchema;
  delete jsonSchema["whenAbsent"];
  const kinds = (jsonSchema.anyOf ?? [jsonSchema]).flatMap(({ type }) => type);
  // JSON that is kept as text has its default as text too.
  const isJson = typeof whenAbsent === "string" && !kinds.includes("string");
  jsonSchema.default = isJson
    ? JSON.parse(whenAbsent)
    : whenAbsent as z.core.JSONSchema.JSONSchema["default"];
}
