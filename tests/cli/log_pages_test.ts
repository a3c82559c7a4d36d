import { assertEquals } from "@std/assert";
import type { Api } from "../../src/client/api.ts";
import { lastLines, LOG_START, logPages, type LogPlace, placeBehindLast } from "../../src/cli/log_pages.ts";
import { StartedApp } from "../routes/started_app.ts";

const RUN = "00000000-0000-4000-8000-000000000001";
const at = (second: number) => `2026-11-23T12:00:${String(second).padStart(2, "0")}Z`;
const lines = (second: number, ...messages: string[]) =>
  messages.map((message) => ({
    name: "n",
    level: 20,
    message,
    timestamp: at(second),
    flow_run_id: RUN,
  }));

async function read(api: Api, place: LogPlace): Promise<{ messages: string[]; place: LogPlace }> {
  const messages: string[] = [];
  for await (const { page, next } of logPages(api, { run: RUN }, place)) {
    messages.push(...page.map(({ message }) => message));
    place = next;
  }
  return { messages, place };
}

Deno.test("logPages() reads all, also when a time has more lines than a page", async () => {
  await using app = await StartedApp.start();
  const many = Array.from({ length: 950 }, (_, i) => `${i}`);
  await app.api.logs.create(lines(1, ...many));
  await app.api.logs.create(lines(2, "end"));
  assertEquals((await read(app.api, LOG_START)).messages, [...many, "end"]);
});

Deno.test("logPages() goes on behind a place without losing or repeating a line of the same time", async () => {
  await using app = await StartedApp.start();
  const seen: string[][] = [];
  let place = LOG_START;
  const steps = [
    lines(1, "a"),
    [],
    lines(1, "b", "c"),
    lines(1, "d"),
    lines(2, "e"),
    [],
    lines(2, "f"),
    lines(3, "g"),
  ];
  for (const step of steps) {
    if (step.length > 0) await app.api.logs.create(step);
    const { messages, place: next } = await read(app.api, place);
    place = next;
    seen.push(messages);
  }
  assertEquals(seen, [["a"], [], ["b", "c"], ["d"], ["e"], [], ["f"], ["g"]]);
});

Deno.test("placeBehindLast() is behind all lines of the last time, however few of them were read", async () => {
  await using app = await StartedApp.start();
  await app.api.logs.create(lines(1, "a", "b"));
  await app.api.logs.create(lines(2, "c", "d", "e"));
  for (const count of [1, 2, 3, 4, 9]) {
    const last = await lastLines(app.api, { run: RUN }, count);
    assertEquals(last.map(({ message }) => message), ["a", "b", "c", "d", "e"].slice(-count));
    const place = await placeBehindLast(app.api, { run: RUN }, last);
    assertEquals([place.time?.slice(0, 19), place.lines], ["2026-11-23T12:00:02", 3], `${count}`);
    assertEquals((await read(app.api, place)).messages, []);
  }
});
