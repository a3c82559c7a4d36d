import { assertEquals } from "@std/assert";
import { LONGEST_LINE_BYTES, OutputTail, readLastLines } from "../../src/agent/output_tail.ts";

async function withFile(run: (path: string, append: (data: string | Uint8Array) => void) => Promise<void>) {
  const path = await Deno.makeTempFile();
  const append = (data: string | Uint8Array) =>
    Deno.writeFileSync(path, typeof data === "string" ? new TextEncoder().encode(data) : data, {
      append: true,
    });
  try {
    await run(path, append);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("OutputTail.read() hands out whole lines as the file grows, the last one at the end", () =>
  withFile(async (path, append) => {
    using tail = new OutputTail(path);
    assertEquals(await tail.read(false), []);
    append("one\n\ntw");
    assertEquals(await tail.read(false), ["one", ""]);
    append("o\nthree");
    assertEquals(await tail.read(false), ["two"]);
    assertEquals(await tail.read(false), []);
    assertEquals(await tail.read(true), ["three"]);
    assertEquals(await tail.read(true), []);
  }));

Deno.test("OutputTail.read() never splits a character, wherever the writer stopped", () =>
  withFile(async (path, append) => {
    using tail = new OutputTail(path);
    const bytes = new TextEncoder().encode("ä€🎉\n");
    const seen: string[] = [];
    for (const byte of bytes) {
      append(new Uint8Array([byte]));
      seen.push(...await tail.read(false));
    }
    assertEquals(seen, ["ä€🎉"]);
  }));

Deno.test("OutputTail.read() replaces NUL, control characters and bytes that are no UTF-8; colours stay", () =>
  withFile(async (path, append) => {
    using tail = new OutputTail(path);
    append(new Uint8Array([0x61, 0, 0xff, 0x07, 0x09, 0x62, 0x0d, 0x0a]));
    append("\u001b[31mred\u001b[0m\n10%\r20%\r\n");
    assertEquals(await tail.read(true), ["a\ufffd\ufffd\ufffd\tb", "\u001b[31mred\u001b[0m", "10%\r20%"]);
  }));

Deno.test("OutputTail.read() cuts long lines at characters, losing nothing", () =>
  withFile(async (path, append) => {
    const line = "x" + "€".repeat(60_000); // the cut falls inside a character
    append(`${line}\n${"y".repeat(LONGEST_LINE_BYTES)}\nend`);
    using tail = new OutputTail(path);
    const pieces: string[] = [];
    for (let batch = await tail.read(true); batch.length > 0; batch = await tail.read(true)) {
      pieces.push(...batch);
    }
    assertEquals(pieces.slice(0, 3).join(""), line);
    assertEquals(pieces.slice(3), ["y".repeat(LONGEST_LINE_BYTES), "end"]);
    const longest = Math.max(...pieces.map((piece) => new TextEncoder().encode(piece).length));
    assertEquals(longest, LONGEST_LINE_BYTES);
  }));

Deno.test("OutputTail.read() keeps to the limits of a batch and to the order, over 5 MB", () =>
  withFile(async (path, append) => {
    const lines = Array.from({ length: 50_000 }, (_, i) => `${i} ${"z".repeat(i % 190)}`);
    append(lines.join("\n"));
    using tail = new OutputTail(path);
    const seen: string[] = [];
    for (;;) {
      const batch = await tail.read(true);
      if (batch.length === 0) break;
      assertEquals(batch.length <= 1000 && JSON.stringify(batch).length <= 200_000, true);
      seen.push(...batch);
    }
    assertEquals(seen.length, lines.length);
    assertEquals(seen.every((line, i) => line === lines[i]), true);
  }));

Deno.test("readLastLines() shows the last lines that say something", () =>
  withFile(async (path, append) => {
    assertEquals(await readLastLines(path), []);
    append(`${"first\n".repeat(10_000)}a\n\n  \n${"b".repeat(600)}\nlast`);
    assertEquals(await readLastLines(path, 3), ["a", `${"b".repeat(500)}…`, "last"]);
    assertEquals((await readLastLines(path)).length, 10);
  }));
