import { assertEquals, assertThrows } from "@std/assert";
import { describeViolations, schemaViolations, UnusableSchemaError } from "../../src/services/json_schema.ts";

const told = (schema: unknown, value: unknown): string => describeViolations(schemaViolations(schema, value));

Deno.test("schemaViolations() tells what does not fit, where, and nothing twice", () => {
  const person = {
    type: "object",
    required: ["name"],
    additionalProperties: false,
    properties: { name: { type: "string" }, age: { $ref: "#/definitions/Age" } },
    definitions: { Age: { type: "integer", minimum: 0 } },
  };
  const cases: [unknown, string][] = [
    [{ name: "a", age: 3 }, ""],
    [{ name: "a", age: 5.0 }, ""],
    [{}, 'Instance does not have required property "name".'],
    [{ name: "a", age: -1 }, "age: -1 is less than 0."],
    [{ name: 1 }, 'name: Instance type "number" is invalid. Expected "string".'],
    [{ name: "a", x: 1 }, 'Property "x" does not match additional properties schema.'],
  ];
  assertEquals(cases.map(([value]) => [value, told(person, value)]), cases);
});

Deno.test("schemaViolations() names the place within lists and objects", () => {
  const schema = { properties: { a: { items: { properties: { b: { type: "null" } } } } } };
  assertEquals(schemaViolations(schema, { a: [{}, { b: 1 }] }), [
    { at: "#/a/1/b", message: 'Instance type "number" is invalid. Expected "null".' },
  ]);
});

Deno.test("schemaViolations() refuses schemas that cannot be used", () => {
  const unusable = [
    null,
    5,
    [],
    { $ref: "#" },
    { properties: { a: { $ref: "#/definitions/None" } } },
    { properties: { a: { pattern: "[" } } },
    { properties: { a: null } },
  ];
  for (const schema of unusable) {
    assertThrows(() => schemaViolations(schema, { a: "b" }), UnusableSchemaError);
  }
});
