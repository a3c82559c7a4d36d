import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { firstFreePriority, makeRoom, type Prioritised, withPriority } from "../../src/domain/priorities.ts";

/** `{ a: 1, b: 2 }` as queues. */
const queues = (priorities: Record<string, number>): Prioritised[] =>
  Object.entries(priorities).map(([id, priority]) => ({ id, priority }));

const priorities = (of: readonly Prioritised[]) =>
  Object.fromEntries(of.map((one) => [one.id, one.priority]));

/** As a queue is created. */
function create(all: Prioritised[], id: string, priority: number | null): Prioritised[] {
  const own = priority ?? firstFreePriority(all);
  const moved = new Map((priority === null ? [] : makeRoom(all, own)).map((one) => [one.id, one]));
  return [...all.map((one) => moved.get(one.id) ?? one), { id, priority: own }];
}

Deno.test("priorities follow the reference's worked example", () => {
  let all = queues({ default: 1 });
  const after = (next: Prioritised[], expected: Record<string, number>) => {
    all = next;
    assertEquals(priorities(all), expected);
  };
  after(create(all, "a", null), { default: 1, a: 2 });
  after(create(all, "b", 1), { b: 1, default: 2, a: 3 });
  after(create(all, "d", 10), { b: 1, default: 2, a: 3, d: 10 });
  after(create(all, "e", null), { b: 1, default: 2, a: 3, e: 4, d: 10 });
  after(withPriority(all, "a", 1), { a: 1, b: 2, default: 3, e: 4, d: 10 });
  after(withPriority(all, "b", 10), { a: 1, default: 3, e: 4, b: 10, d: 11 });
});

Deno.test("firstFreePriority() is the first gap, otherwise one above the highest", () => {
  assertEquals(firstFreePriority([]), 1);
  assertEquals(firstFreePriority(queues({ a: 1, b: 2 })), 3);
  assertEquals(firstFreePriority(queues({ a: 3, b: 1 })), 2);
  assertEquals(firstFreePriority(queues({ a: 2, b: 2 })), 1);
});

Deno.test("makeRoom() moves the queues up to the first gap by one, and no others", () => {
  const all = queues({ a: 1, b: 2, c: 4, d: 5 });
  assertEquals(priorities(makeRoom(all, 1)), { a: 2, b: 3 });
  assertEquals(priorities(makeRoom(all, 2)), { b: 3 });
  assertEquals(priorities(makeRoom(all, 3)), {});
  assertEquals(priorities(makeRoom(all, 4)), { c: 5, d: 6 });
  assertEquals(priorities(makeRoom(all, 9)), {});
});

Deno.test("makeRoom() moves queues that share a number together", () => {
  assertEquals(priorities(makeRoom(queues({ a: 1, b: 1, c: 2 }), 1)), { a: 2, b: 2, c: 3 });
  assertEquals(priorities(makeRoom(queues({ a: 1, b: 2, c: 2, d: 3, e: 5 }), 2)), { b: 3, c: 3, d: 4 });
});

Deno.test("withPriority() to a queue's own number changes nothing", () => {
  const all = queues({ a: 1, b: 2, c: 3 });
  assertEquals(priorities(withPriority(all, "b", 2)), { a: 1, b: 2, c: 3 });
});

const distinct = fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 8 })
  .map((numbers): Prioritised[] => numbers.map((priority, i) => ({ id: `queue-${i}`, priority })));

const inOrder = (all: readonly Prioritised[], except: string) =>
  all.toSorted((a, b) => a.priority - b.priority).map(({ id }) => id).filter((id) => id !== except);

Deno.test("withPriority() makes no duplicates, keeps the order of the others, and gives the wished number", () => {
  fc.assert(fc.property(distinct, fc.nat(), fc.integer({ min: 1, max: 14 }), (all, pick, priority) => {
    const { id } = all[pick % all.length]!;
    const next = withPriority(all, id, priority);
    assertEquals(new Set(next.map((one) => one.priority)).size, all.length);
    assertEquals(inOrder(next, id), inOrder(all, id));
    assertEquals(next.map((one) => one.id), all.map((one) => one.id));
    assertEquals(priorities(next)[id], priority);
    for (const one of all) {
      const moved = priorities(next)[one.id]! - one.priority;
      assert(one.id === id || moved === 0 || moved === 1, "each moves by one at most");
    }
  }));
});

Deno.test("a queue made at a number leaves no duplicates and keeps the order of the others", () => {
  fc.assert(fc.property(distinct, fc.option(fc.integer({ min: 1, max: 14 })), (all, priority) => {
    const next = create(all, "new", priority);
    assertEquals(new Set(next.map((one) => one.priority)).size, all.length + 1);
    assertEquals(inOrder(next, "new"), inOrder(all, "new"));
    if (priority === null) assertEquals(next.slice(0, -1), all, "nothing is disturbed");
  }));
});
