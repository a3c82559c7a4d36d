import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { parseLossless, unwrapNumber } from "../../src/schemas/lossless_json.ts";

const TEXTS = [
  "5.0",
  "5",
  "-0",
  "-0.0",
  "1e2",
  "1E+2",
  "0.1",
  "1e400",
  "12345678901234567890",
  "0.30000000000000000001",
  "null",
  '"5.0"',
  '{"a":5.0,"b":[1.0,{"c":2.50}],"d":12345678901234567890}',
  '{"rawJSON":"5.0"}',
  '["\\u00e9"]',
];

for (const text of TEXTS) {
  Deno.test(`parseLossless() keeps ${text}`, () => {
    const expected = text.replace("\\u00e9", "é"); // How text is escaped is not kept, what it says is.
    assertEquals(JSON.stringify(parseLossless(text)), expected);
  });
}

Deno.test("parseLossless() gives plain values wherever nothing is lost", () => {
  assertEquals(parseLossless('{"a":[1,-2.5,"x",true,null,{"b":1e-7}]}'), {
    a: [1, -2.5, "x", true, null, { b: 1e-7 }],
  });
});

Deno.test("parseLossless() keeps the text of any JSON that JSON.stringify() wrote", () => {
  fc.assert(fc.property(fc.json(), (text) => {
    const compact = JSON.stringify(JSON.parse(text));
    assertEquals(JSON.stringify(parseLossless(compact)), compact);
  }));
});

Deno.test("parseLossless() keeps any number as it is written", () => {
  const digits = fc.stringMatching(/^-?(0|[1-9]\d{0,24})(\.\d{1,20})?([eE][+-]?\d{1,3})?$/);
  fc.assert(fc.property(digits, (text) => {
    assertEquals(JSON.stringify(parseLossless(`[${text}]`)), `[${text}]`);
  }));
});

Deno.test("parseLossless() throws a SyntaxError for what is no JSON", () => {
  for (const text of ["", "{", "{'a':1}", "[1,]", "NaN"]) {
    assertThrows(() => parseLossless(text), SyntaxError);
  }
});

Deno.test("unwrapNumber() gives the number behind a kept text and leaves everything else", () => {
  assertEquals(unwrapNumber(parseLossless("5.0")), 5);
  assertEquals(unwrapNumber(parseLossless("12345678901234567890")), 12345678901234567890);
  for (const value of [5, "5.0", null, undefined, true]) assertEquals(unwrapNumber(value), value);
  const object = { rawJSON: "5.0" };
  assertEquals(unwrapNumber(object), object);
});

Deno.test("parseLossless() refuses half characters, in texts and in keys, and takes whole ones", () => {
  for (const text of ['"\\ud800"', '["a\\udc00b"]', '{"\\ud83d":1}', '{"a":{"b":"\\udc4b\\ud83d"}}']) {
    assertThrows(() => parseLossless(text), SyntaxError, "lone surrogate");
  }
  assertEquals(parseLossless('{"\\ud83d\\udc4b":"\\ud83d\\udc4b"}'), { "👋": "👋" });
});
