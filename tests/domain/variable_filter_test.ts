import { assertEquals } from "@std/assert";
import { matchesVariable } from "../../src/domain/variable_filter.ts";
import type { VariableRecord } from "../../src/schemas/records.ts";
import { VariableFilter } from "../../src/schemas/variable.ts";

const ID = "01a20d10-0000-7000-8000-00000000000a";
const OTHER = "01a20d10-0000-7000-8000-00000000000b";

const variable = (changes: Partial<VariableRecord> = {}): VariableRecord => ({
  id: ID,
  name: "alpha-1",
  value: `"Some Text"`,
  tags: ["a", "b"],
  created: 0,
  updated: 0,
  ...changes,
});

const matches = (filter: unknown, changes: Partial<VariableRecord> = {}) =>
  matchesVariable(VariableFilter.parse(filter), variable(changes));

Deno.test("matchesVariable() gives each clause one meaning", () => {
  const cases: [filter: unknown, expected: boolean][] = [
    [{}, true],
    [{ id: null, name: null, value: null, tags: null }, true],
    [{ id: { any_: [ID] } }, true],
    [{ id: { any_: [OTHER] } }, false],
    [{ id: { any_: [] } }, false],
    [{ name: { any_: ["alpha-1"] } }, true],
    [{ name: { like_: "PHA" } }, true],
    [{ name: { any_: ["alpha-1"], like_: "beta" } }, false],
    [{ value: { any_: ["Some Text"] } }, true],
    [{ value: { any_: [`"Some Text"`] } }, false],
    [{ value: { like_: "some" } }, true],
    [{ tags: { all_: ["b", "a"] } }, true],
    [{ tags: { all_: ["a", "c"] } }, false],
    [{ tags: { is_null_: true } }, false],
    [{ tags: { is_null_: false } }, true],
    [{ tags: { operator: "or_", all_: ["a"], is_null_: true } }, true],
    [{ operator: "or_", name: { any_: ["beta"] }, tags: { all_: ["a"] } }, true],
    [{ name: { any_: ["beta"] }, tags: { all_: ["a"] } }, false],
  ];
  for (const [filter, expected] of cases) assertEquals(matches(filter), expected, JSON.stringify(filter));
  assertEquals(matches({ tags: { is_null_: true } }, { tags: [] }), true);
  assertEquals(matches({ value: { like_: `"a":[` } }, { value: `{"a":[1]}` }), true);
});
