import { assert, assertEquals } from "@std/assert";
import type { Schema } from "../../src/schemas/openapi.ts";
import { fieldTable, typeOf } from "../../src/ui/schema_html.ts";

const plain = (markup: string) =>
  markup.replace(/<[^>]*>/g, "").replaceAll("&#62;", ">").replaceAll("&#34;", '"').replace(/\s+/g, " ")
    .trim();

Deno.test("typeOf() says kind and limits in words", () => {
  const cases: [Schema, string][] = [
    [{}, "any JSON"],
    [{ type: "integer", minimum: 0, maximum: 200 }, "integer 0 to 200"],
    [{ anyOf: [{ type: "number", exclusiveMinimum: 0 }, { type: "null" }] }, "number > 0 or null"],
    [{ type: ["string", "number"], format: "date-time" }, "date-time or number"],
    [{ type: "string", maxLength: 64 }, "string ≤ 64 characters"],
    [{ type: "array", items: { $ref: "#/components/schemas/Flow" }, minItems: 1 }, "array of Flow ≥ 1 items"],
    [{ type: "string", enum: ["a", "b"] }, '"a" or "b"'],
    [{ type: "object", additionalProperties: {} }, "object"],
    [{ type: "object", additionalProperties: { type: "string" } }, "object of string"],
  ];
  for (const [schema, words] of cases) assertEquals(plain(typeOf(schema).text), words);
  assert(typeOf({ $ref: "#/components/schemas/Flow" }).text.includes('href="#schema-Flow"'));
});

Deno.test("fieldTable() has the fields of objects within, and what is required first", () => {
  const table = fieldTable({
    properties: {
      list: { type: "array", items: { properties: { inner: { type: "string" } } } },
      needed: { anyOf: [{ properties: { deep: { type: "boolean", default: false } } }, { type: "null" }] },
    },
    required: ["needed"],
  });
  assert(table !== "");
  const names = [...table.text.matchAll(/<code>([\w.[\]]+)<\/code><\/th>/g)].map(([, name]) => name);
  assertEquals(names, ["needed", "needed.deep", "list", "list[].inner"]);
  assertEquals(fieldTable({ type: "string" }), "");
});
