import { assertStringIncludes, assertThrows } from "@std/assert";
import { DomainError } from "../../src/errors.ts";
import { checkTemplate } from "../../src/services/template_check.ts";

const template = (properties: Record<string, unknown>, more: Record<string, unknown> = {}) =>
  JSON.stringify({ job_configuration: {}, variables: { type: "object", properties, ...more } });

Deno.test("checkTemplate() takes defaults that fit, by definitions too, and null for none", () => {
  checkTemplate("{}");
  checkTemplate(template({
    n: { type: "integer", minimum: 1, default: 1 },
    half: { type: "number", default: 5.0 },
    none: { type: "string", default: null },
    any: { default: { a: [1] } },
  }));
  const definitions = { cpu: { type: "string", pattern: "^\\d+m$" } };
  checkTemplate(
    template({ cpu: { allOf: [{ $ref: "#/definitions/cpu" }], default: "100m" } }, { definitions }),
  );
});

Deno.test("checkTemplate() refuses a default that does not fit its variable, and says which and why", () => {
  const refused = (properties: Record<string, unknown>, code: string, ...says: string[]) => {
    const error = assertThrows(() => checkTemplate(template(properties)), DomainError);
    for (const text of [...says]) assertStringIncludes(error.message, text);
    assertStringIncludes(error.code, code);
  };
  refused({ a: {}, n: { type: "integer", default: "many" } }, "invalid", "variable 'n'", "integer");
  refused({ s: { enum: ["a", "b"], default: "c" } }, "invalid", "variable 's'");
  refused({ r: { $ref: "#/definitions/nowhere", default: 1 } }, "invalid", "variable 'r'");
  refused({ b: { default: { $ref: { block_document_id: "x" } } } }, "not_found", "block");
});
