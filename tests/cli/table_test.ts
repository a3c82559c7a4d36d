import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { buildStyle } from "../../src/cli/screen/style.ts";
import { ID_COLUMN, renderTable, type Table } from "../../src/cli/screen/table.ts";
import { printable, truncate, widthOf } from "../../src/cli/screen/text.ts";
import type { CommandContext } from "../../src/cli/context.ts";
import { duration, relativeTime, timeText } from "../../src/cli/screen/times.ts";
import { describe, limitText } from "../../src/cli/screen/values.ts";
import { parseInstant } from "../../src/schemas/wire.ts";

const plain = buildStyle(false);
const table: Table = {
  title: "Work pools",
  columns: [{ header: "Name" }, { header: "ID", align: "right" }, {
    header: "Concurrency Limit",
    align: "right",
  }],
  rows: [
    [{ text: "日本プール", mark: " (**)" }, "01a20cf9-c29d-7435-ab3f-4d224ebdb168", "0"],
    ["👩‍👩‍👧 family", "x", "None"],
    ["plain", "y", "12"],
  ],
  caption: "(**) denotes a paused pool",
};

Deno.test("renderTable() draws heavy bars around the header and light ones around the rows", () => {
  assertEquals(renderTable({ ...table, rows: [["a", "1", "3"]] }, 120, plain), [
    "           Work pools",
    "┏━━━━━━┳━━━━┳━━━━━━━━━━━━━━━━━━━┓",
    "┃ Name ┃ ID ┃ Concurrency Limit ┃",
    "┡━━━━━━╇━━━━╇━━━━━━━━━━━━━━━━━━━┩",
    "│ a    │  1 │                 3 │",
    "└──────┴────┴───────────────────┘",
    "   (**) denotes a paused pool",
  ]);
});

Deno.test("renderTable() fits into every width, all its lines equally wide, wide characters included", () => {
  for (let width = 24; width <= 140; width++) {
    const lines = renderTable(table, width, plain).filter((line) => /^[┏┃┡│└]/.test(line));
    const widths = new Set(lines.map(widthOf));
    assertEquals(widths.size, 1, `at ${width}`);
    assert(Math.max(...widths) <= width, `${Math.max(...widths)} > ${width}`);
  }
});

Deno.test("renderTable() breaks headers before it cuts cells, and cuts the widest first", () => {
  const text = renderTable(table, 75, plain).join("\n");
  assertStringIncludes(text, "│ 01a20cf9-c29d-7435-ab3f-4d224ebdb168 │");
  assertStringIncludes(text, "┃ Concurrency ┃");
  const narrow = renderTable(table, 60, plain).join("\n");
  assertStringIncludes(narrow, "日本プール (**)");
  assertStringIncludes(narrow, "…");
});

Deno.test("renderTable() cuts what gives way before names, and keeps marks whatever is cut", () => {
  const columns = [{ header: "Name", min: 9 }, ID_COLUMN];
  const rows = [[{ text: "a-long-name", mark: " (**)" }, "01a20cf9-c29d-7435-ab3f-4d224ebdb168"]];
  const row = (width: number) => renderTable({ title: "T", columns, rows }, width, plain)[4];
  assertEquals(row(31), "│ a-long-name (**) │ 01a20cf… │");
  assertEquals(row(27), "│ a-long-name (**) │ 01a… │");
  assertEquals(row(21), "│ a-lo… (**) │ 01a… │");
  assertEquals(row(12), "│ a… │ 01… │"); // too narrow for any mark
});

