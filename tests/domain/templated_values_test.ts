import { assertEquals, assertThrows } from "@std/assert";
import {
  fillValues,
  mayBeTemplated,
  TemplateError,
  variableNames,
} from "../../src/domain/templated_values.ts";
import { parseLossless } from "../../src/schemas/lossless_json.ts";

const filled = (text: string, variables: Record<string, unknown> = {}) =>
  JSON.stringify(fillValues(parseLossless(text), new Map(Object.entries(variables))));

Deno.test("fillValues() leaves what is not templated to the letter", () => {
  const text = '{"a":5.0,"b":[1e2,null,{"c":"x"}],"d":{"__prefect_kind":"something"}}';
  assertEquals(filled(text), text);
});

Deno.test("fillValues() takes values, JSON texts and variables, at any depth; one without a value leaves its place out", () => {
  const cases: [text: string, expected: string][] = [
    ['{"a":{"__prefect_kind":"none","value":5.0}}', '{"a":5.0}'],
    ['{"a":{"__prefect_kind":"json","value":"{\\"x\\":5.0}"}}', '{"a":{"x":5.0}}'],
    ['{"a":{"__prefect_kind":"json","value":{"__prefect_kind":"none","value":"[1]"}}}', '{"a":[1]}'],
    ['{"a":[{"__prefect_kind":"workspace_variable","variable_name":"v"},1]}', '{"a":["text",1]}'],
    ['{"a":{"__prefect_kind":"none"},"b":[{"__prefect_kind":"json"},1]}', '{"b":[1]}'],
    ['{"__prefect_kind":"none"}', "null"],
  ];
  for (const [text, expected] of cases) assertEquals(filled(text, { v: "text" }), expected, text);
});

Deno.test("fillValues() refuses what it cannot make", () => {
  const cases: [text: string, says: string][] = [
    ['{"a":{"__prefect_kind":"json","value":"{"}}', "Invalid JSON"],
    ['{"a":{"__prefect_kind":"json","value":5}}', "has to be text"],
    ['{"a":{"__prefect_kind":"jinja","template":"{{ x }}"}}', "Jinja"],
    ['{"a":{"__prefect_kind":"workspace_variable","variable_name":"w"}}', "'w' not found"],
  ];
  for (const [text, says] of cases) assertThrows(() => filled(text, { v: 1 }), TemplateError, says);
});

Deno.test("variableNames() finds the variables that are asked for; mayBeTemplated() is false without any kind", () => {
  const text =
    '{"a":[{"__prefect_kind":"workspace_variable","variable_name":"v"}],"b":{"variable_name":"w"}}';
  assertEquals(variableNames(parseLossless(text)), ["v"]);
  assertEquals([mayBeTemplated(text), mayBeTemplated('{"a":1}')], [true, false]);
});
