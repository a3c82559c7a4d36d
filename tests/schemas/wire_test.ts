import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { z } from "zod";
import { parseLossless } from "../../src/schemas/lossless_json.ts";
import * as wire from "../../src/schemas/wire.ts";

/** What a schema makes of JSON text as a request has it; "refused" when it does not pass. */
function read(schema: z.ZodType, text: string): unknown {
  const result = schema.safeParse(parseLossless(text));
  return result.success ? result.data : "refused";
}

function assertReads(schema: z.ZodType, cases: Record<string, unknown>): void {
  for (const [text, expected] of Object.entries(cases)) assertEquals(read(schema, text), expected, text);
}

/** 2026-11-23T22:13:37.159699Z. */
const INSTANT = 1_795_472_017_159_699;

Deno.test("instant() reads the forms that the reference reads", () => {
  const whole = INSTANT - 159_699;
  assertReads(wire.instant(), {
    '"2026-11-23T22:13:37.159699Z"': INSTANT,
    '"2026-11-23T22:13:37.159699+00:00"': INSTANT,
    '"2026-11-23 22:13:37.159699+00:00"': INSTANT,
    '"2026-11-23T22:13:37.159699"': INSTANT,
    '"2026-11-23T17:13:37.159699-05:00"': INSTANT,
    '"2026-11-24T03:43:37.159699+0530"': INSTANT,
    '"2026-11-23T22:13:37,1596991234567z"': INSTANT,
    '" 2026-11-23T22:13:37Z "': whole,
    '"2026-11-23T22:13:37.5Z"': whole + 500_000,
    '"2026-11-23T22:13Z"': whole - 37_000_000,
    '"2026-11-23"': whole - (22 * 3600 + 13 * 60 + 37) * 1_000_000,
    "1795472017.159699": INSTANT,
    "1795472017": whole,
    "1795472017.0": whole,
    '"1795472017.159699"': INSTANT,
    "1795472017159.699": INSTANT,
    "0": 0,
    "-1.5": -1_500_000,
  });
});

Deno.test("instant() refuses what is no time", () => {
  const texts = [
    "2026-02-29T00:00:00Z",
    "2026-13-01",
    "2026-00-01",
    "2026-11-00",
    "2026-11-23T24:00:00Z",
    "2026-11-23T10:60:00Z",
    "2026-11-23T10:00:60Z",
    "2026-11-23T10:00:00+24:00",
    "2026-11-23T10:00:00+10:60",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+01:00",
    "9999-12-31T23:59:59-01:00",
    "10000-01-01T00:00:00Z",
    "tomorrow",
    "",
    "99999999999999999999",
  ];
  for (const text of texts) assertEquals(read(wire.instant(), JSON.stringify(text)), "refused", text);
  for (const text of ["true", "null", "[]", "{}", "1e300", "-1e300"]) {
    assertEquals(read(wire.instant(), text), "refused", text);
  }
});

Deno.test("formatInstant() prints microseconds, and none when they are zero", () => {
  assertEquals(wire.formatInstant(INSTANT), "2026-11-23T22:13:37.159699Z");
  assertEquals(wire.formatInstant(INSTANT - 159_699), "2026-11-23T22:13:37Z");
  assertEquals(wire.formatInstant(1), "1970-01-01T00:00:00.000001Z");
  assertEquals(wire.formatInstant(-1), "1969-12-31T23:59:59.999999Z");
  assertEquals([wire.formatOptional(0), wire.formatOptional(null)], ["1970-01-01T00:00:00Z", null]);
});

Deno.test("instants come back from their text to the microsecond, also before 1970", () => {
  const instants = fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });
  fc.assert(fc.property(instants, (instant) => {
    assertEquals(wire.parseInstant(wire.formatInstant(instant)), instant);
  }));
});

Deno.test("instants of any offset are the same instant", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -1e15, max: 4e15 }),
      fc.integer({ min: -1439, max: 1439 }),
      (instant, minutes) => {
        const local = wire.formatInstant(instant + minutes * 60_000_000).slice(0, -1);
        const size = Math.abs(minutes);
        const offset = [Math.floor(size / 60), size % 60].map((n) => String(n).padStart(2, "0")).join(":");
        assertEquals(wire.parseInstant(`${local}${minutes < 0 ? "-" : "+"}${offset}`), instant);
      },
    ),
  );
});

Deno.test("instants far away keep their second and stay printable", () => {
  for (
    const [text, expected] of [
      ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"],
      ["0099-05-05T00:00:00.5Z", "0099-05-05T00:00:00Z"],
      ["9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59Z"],
    ] as const
  ) {
    const instant = wire.parseInstant(text);
    assert(instant !== undefined);
    assertEquals(wire.formatInstant(instant), expected);
  }
});

Deno.test("instants sort as their times do", () => {
  const [early, late] = ["2026-11-23T22:13:37Z", "2026-11-23T22:13:37.000001Z"].map((text) =>
    wire.parseInstant(text)
  );
  assert(early! < late!);
});

