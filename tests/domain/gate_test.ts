import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { serialize } from "node:v8";
import { type Blocked, blockedReason, Gate, wasApplied } from "../../src/domain/gate.ts";
import type { GateRecord, QueueConfig } from "../../src/schemas/records.ts";

const aQueue = (changes: Partial<QueueConfig> = {}): QueueConfig => ({
  no: 3,
  id: "queue",
  priority: 1,
  paused: false,
  limit: null,
  ...changes,
});

const empty = (limit: number | null = null, paused = false) => new Gate(Gate.empty({ paused, limit }));

function taken(counts: Record<number, number>, gate = empty()): Gate {
  for (const [no, count] of Object.entries(counts)) {
    for (let i = 0; i < count; i++) gate.take(Number(no));
  }
  return gate;
}

Deno.test("Gate keeps counts through its record", () => {
  fc.assert(fc.property(
    fc.array(fc.nat(65_535), { maxLength: 60 }),
    fc.option(fc.nat()),
    fc.boolean(),
    (queueNos, limit, paused) => {
      const gate = empty(limit, paused);
      for (const no of queueNos) gate.take(no);
      const again = new Gate(gate.toRecord(1));
      assertEquals([again.held, again.limit, again.paused], [queueNos.length, limit, paused]);
      for (const no of queueNos) assertEquals(again.heldIn(no), queueNos.filter((one) => one === no).length);
      for (const no of queueNos) again.free(no);
      assertEquals([again.held, again.toRecord(2).occ, again.toRecord(2).q], [0, 0, new Uint16Array()]);
    },
  ));
});

Deno.test("Gate.toRecord() lists the queues with slots taken in order, and no others", () => {
  const gate = taken({ 9: 2, 1: 1, 5: 1 });
  gate.free(5);
  const { q, occ } = gate.toRecord(1);
  assertEquals([q, occ], [Uint16Array.of(1, 1, 9, 2), 3]);
});

Deno.test("Gate.toRecord() remembers the last eight commits", () => {
  let record = Gate.empty({ paused: false, limit: null });
  for (let op = 1; op <= 10; op++) record = new Gate(record).toRecord(op);
  assertEquals([...record.ops], [3, 4, 5, 6, 7, 8, 9, 10]);
});

Deno.test("Gate.copy() is independent of its original", () => {
  const gate = taken({ 1: 1 });
  const copy = gate.copy();
  copy.take(1);
  copy.paused = true;
  assertEquals([gate.held, gate.heldIn(1), gate.paused], [1, 1, false]);
  assertEquals([copy.held, copy.heldIn(1)], [2, 2]);
});

Deno.test("Gate.blocked() tells why nothing of the pool can start", () => {
  assertEquals(empty().blocked(), undefined);
  assertEquals(empty(1).blocked(), undefined);
  assertEquals(empty(0).blocked(), { kind: "pool_full", limit: 0, held: 0 });
  assertEquals(taken({ 1: 2, 2: 1 }, empty(3)).blocked(), { kind: "pool_full", limit: 3, held: 3 });
  assertEquals(taken({ 1: 3 }, empty(2)).blocked(), { kind: "pool_full", limit: 2, held: 3 }, "lowered");
  assertEquals(taken({ 1: 3 }, empty(3, true)).blocked(), { kind: "pool_paused" });
});

Deno.test("Gate.blockedIn() tells why nothing of the queue can start", () => {
  const gate = taken({ 3: 2, 4: 5 });
  assertEquals(gate.blockedIn(aQueue()), undefined);
  assertEquals(gate.blockedIn(aQueue({ limit: 3 })), undefined);
  assertEquals(gate.blockedIn(aQueue({ limit: 2 })), { kind: "queue_full", limit: 2, held: 2 });
  assertEquals(gate.blockedIn(aQueue({ limit: 1 })), { kind: "queue_full", limit: 1, held: 2 });
  assertEquals(gate.blockedIn(aQueue({ no: 8, limit: 0 })), { kind: "queue_full", limit: 0, held: 0 });
  assertEquals(gate.blockedIn(aQueue({ paused: true, limit: 0 })), { kind: "queue_paused" });
});

