/**
 * JSON that survives a round trip. `JSON.parse` turns `5.0` into `5` and long integers into others; here a number
 * whose text would change is kept as a raw value, which `JSON.stringify` writes back to the letter.
 * `JSON.rawJSON` and the reviver's `source`: in V8 since Deno 1.40, in TypeScript's library not yet.
 */
interface RawJson {
  rawJSON: string;
}
const Json = JSON as unknown as {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): RawJson;
  isRawJSON(value: unknown): value is RawJson;
};

/**
 * Parses JSON text. Throws a SyntaxError when it is none, or when a text in it is no Unicode: half of a surrogate pair
 * would become another character in a key or a hash, and two names one.
 */
export function parseLossless(text: string): unknown {
  return Json.parse(text, (key, value, context) => {
    refuseHalfCharacters(key);
    if (typeof value === "string") refuseHalfCharacters(value);
    const { source } = context;
    return typeof value === "number" && source !== undefined && String(value) !== source
      ? Json.rawJSON(source)
      : value;
  });
}

function refuseHalfCharacters(text: string): void {
  if (!text.isWellFormed()) throw new SyntaxError("a lone surrogate in a \\u escape");
}

/** Whether this is a number, be it one that is kept as it was written. */
export function isNumber(value: unknown): boolean {
  return typeof value === "number" || Json.isRawJSON(value);
}

/** The number behind a value of {@link parseLossless}; any other value comes back as it is. */
export function unwrapNumber(value: unknown): unknown {
  return Json.isRawJSON(value) ? Number(value.rawJSON) : value;
}
