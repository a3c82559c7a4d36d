import { assert, assertEquals } from "@std/assert";
import { CHUNK_BYTES } from "../../src/kv/limits.ts";
import { lineId, linesOf, packLines, unpackColumns } from "../../src/kv/log_chunk.ts";
import type { LogLine } from "../../src/schemas/records.ts";

const BATCH = "01a20a5c-a0f7-7844-8df0-a1f8c5ef06e1";
const OTHER = "01a20a5c-a0f7-7845-8df0-a1f8c5ef06e1";
const RUN = "00000000-0000-4000-8000-000000000001";
const TASK = "00000000-0000-4000-8000-00000000000a";

const line = (number: number, changes: Partial<LogLine> = {}): LogLine => ({
  id: lineId(BATCH, number),
  name: "n",
  level: 20,
  message: "m",
  timestamp: number,
  flowRunId: RUN,
  taskRunId: null,
  ...changes,
});

const again = (lines: readonly LogLine[]): LogLine[] => {
  const pieces = packLines(lines);
  assert(pieces.every(({ length }) => length <= CHUNK_BYTES));
  return linesOf(unpackColumns(pieces), lines[0]!.flowRunId, () => true);
};

Deno.test("packed lines come back as they were: all fields, odd texts, mixed batches, far times", () => {
  const lines = [
    line(3),
    line(1, { level: -5, name: "", message: "" }),
    line(0xfffffe, {
      id: lineId(OTHER, 0xfffffe),
      taskRunId: TASK,
      message: `"\\\n\0\u2028\ud800 日本 \u{1f600}`,
    }),
    line(4, { name: TASK, timestamp: 1_795_470_172_250_434 }),
  ];
  assertEquals(again(lines), lines);
  assertEquals(again([line(7)]), [line(7)]);
  // Beyond what a difference of two numbers can say exactly.
  const far = [-62_135_596_800e6, -9_007_199_254_740_991, 1, 9_007_199_254_740_991, 253_402_300_799e6];
  assertEquals(
    again(far.map((timestamp, i) => line(i, { timestamp }))).map(({ timestamp }) => timestamp),
    far,
  );
});

Deno.test("what cannot be packed is cut into pieces that fit into a value", () => {
  const noise = Array.from(
    { length: 20 },
    () => crypto.getRandomValues(new Uint8Array(50_000)).toBase64(),
  ).join("");
  const lines = [line(1), line(2, { message: noise }), line(3)];
  assertEquals(again(lines), lines);
  assert(packLines(lines).length > 10);
});

Deno.test("lineId() grows with the number and stays below the next batch", () => {
  const ids = [lineId(BATCH, 0), lineId(BATCH, 1), lineId(BATCH, 0xffffff), lineId(OTHER, 0)];
  assertEquals(ids.toSorted(), ids);
  assertEquals(new Set(ids.map(({ length }) => length)), new Set([36]));
});