Deno.test("renderTable() colours without moving anything", () => {
  const coloured = renderTable(
    { ...table, columns: table.columns.map((column) => ({ ...column, style: "green" })) },
    60,
    buildStyle(true),
  );
  // deno-lint-ignore no-control-regex
  assertEquals(coloured.map((line) => line.replace(/\x1b\[\d+m/g, "")), renderTable(table, 60, plain));
});

Deno.test("truncate() never cuts a character in half", () => {
  assertEquals(truncate("日本プール", 6), "日本…");
  assertEquals(truncate("日本", 4), "日本");
  assertEquals(truncate("👩‍👩‍👧👩‍👩‍👧", 3), "👩‍👩‍👧…");
  assertEquals(truncate("abc", 1), "…");
});

Deno.test("printable() shows control characters instead of obeying them", () => {
  assertEquals(printable("a\n\x1b[31mb\u0085c\u202e"), "a\\n\\u001b[31mb\\u0085c\\u202e");
  assertEquals(printable('日本 "quoted" \\'), '日本 "quoted" \\');
});

Deno.test("relativeTime() says how far a time is away", () => {
  const now = parseInstant("2026-11-23T12:00:00Z") ?? 0;
  const cases: [string | null, string][] = [
    ["2026-11-23T11:58:00Z", "2 minutes ago"],
    ["2026-11-23T11:59:59Z", "1 second ago"],
    ["2026-11-23T11:59:59.5Z", "now"],
    ["2026-11-23T15:00:00Z", "in 3 hours"],
    ["2026-11-23T12:09:59.9Z", "in 10 minutes"],
    ["2026-11-16T12:00:00Z", "1 week ago"],
    ["2020-11-23T12:00:00Z", "6 years ago"],
    [null, "never"],
  ];
  for (const [time, text] of cases) assertEquals(relativeTime(time, now), text);
});

Deno.test("timeText() is relative, with --verbose exact to the second", () => {
  const context = (isVerbose: boolean) =>
    ({
      isVerbose,
      world: { deps: { clock: { now: () => parseInstant("2026-11-23T12:00:00Z") } } },
    }) as unknown as CommandContext;
  const time = "2026-11-23T11:58:00.123456Z";
  assertEquals(timeText(context(false))(time), "1 minute ago");
  assertEquals(timeText(context(true))(time), "2026-11-23 11:58:00Z");
  assertEquals(timeText(context(true))("2026-11-23T11:58:00.1+01:00"), "2026-11-23 11:58:00+01:00");
});

Deno.test("duration() and limitText() read well", () => {
  assertEquals([0.04, 9.96, 59.6, 185, 7_800].map(duration), [
    "40 ms",
    "10.0 s",
    "1 min 0 s",
    "3 min 5 s",
    "2 h 10 min",
  ]);
  assertEquals([null, undefined, 0, 5].map(limitText), ["None", "None", "0", "5"]);
});

Deno.test("describe() shows all fields, times as distances, null as None", () => {
  const now = parseInstant("2026-11-23T12:00:00Z") ?? 0;
  const value = {
    created: "2026-11-23T11:58:00Z",
    name: "a\nb",
    limit: null,
    paused: true,
    template: { a: 1 },
  };
  assertEquals(describe("WorkPool", value, (time) => relativeTime(time, now)), [
    "WorkPool(",
    "    created='2 minutes ago',",
    "    name='a\\nb',",
    "    limit=None,",
    "    paused=True,",
    "    template={",
    '        "a": 1',
    "    },",
    ")",
  ]);
});

Deno.test("renderTable() leaves extra columns out where they would cost others their cells, the last one first", () => {
  const columns = [{ header: "Name" }, ID_COLUMN, { header: "Slots", isExtra: true }, {
    header: "Status",
    isExtra: true,
  }];
  const rows = [["some-name", "01a20cf9-c29d-7435-ab3f-4d224ebdb168", "3", "READY"]];
  const header = (width: number) =>
    renderTable({ title: "T", columns, rows }, width, plain)[2]?.replaceAll(/ +/g, " ");
  assertEquals(header(46), "┃ Name ┃ ID ┃ Slots ┃ Status ┃");
  assertEquals(header(45), "┃ Name ┃ ID ┃ Slots ┃");
  assertEquals(header(36), "┃ Name ┃ ID ┃");
});
