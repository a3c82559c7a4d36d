import { assert, assertEquals, assertMatch } from "@std/assert";
import { extractTimestamp, validate } from "@std/uuid/v7";
import { buildIds, kinRange, millisecondOf } from "../../src/runtime/ids.ts";
import type { Random } from "../../src/runtime/random.ts";
import { FakeClock } from "../testing/fake_clock.ts";
import { SeededRandom } from "../testing/seeded_random.ts";

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
/** 2026-11-23T12:00:00.123456Z. */
const NOW = 1_795_435_200_123_456;

/** Random bytes that are all the same. */
const constant = (byte: number): Random => ({
  unit: () => 0,
  bytes: (length) => new Uint8Array(length).fill(byte),
});

/** Random bytes that make the counter of ids start at a number below 2^31; all other bytes are alternating bits. */
const startingAt = (counter: number): Random => ({
  unit: () => 0,
  bytes(length) {
    const bytes = new Uint8Array(length).fill(0x55);
    if (length === 4) new DataView(bytes.buffer).setUint32(0, counter * 2);
    return bytes;
  },
});

function assertIncreasing(ids: readonly string[]): void {
  for (let i = 1; i < ids.length; i++) assert(ids[i - 1]! < ids[i]!, `${ids[i - 1]} before ${ids[i]}`);
}

Deno.test("Ids.uuid() is a UUID version 7 of the clock's millisecond", () => {
  const ids = buildIds(new FakeClock(NOW), new SeededRandom(1));
  for (let i = 0; i < 1_000; i++) {
    const id = ids.uuid();
    assertMatch(id, UUID_V7);
    assert(validate(id));
    assertEquals(extractTimestamp(id), Math.floor(NOW / 1000));
  }
});

Deno.test("Ids.uuid() increases within a millisecond, from one to the next, and when the clock goes back", () => {
  const clock = new FakeClock(NOW);
  const ids = buildIds(clock, new SeededRandom(1));
  const made: string[] = [];
  for (const ms of [0, 0.4, 1, 250, -100_000, 0, 99_000, 5_000]) {
    clock.jump(ms);
    for (let i = 0; i < 200; i++) made.push(ids.uuid());
  }
  assertIncreasing(made);
  made.forEach((id) => assertMatch(id, UUID_V7));
});

Deno.test("Ids.uuid() increases over every carry of its counter, and into the next millisecond", () => {
  for (let bit = 1; bit <= 31; bit++) {
    const clock = new FakeClock(NOW);
    const ids = buildIds(clock, startingAt(2 ** bit - 2));
    const made = [ids.uuid(), ids.uuid(), ids.uuid(), ids.uuid()];
    clock.jump(1);
    made.push(ids.uuid());
    assertIncreasing(made);
    made.forEach((id) => assertMatch(id, UUID_V7));
  }
});

Deno.test("Ids.uuid() of two processes differ in the same millisecond", () => {
  const make = (seed: number) => buildIds(new FakeClock(NOW), new SeededRandom(seed)).uuid();
  assertEquals(new Set(Array.from({ length: 1_000 }, (_, seed) => make(seed))).size, 1_000);
});

Deno.test("Ids.token() is 22 URL-safe characters, each time others", () => {
  const ids = buildIds(new FakeClock(NOW), new SeededRandom(1));
  const tokens = Array.from({ length: 1_000 }, () => ids.token());
  for (const token of tokens) assertMatch(token, /^[A-Za-z0-9_-]{22}$/);
  assertEquals(new Set(tokens).size, tokens.length);
});

Deno.test("Ids.op() is an exact integer below 2^32 that uses all its bits", () => {
  const of = (byte: number) => buildIds(new FakeClock(NOW), constant(byte)).op();
  assertEquals([of(0), of(0xff)], [0, 2 ** 32 - 1]);
  const ids = buildIds(new FakeClock(NOW), new SeededRandom(1));
  const ops = Array.from({ length: 1_000 }, () => ids.op());
  assert(ops.every(Number.isSafeInteger));
  assertEquals(new Set(ops).size, ops.length);
});

Deno.test("Ids.kin() shares all but the last 42 bits with the id that it is made of, and leads back to it", () => {
  const ids = buildIds(new FakeClock(NOW), new SeededRandom(1));
  const all = Array.from({ length: 200 }, () => ids.uuid());
  for (const id of all) {
    const kin = Array.from({ length: 20 }, () => ids.kin(id));
    assertEquals(new Set([...kin, id]).size, 21);
    for (const one of kin) {
      assertMatch(one, UUID_V7);
      const { first, last } = kinRange(one);
      assertEquals(all.filter((other) => other >= first && other <= last), [id]);
      assert(one >= first && one <= last);
    }
    assertEquals(kinRange(id), kinRange(kin[0]!));
  }
});

Deno.test("kinRange() spans exactly the last 42 bits", () => {
  const kinOf = (byte: number) => buildIds(new FakeClock(NOW), constant(byte)).kin(id);
  const id = buildIds(new FakeClock(NOW), new SeededRandom(1)).uuid();
  const { first, last } = kinRange(id);
  assertEquals([kinOf(0x00), kinOf(0xff)], [first, last]);
  const bits = (id: string) => BigInt(`0x${id.replaceAll("-", "")}`);
  assertEquals(bits(last) - bits(first), 2n ** 42n - 1n);
  assertEquals(bits(first) % 2n ** 42n, 0n);
});

Deno.test("millisecondOf() tells when an id was made", () => {
  const ids = buildIds(new FakeClock(NOW), new SeededRandom(1));
  assertEquals(millisecondOf(ids.uuid()), Math.floor(NOW / 1000));
});
