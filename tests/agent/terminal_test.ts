import { assertEquals } from "@std/assert";
import { Terminal } from "../../src/agent/terminal.ts";
import { systemClock } from "../../src/runtime/clock.ts";

/** A file with this text, which is gone afterwards. */
async function withFile(text: string, body: (file: string) => Promise<void>): Promise<void> {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, text);
  await body(file);
  await Deno.remove(file).catch(() => {});
}

const ENDED = AbortSignal.abort();

Deno.test("Terminal.show() writes whole lines behind the run's name, one text at a time", () =>
  withFile("one\ntwo\n".repeat(2_000), async (file) => {
    const texts: string[] = [];
    let isWriting = false;
    const terminal = new Terminal(async (text) => {
      assertEquals(isWriting, false);
      isWriting = true;
      await systemClock.sleep(1);
      isWriting = false;
      texts.push(text);
    }, systemClock);
    terminal.show("a", file, ENDED);
    terminal.show("b", file, ENDED);
    await terminal.close();
    assertEquals(texts.every((text) => /^((a|b) \| (one|two)\n)+$/.test(text)), true);
    const of = (name: string) => texts.join("").split("\n").filter((line) => line.startsWith(name));
    for (const name of ["a", "b"]) {
      assertEquals(of(name), Array.from({ length: 4_000 }, (_, i) => `${name} | ${i % 2 ? "two" : "one"}`));
    }
  }));

Deno.test("Terminal.show() goes on with a file that is removed meanwhile, and is content with none", () =>
  withFile("kept\n", async (file) => {
    let text = "";
    const terminal = new Terminal((more) => Promise.resolve(void (text += more)), systemClock);
    terminal.show("a", file, ENDED);
    terminal.show("b", `${file}-of-nobody`, ENDED);
    await Deno.remove(file);
    await terminal.close();
    assertEquals(text, "a | kept\n");
  }));

Deno.test("Terminal.close() waits a second for a terminal that takes nothing, then lets go of all files", () =>
  withFile("a\n".repeat(5_000), async (file) => {
    let writes = 0;
    const terminal = new Terminal(() => {
      writes++;
      return new Promise(() => {});
    }, systemClock);
    terminal.show("a", file, new AbortController().signal);
    terminal.show("b", file, ENDED);
    await terminal.close();
    assertEquals(writes, 1);
  }));
