import { assertEquals, assertThrows } from "@std/assert";
import { type GivenSchedule, mergeSchedules, ScheduleListError } from "../../src/domain/merge_schedules.ts";

const existing = (...slugs: (string | null)[]) => slugs.map((slug) => ({ slug }));

/** What becomes of each schedule, in short: `a` stays, `a>b` is changed and called b then, `+a` is made. */
function merged(slugs: (string | null)[], given: GivenSchedule[]): string[] {
  return mergeSchedules(existing(...slugs), given).map((one) => {
    if ("made" in one) return `+${one.made.slug ?? ""}`;
    return one.change ? `${one.kept.slug}>${one.change.slug}` : `${one.kept.slug}`;
  });
}

Deno.test("mergeSchedules() by slugs changes and adds what is given and leaves the others alone", () => {
  assertEquals(merged(["a", "b"], [{ slug: "b" }, { slug: "c" }]), ["a", "b>b", "+c"]);
  assertEquals(merged(["a", "b"], []), ["a", "b"]);
});

Deno.test("mergeSchedules() renames the schedule that is replaced, and makes a new one where it is gone", () => {
  assertEquals(merged(["a", "b"], [{ slug: "c", replaces: "a" }]), ["a>c", "b"]);
  assertEquals(merged(["b"], [{ slug: "c", replaces: "a" }]), ["b", "+c"]);
  // Sent again after it was done.
  assertEquals(merged(["c"], [{ slug: "c", replaces: "a" }]), ["c>c"]);
});

Deno.test("mergeSchedules() replaces all where some that are there have no slug", () => {
  assertEquals(merged([null], [{ slug: "a" }, {}]), ["+a", "+"]);
  assertEquals(merged(["a", null], [{ slug: "a" }]), ["+a"]);
  assertEquals(merged(["a", null], []), []);
  assertEquals(merged([], [{}, { slug: "a" }]), ["+", "+a"]);
});

Deno.test("mergeSchedules() refuses lists that contradict themselves, and says where", () => {
  const cases: [slugs: (string | null)[], given: GivenSchedule[], index: number, says: string][] = [
    [["a"], [{ slug: "a" }, {}], 1, "needs a slug"],
    [["a"], [{ slug: "a" }, { slug: "a" }], 1, "for the slug 'a'"],
    [["a"], [{ slug: "b", replaces: "a" }, { slug: "c", replaces: "a" }], 1, "replace the same one"],
    [["a"], [{ slug: "a" }, { slug: "c", replaces: "a" }], 1, "replace the same one"],
    [["a", "b"], [{ slug: "b", replaces: "a" }], 0, "'a' cannot become 'b'"],
    [[], [{ slug: "a" }, { slug: "a" }], 1, "for the slug 'a'"],
    [[null], [{ slug: "a" }, { slug: "a" }], 1, "for the slug 'a'"],
  ];
  for (const [slugs, given, index, says] of cases) {
    const error = assertThrows(() => merged(slugs, given), ScheduleListError, says);
    assertEquals(error.index, index);
  }
});
