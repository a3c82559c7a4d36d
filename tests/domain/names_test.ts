import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { randomName } from "../../src/domain/names.ts";

Deno.test("randomName() is two words, whatever the numbers", () => {
  const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(fc.property(unit, unit, (a, b) => assertMatch(randomName(a, b), /^[a-z]+-[a-z]+$/)));
  assertEquals(randomName(0, 0), "amber-badger");
  assertEquals(randomName(1 - 2 ** -53, 1 - 2 ** -53), "zesty-zebra");
});

Deno.test("randomName() has thousands of names", () => {
  const steps = Array.from({ length: 200 }, (_, i) => i / 200);
  const names = new Set(steps.flatMap((a) => steps.map((b) => randomName(a, b))));
  assert(names.size > 4_000, `${names.size} names`);
});