Deno.test("int() reads integers in every form and refuses the rest", () => {
  assertReads(wire.int(0, 200), {
    "5": 5,
    "5.0": 5,
    "5e1": 50,
    '"5"': 5,
    '" 5.00 "': 5,
    '"+5"': 5,
    "0": 0,
    "-0.0": -0,
    "200": 200,
    "201": "refused",
    "-1": "refused",
    "5.5": "refused",
    '"5.5"': "refused",
    '"five"': "refused",
    '""': "refused",
    '"0x5"': "refused",
    "12345678901234567890": "refused",
    "true": "refused",
    "null": "refused",
    "[]": "refused",
  });
});

Deno.test("num() and positive() read numbers in every form and refuse the rest", () => {
  assertReads(wire.num(0), {
    "5.0": 5,
    "0": 0,
    '"2.5"': 2.5,
    '" 1e3 "': 1000,
    '".5"': 0.5,
    "-1": "refused",
    '""': "refused",
    '"0x10"': "refused",
    '"Infinity"': "refused",
    "1e400": "refused",
    "{}": "refused",
  });
  assertReads(wire.positive(), { "0.5": 0.5, "0": "refused", "-1": "refused" });
});

Deno.test("bool() reads truth in every form and refuses the rest", () => {
  for (const text of ["true", "1", "1.0", '"1"', '"true"', '"TRUE"', '"t"', '"yes"', '"Y"', '"on"']) {
    assertEquals(read(wire.bool(), text), true, text);
  }
  for (const text of ["false", "0", "0.0", '"0"', '"False"', '"f"', '"no"', '"n"', '"OFF"']) {
    assertEquals(read(wire.bool(), text), false, text);
  }
  for (const text of ["2", '"maybe"', "null", "[]"]) assertEquals(read(wire.bool(), text), "refused", text);
});

Deno.test("uuid() takes any version and answers in lower case", () => {
  assertReads(wire.uuid(), {
    '"00000000-0000-0000-0000-00000000000A"': "00000000-0000-0000-0000-00000000000a",
    '"0199ABCD-0000-7000-8000-0123456789ab"': "0199abcd-0000-7000-8000-0123456789ab",
    '"0199abcd"': "refused",
    "5": "refused",
  });
});

Deno.test("jsonObject() and json() keep the text of what they are given", () => {
  const text = '{"a":5.0,"big":12345678901234567890,"list":[1e2,{"b":-0}]}';
  for (const schema of [wire.jsonObject(), wire.json()]) {
    assertEquals(read(schema, text), text);
  }
  assertReads(wire.json(), { "5.0": "5.0", "null": "null", '"x"': '"x"', "[1.50]": "[1.50]" });
  assertEquals(wire.json().parse(undefined), "null");
});

Deno.test("labels() keeps texts, numbers and truth as they came, and refuses anything else", () => {
  const text = '{"a":5.0,"big":12345678901234567890,"t":"x","b":false}';
  assertReads(wire.labels(), {
    [text]: text,
    '{"a":null}': "refused",
    '{"a":[1]}': "refused",
    '{"a":{"b":1}}': "refused",
  });
});

Deno.test("texts() takes texts of limited length alone, and no number that is kept as text", () => {
  assertReads(wire.texts(3), {
    '{"a":"bcd"}': { a: "bcd" },
    '{"a":"bcde"}': "refused",
    '{"a":1}': "refused",
    "5.0": "refused",
  });
});

Deno.test("jsonObject() refuses what is no object, numbers kept as text included", () => {
  for (const text of ["5", "5.0", "12345678901234567890", '"x"', "[]", "null"]) {
    assertEquals(read(wire.jsonObject(), text), "refused", text);
    assertEquals(read(wire.labels(), text), "refused", text);
  }
});

Deno.test("fromJsonText() prints as the text that was kept", () => {
  for (const text of ["5.0", '{"a":[1.0,12345678901234567890]}']) {
    assertEquals(JSON.stringify(wire.fromJsonText(text)), text);
  }
});

Deno.test("orDefault(), limit() and offset() take absent and null for the default", () => {
  for (const absent of [undefined, null]) {
    assertEquals([wire.limit().parse(absent), wire.offset().parse(absent)], [200, 0]);
  }
  assertReads(wire.limit(), { "0": 0, '"7"': 7, "200": 200, "201": "refused", "-1": "refused" });
  assertReads(wire.offset(), { "300": 300, "-1": "refused" });
});

Deno.test("tags() keeps each tag once, in order", () => {
  assertEquals(wire.tags().parse(["b", "a", "b"]), ["b", "a"]);
});

Deno.test("name() refuses what cannot stand in a path", () => {
  for (const text of ["a/b", "50%", "a&b", "a>b", "a<b", ""]) {
    assertEquals(read(wire.name(), JSON.stringify(text)), "refused", text);
  }
  assertEquals(read(wire.name(), '"my pool é"'), "my pool é");
});
