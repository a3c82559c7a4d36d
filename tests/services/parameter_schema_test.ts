import { assertEquals, assertThrows } from "@std/assert";
import { UnusableSchemaError } from "../../src/services/json_schema.ts";
import { findMismatch } from "../../src/services/parameter_schema.ts";

const SCHEMA = {
  type: "object",
  properties: {
    n: { type: "integer" },
    optional: { type: "integer" },
    choice: { type: "string", enum: ["a"] },
    defaulted: { type: "integer", default: 1 },
    tuple: { type: "array", items: [{ type: "integer" }, { type: "string" }] },
    list: { type: "array", items: { type: "integer" }, maxItems: 2 },
    inner: { $ref: "#/definitions/Inner" },
    block: { $ref: "#/definitions/Block" },
    when: { type: "string", format: "date-time" },
    python: { type: "string", pattern: "(?P<x>a)" },
    letters: { type: "string", pattern: "^[a-z]+$", minLength: 2 },
    either: { anyOf: [{ type: "integer" }, { type: "null" }] },
  },
  required: ["n"],
  definitions: {
    Inner: {
      type: "object",
      properties: { x: { type: "number", minimum: 5, exclusiveMaximum: 9 } },
      required: ["x"],
      additionalProperties: false,
    },
    Block: { type: "object", block_type_slug: "s3", properties: { z: { type: "string" } }, required: ["z"] },
  },
};

const mismatch = (value: unknown, ignoreRequired = false) =>
  findMismatch(JSON.stringify(SCHEMA), JSON.stringify(value), { ignoreRequired });
const inField = (name: string, reason: string) =>
  `Validation failed for field '${name}'. Failure reason: ${reason}`;

Deno.test("findMismatch() tells the field and the reason in the reference's words", () => {
  const cases: [value: unknown, expected: string][] = [
    [{}, "Validation failed. Failure reason: 'n' is a required property"],
    [{ n: "x" }, inField("n", "'x' is not of type 'integer'")],
    [{ n: null }, inField("n", "None is not of type 'integer'")],
    [{ n: true }, inField("n", "True is not of type 'integer'")],
    [{ n: [1, { a: false }] }, inField("n", "[1, {'a': False}] is not of type 'integer'")],
    [{ n: "it's" }, inField("n", `"it's" is not of type 'integer'`)],
    [{ n: 1, inner: { x: 1 } }, inField("inner.x", "1 is less than the minimum of 5")],
    [{ n: 1, inner: { x: 9 } }, inField("inner.x", "9 is greater than or equal to the maximum of 9")],
    [{ n: 1, inner: {} }, inField("inner", "'x' is a required property")],
    [
      { n: 1, inner: { x: 6, y: 1 } },
      inField("inner", "Additional properties are not allowed ('y' was unexpected)"),
    ],
    [{ n: 1, tuple: ["a", 1] }, inField("tuple[0]", "'a' is not of type 'integer'")],
    [{ n: 1, list: [1, 2, 3] }, inField("list", "[1, 2, 3] is too long")],
    [{ n: 1, letters: "A1" }, inField("letters", "'A1' does not match '^[a-z]+$'")],
    [{ n: 1, letters: "a" }, inField("letters", "'a' is too short")],
    [{ n: 1, choice: "b" }, inField("choice", "'b' is not one of ['a', None]")],
    [{ n: 1, either: "x" }, inField("either", "'x' is not valid under any of the given schemas")],
    [{ n: 1, block: 5 }, inField("block", "5 is not valid under any of the given schemas")],
    [{ n: 1, defaulted: null }, inField("defaulted", "None is not of type 'integer'")],
  ];
  for (const [value, expected] of cases) assertEquals(mismatch(value), expected, JSON.stringify(value));
});

Deno.test("findMismatch() reads pydantic 1's schemas as they are meant", () => {
  const fitting = [
    { n: 1 },
    { n: 1.0, optional: null, choice: null },
    { n: 1, tuple: [1, "a"] },
    { n: 1, block: { $ref: { block_document_id: "x" } } },
    { n: 1, block: { z: "z" } },
    { n: 1, when: "tomorrow", python: "b", either: null },
  ];
  for (const value of fitting) assertEquals(mismatch(value), undefined, JSON.stringify(value));
});

Deno.test("findMismatch() ignores at every level what is required, on request", () => {
  assertEquals(mismatch({ inner: {}, block: {} }, true), undefined);
  assertEquals(mismatch({ n: "x" }, true), inField("n", "'x' is not of type 'integer'"));
  const named = JSON.stringify({ properties: { required: { type: "integer" } } });
  assertEquals(findMismatch(named, `{"required":"x"}`, { ignoreRequired: true })?.includes("'x'"), true);
});

Deno.test("findMismatch() says when the schema is what is wrong", () => {
  const schemas = [{ $ref: "#/definitions/none" }, { $ref: "#" }, { enum: 5 }, { anyOf: 5 }];
  for (const schema of schemas) {
    assertThrows(
      () => findMismatch(JSON.stringify(schema), `{"a":1}`),
      UnusableSchemaError,
      "cannot be used",
    );
  }
});

Deno.test("findMismatch() shortens the value that it repeats", () => {
  const text = mismatch({ n: "x".repeat(10_000) })!;
  assertEquals(text.length < 400, true, text);
});
