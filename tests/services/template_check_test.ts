import { assertEquals, assertThrows } from "@std/assert";
import { DomainError } from "../../src/errors.ts";
import { validateTemplate } from "../../src/services/template_check.ts";

const template = (properties: unknown, more: object = {}) =>
  JSON.stringify({ job_configuration: {}, variables: { type: "object", properties, ...more } });

Deno.test("validateTemplate() takes defaults that fit their schema, and asks for nothing that is required", () => {
  const good = [
    template({ a: { type: "integer", default: 5 }, b: { type: "string" } }, { required: ["b"] }),
    template({ a: { type: "number", default: 5.5 } }),
    template({ a: { anyOf: [{ type: "string" }, { type: "null" }], default: null } }),
    template({ a: { $ref: "#/definitions/A", default: "x" } }, { definitions: { A: { enum: ["x", "y"] } } }),
    template({ a: { type: "string", default: { $ref: { block_document_id: "unknown here" } } } }),
    template({ a: true }),
    template([]),
    JSON.stringify({ job_configuration: {}, variables: {} }),
    "{}",
  ];
  for (const text of good) validateTemplate(text);
});

Deno.test("validateTemplate() refuses a default that its variable could not have, and a schema that is none", () => {
  const refusal = (text: string) => {
    const error = assertThrows(() => validateTemplate(text), DomainError);
    assertEquals([error.code, error.field], ["invalid", ["base_job_template"]]);
    return error.message;
  };
  assertEquals(
    refusal(template({ fine: { default: 1 }, count: { type: "integer", default: "many" } })),
    "Validation failed for field 'count' of the variables' defaults. Failure reason: " +
      'Instance type "string" is invalid. Expected "integer".',
  );
  const nested = { type: "object", properties: { b: { type: "string" } }, default: { b: 1 } };
  assertEquals(refusal(template({ a: nested })).includes("field 'a.b'"), true);
  const enumerated = template({ a: { $ref: "#/definitions/A", default: "z" } }, {
    definitions: { A: { enum: ["x"] } },
  });
  assertEquals(refusal(enumerated).includes("field 'a'"), true);
  for (const schema of [{ $ref: "#/nowhere" }, { pattern: "(" }, { $ref: "#" }]) {
    refusal(template({ a: { ...schema, default: "x" } }));
  }
});