Deno.test("Gate.blockedIn() stops an unlimited queue before its count leaves 16 bits", () => {
  const record = { ...Gate.empty({ paused: false, limit: null }), occ: 65_535, q: Uint16Array.of(3, 65_535) };
  assertEquals(new Gate(record).blockedIn(aQueue()), { kind: "queue_full", limit: 65_535, held: 65_535 });
});

/** A gate in use: limits, a name for each of the last eight commits, a slot or more taken in `queues` queues. */
function busyRecord(queues: number): GateRecord {
  let record = Gate.empty({ paused: false, limit: 100_000 });
  for (let op = 0; op < 8; op++) record = new Gate(record).toRecord(Number.MAX_SAFE_INTEGER - op);
  const counts = Object.fromEntries(Array.from({ length: queues }, (_, no) => [no, 3]));
  return taken(counts, new Gate({ ...record, cfg: 1_000 })).toRecord(Number.MAX_SAFE_INTEGER);
}

Deno.test("Gate.toRecord() is small: it is rewritten by every commit", () => {
  const [few, many] = [serialize(busyRecord(20)).length, serialize(busyRecord(1_000)).length];
  assert(few <= 300, `${few} bytes with 20 busy queues`);
  // A pair is four bytes, so 4,000 of them are the counts.
  assert(many <= 4_000 + 150, `${many} bytes with 1,000 busy queues`);
});

Deno.test("wasApplied() finds the commit among the remembered ones, or knows that it is not there", () => {
  const record = (...ops: number[]): GateRecord => ({
    ...Gate.empty({ paused: false, limit: null }),
    ops: Uint32Array.from(ops),
  });
  const mine = 99;
  assertEquals(wasApplied(mine, record(1), record(1, mine)), true);
  assertEquals(wasApplied(mine, record(1), record(1, mine, 2, 3)), true);
  assertEquals(wasApplied(mine, record(1), record(1)), false);
  assertEquals(wasApplied(mine, record(1), record(1, 2, 3)), false);
  assertEquals(wasApplied(mine, record(1), record(1, 2, 3, 4, 5, 6, 7, 8)), false, "seven foreign ones");
  assertEquals(wasApplied(mine, record(1), record(2, 3, 4, 5, 6, 7, 8, 9)), undefined, "eight foreign ones");
  assertEquals(wasApplied(mine, record(1), null), false, "the pool is gone");
  assertEquals(wasApplied(mine, record(), record()), false);
  assertEquals(wasApplied(mine, record(), record(1, 2, 3, 4, 5, 6, 7)), false);
  assertEquals(wasApplied(mine, record(), record(1, 2, 3, 4, 5, 6, 7, 8)), undefined);
});

Deno.test("blockedReason() names the limit, what is taken, and where", () => {
  const names = { pool: "my-pool", queue: "high", deployment: "nightly" };
  const reasons: [Blocked, string][] = [
    [{ kind: "pool_paused" }, "Work pool 'my-pool' is paused."],
    [{ kind: "pool_full", limit: 7, held: 9 }, "Work pool 'my-pool' is full: 9 of 7 slots are taken."],
    [{ kind: "queue_paused" }, "Work queue 'high' of work pool 'my-pool' is paused."],
    [
      { kind: "queue_full", limit: 0, held: 0 },
      "Work queue 'high' of work pool 'my-pool' is full: 0 of 0 slots are taken.",
    ],
    [
      { kind: "deployment_full", limit: 1, held: 1 },
      "Deployment 'nightly' has as many runs as it may have: 1 of 1.",
    ],
  ];
  assertEquals(reasons.map(([blocked]) => blockedReason(blocked, names)), reasons.map(([, text]) => text));
});
