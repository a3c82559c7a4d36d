/** A JSON Schema as the reference's clients write them, made into what JSON Schema 2020-12 says the same with. */

type Json = Record<string, unknown>;

/** Keywords whose value names schemas: their keys are the user's. */
const MAPS = new Set(["properties", "patternProperties", "definitions", "$defs", "dependentSchemas"]);
/** Keywords whose value is data, never a schema. */
const DATA = new Set(["default", "const", "enum", "examples", "example", "required"]);
const LARGEST_DEPTH = 200;

export interface SchemaReading {
  /** Whether a property that is required may be absent, at every level. */
  ignoreRequired: boolean;
}

/**
 * What pydantic 1 writes and means otherwise: a list of `items` is a tuple, an optional property without a default
 * may be null, and a block may be given by a reference to its document. Formats are annotations: the reference
 * checks none of those that matter. A pattern that only Python knows cannot be checked and is left out.
 */
export function withoutQuirks(schema: unknown, { ignoreRequired }: SchemaReading, depth = 0): unknown {
  if (depth > LARGEST_DEPTH) return schema;
  const walk = (value: unknown) => withoutQuirks(value, { ignoreRequired }, depth + 1);
  if (Array.isArray(schema)) return schema.map(walk);
  if (!isObject(schema)) return schema;
  const result: Json = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === "format" || (ignoreRequired && key === "required")) continue;
    if (key === "pattern" && !isPattern(value)) continue;
    if (DATA.has(key)) result[key] = value;
    else if (MAPS.has(key) && isObject(value)) result[key] = mapValues(value, walk);
    else if (key === "items" && Array.isArray(value)) result["prefixItems"] = walk(value);
    else result[key] = walk(value);
  }
  if (isObject(result["properties"])) {
    result["properties"] = withOptionalNulls(result["properties"], schema["required"]);
  }
  return "block_type_slug" in schema ? orReference(result) : result;
}

function isPattern(value: unknown): boolean {
  try {
    new RegExp(String(value), "u");
    return true;
  } catch {
    return false;
  }
}

function withOptionalNulls(properties: Json, required: unknown): Json {
  const isRequired = new Set(Array.isArray(required) ? required : []);
  return Object.fromEntries(
    Object.entries(properties).map(([name, property]) => {
      const isPlain = isObject(property) && typeof property["type"] === "string" && !("default" in property);
      if (!isPlain || isRequired.has(name) || property["type"] === "null") return [name, property];
      return [name, { ...property, type: [property["type"], "null"], ...orNull(property["enum"]) }];
    }),
  );
}

const orNull = (values: unknown): Json => Array.isArray(values) ? { enum: [...values, null] } : {};

const BLOCK_REFERENCE = {
  type: "object",
  properties: {
    $ref: {
      type: "object",
      properties: { block_document_id: { type: "string" } },
      required: ["block_document_id"],
    },
  },
  required: ["$ref"],
};
const orReference = (schema: Json): Json => ({ anyOf: [schema, BLOCK_REFERENCE] });

const mapValues = (object: Json, map: (value: unknown) => unknown): Json =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value)]));

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
