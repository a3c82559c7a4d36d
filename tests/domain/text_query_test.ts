import { assertEquals } from "@std/assert";
import { matchesText, parseTextQuery } from "../../src/domain/text_query.ts";

Deno.test("parseTextQuery() reads terms, signs and quotes", () => {
  const cases: [string, string[], string[], string[]][] = [
    ["", [], [], []],
    ["  \n ", [], [], []],
    ["Error timeOut", ["error", "timeout"], [], []],
    ["a -b !c +d", ["a"], ["d"], ["b", "c"]],
    ['"Two Words" x', ["two words", "x"], [], []],
    ['-"two words" +"more words"', [], ["more words"], ["two words"]],
    ['"say \\"hi\\""', ['say "hi"'], [], []],
    ['"left open', ["left open"], [], []],
    ["a - b + ! c", ["a", "b", "c"], [], []],
    ["well-known a+b", ["well-known", "a+b"], [], []],
    ['""', [], [], []],
    ["--x", [], [], ["-x"]],
    ["日本 é", ["日本", "é"], [], []],
  ];
  for (const [query, some, all, none] of cases) {
    assertEquals(parseTextQuery(query), { some, all, none }, query);
  }
});

Deno.test("matchesText() wants one of some, all of all, none of none", () => {
  const text = "connection timeout after 3 s";
  const cases: [string, boolean][] = [
    ["", true],
    ["timeout", true],
    ["IMEO", true],
    ["refused timeout", true],
    ["refused", false],
    ["timeout -connection", false],
    ["-refused", true],
    ["+connection +timeout", true],
    ["+connection +refused", false],
    ["refused +connection", false],
    ['"connection timeout"', true],
    ['"timeout connection"', false],
  ];
  for (const [query, expected] of cases) {
    assertEquals(matchesText(parseTextQuery(query), text), expected, query);
  }
});
