import { assertEquals } from "@std/assert";
import { buildLog, LOG_LEVELS, type LogFormat, type LogLevel } from "../../src/runtime/log.ts";

function written(
  options: { level?: LogLevel; format?: LogFormat },
  say: (log: ReturnType<typeof buildLog>) => void,
): string[] {
  const lines: string[] = [];
  say(buildLog({
    level: options.level ?? "debug",
    format: options.format ?? "text",
    time: () => "2026-11-23T12:00:00.123Z",
    write: (line) => lines.push(line),
  }));
  return lines;
}

Deno.test("buildLog() text is time, level, message and the fields", () => {
  assertEquals(
    written({}, (log) => {
      log.info("Listening.");
      log.warn("The commit took long.", { pool: "p", ms: 44 });
    }),
    ["12:00:00 info Listening.", "12:00:00 warn The commit took long. pool=p ms=44"],
  );
});

Deno.test("buildLog() json is one object a line", () => {
  const [line] = written({ format: "json" }, (log) => log.error("No.", { pool: "p", ms: 44 }));
  assertEquals(JSON.parse(line ?? ""), {
    time: "2026-11-23T12:00:00.123Z",
    level: "error",
    message: "No.",
    pool: "p",
    ms: 44,
  });
});

Deno.test("buildLog() writes errors as name and message", () => {
  const say = (log: ReturnType<typeof buildLog>) => log.error("Failed.", { error: new TypeError("bad key") });
  assertEquals(written({}, say), ["12:00:00 error Failed. error=TypeError: bad key"]);
  assertEquals(JSON.parse(written({ format: "json" }, say)[0] ?? "").error, "TypeError: bad key");
});

for (const [at, level] of LOG_LEVELS.entries()) {
  Deno.test(`buildLog() of level ${level} leaves out what is less severe`, () => {
    const lines = written({ level }, (log) => LOG_LEVELS.forEach((each) => log[each]("x")));
    assertEquals(lines, LOG_LEVELS.slice(0, at + 1).map((each) => `12:00:00 ${each} x`));
  });
}

Deno.test("buildLog() json keeps a message and fields with newlines on one line", () => {
  const lines = written({ format: "json" }, (log) => log.info("two\nlines", { output: "a\r\nb" }));
  assertEquals(lines.map((line) => /[\r\n]/.test(line)), [false]);
});
