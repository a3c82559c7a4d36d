import { assertEquals } from "@std/assert";
import { parseDuration, parsePairs } from "../../src/cli/run_options.ts";

Deno.test("parsePairs() takes JSON as JSON and everything else as text", () => {
  const pairs = [
    "a=1",
    "b=1.5",
    "c=true",
    "d=null",
    'e={"x":[1]}',
    "f=[1,2]",
    "g=2026-11-23",
    'h="q"',
    "i=",
    "j=a=b",
  ];
  assertEquals(parsePairs("param", pairs), {
    a: 1,
    b: 1.5,
    c: true,
    d: null,
    e: { x: [1] },
    f: [1, 2],
    g: "2026-11-23",
    h: '"q"',
    i: "",
    j: "a=b",
  });
});

Deno.test("parsePairs() keeps an integer that no number can hold as text", () => {
  assertEquals(parsePairs("param", ["id=12345678901234567890"]), { id: "12345678901234567890" });
});

Deno.test("parseDuration() reads seconds and what people write", () => {
  const cases: [string, number | undefined][] = [
    ["90", 90],
    ["0.5", 0.5],
    ["10 minutes", 600],
    ["in 2 hours", 7_200],
    ["1h30m", 5_400],
    ["1 day, 1 hour and 5 min", 90_300],
    ["2 weeks", 1_209_600],
    ["soon", undefined],
    ["5 moons", undefined],
    ["5 min later", undefined],
    ["", undefined],
    ["-5", undefined],
  ];
  for (const [text, seconds] of cases) assertEquals(parseDuration(text), seconds, text);
});
