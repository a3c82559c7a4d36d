import { assert, assertEquals, assertThrows } from "@std/assert";
import { Page, PageBrokenError } from "../../src/kv/pages/page.ts";
import { MAX_PAGE_BYTES, MAX_PAGE_ROWS, PageBuilder } from "../../src/kv/pages/page_builder.ts";
import { createdMs, LONGEST_WORD_BYTES, toPageRow, utf8Bytes } from "../../src/kv/pages/page_row.ts";
import { aliveRows, emptyZone, withDead, withRow } from "../../src/kv/pages/zones.ts";
import { ASK_RECORD, type RunRow } from "../../src/schemas/run_row.ts";
import { ODD_TEXTS, uuidOf } from "../testing/run_writer.ts";

const row = (n: number, changes: Partial<RunRow> = {}): RunRow => ({
  id: `01a20d10-${String(n).padStart(4, "0")}-7000-8000-00000000000a`,
  type: "COMPLETED",
  stateName: "Completed",
  name: `run ${n}`,
  tags: ["a"],
  flow: uuidOf("f", 0),
  deployment: null,
  pool: uuidOf("a", n % 2),
  queue: null,
  parent: null,
  expected: 1_795_435_200_123_456,
  next: null,
  start: null,
  end: 1_795_435_200_999_999,
  runningSince: null,
  totalRunTime: 5,
  flowVersion: null,
  idempotencyKey: null,
  createdBy: null,
  ...changes,
});

function pageOf(rows: readonly RunRow[]): Page {
  const builder = new PageBuilder();
  for (const one of rows) assert(builder.add(toPageRow(one)));
  return new Page(builder.encode());
}

const allOf = (page: Page) => page.rows(Array.from({ length: page.n }, (_, i) => i));

Deno.test("Page reads what PageBuilder wrote: odd texts, absent times, more than 256 different words", () => {
  const rows = [
    ...ODD_TEXTS.slice(0, -1).map((name, n) => row(n, { name, stateName: name, tags: [name, "b"] })),
    row(50, { expected: null, end: null, runningSince: 7, type: "RUNNING" }),
    row(51, {
      end: null,
      type: "SCHEDULED",
      next: 3,
      start: 2,
      parent: uuidOf("c", 1),
      deployment: uuidOf("d", 2),
    }),
    ...Array.from({ length: 300 }, (_, n) => row(100 + n)),
  ];
  const page = pageOf(rows);
  assertEquals(allOf(page), rows.map((one) => toPageRow(one)));
  assertEquals(rows.map((_, i) => page.createdMs(i)), rows.map(({ id }) => createdMs(id)));
  const bytes = new PageBuilder(MAX_PAGE_ROWS, page, page.n).encode();
  assertEquals(allOf(new Page(bytes)), allOf(page));
  assertEquals(new PageBuilder(MAX_PAGE_ROWS, page, 3).n, 3);
});

Deno.test("toPageRow() leaves long words to the record, counted in bytes", () => {
  const cjk = "走".repeat(LONGEST_WORD_BYTES / 3 + 1);
  const tags = Array.from({ length: 1_000 }, (_, i) => `tag ${i} ${"走".repeat(10)}`);
  const { name, stateName, tags: kept } = toPageRow(row(1, { name: cjk, stateName: "a".repeat(510), tags }));
  assertEquals([name, stateName, kept], [ASK_RECORD, "a".repeat(510), ASK_RECORD]);
  for (const text of [...ODD_TEXTS, cjk].map((odd) => JSON.stringify(odd))) {
    assertEquals(utf8Bytes(text), new TextEncoder().encode(text).length, text);
  }
});

Deno.test("PageBuilder never exceeds what KV takes as a value, and takes a row of any kind", () => {
  const builder = new PageBuilder();
  let n = 0;
  const odd = (n: number) =>
    toPageRow(row(n, { name: `${n}${"走".repeat(160)}`, tags: [`${n} "`.repeat(60)] }));
  while (builder.add(odd(n))) n++;
  const bytes = builder.encode();
  assert(n > 50 && n < MAX_PAGE_ROWS, `${n} rows`);
  assert(
    bytes.length <= builder.bytes && builder.bytes <= MAX_PAGE_BYTES,
    `${bytes.length} of ${builder.bytes} bytes`,
  );
  assertEquals(new Page(bytes).n, n);
});

Deno.test("Page refuses bytes that are no page", () => {
  const bytes = new PageBuilder();
  bytes.add(toPageRow(row(1)));
  const good = bytes.encode();
  for (let length = 0; length < good.length; length += 3) {
    assertThrows(() => new Page(good.slice(0, length)).entries("tags"), PageBrokenError);
  }
  const otherVersion = good.slice();
  otherVersion[0] = 99;
  assertThrows(() => new Page(otherVersion), PageBrokenError);
});

Deno.test("zones count what is alive and span what ever was there", () => {
  let zone = emptyZone("E");
  for (let n = 0; n < 20; n++) zone = withRow(zone, toPageRow(row(n, { expected: 100 - n, end: null })));
  assertEquals([zone.n, zone.alive, zone.counts[3]], [20, 20, 20]);
  assertEquals(zone.expected, { min: 81, max: 100, hasNull: false });
  assertEquals([zone.end.hasNull, zone.end.min], [true, Infinity]);
  const after = withDead(withDead(zone, 0, 3), 19, 3);
  assertEquals([after.alive, after.counts[3], aliveRows(after).length], [18, 18, 18]);
  assertEquals(aliveRows(zone).length, 20);
  for (let n = 0; n < 20; n++) zone = withRow(zone, toPageRow(row(n, { stateName: `s${n}` })));
  assertEquals([zone.stateNames, zone.deployments], [null, [null]]);
});
