import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { CliError } from "../../src/cli/errors.ts";
import { Child } from "../../src/cli/quickstart/child.ts";
import { systemClock } from "../../src/runtime/clock.ts";

const never = new AbortController().signal;

function start(script: string) {
  const lines: string[] = [];
  const child = new Child({
    name: "server",
    command: ["sh", "-c", script],
    env: {},
    readyLine: /^ready (\S+)/,
    onLine: (line) => lines.push(line),
    clock: systemClock,
  });
  return { child, lines };
}

Deno.test("Child is ready with the line that says so, and hands on what it wrote before", async () => {
  const { child, lines } = start("echo early; echo ready http://x; cat <&- ; exec sleep 60");
  assertEquals(await child.ready, "http://x");
  assertEquals(lines.slice(0, 2), ["early", "ready http://x"]);
  await child.stop(never);
  assertEquals(child.isRunning, false);
});

Deno.test("Child that ends before it is ready rejects with its last words, which are shown once", async () => {
  const { child, lines } = start("echo Port 4200 is in use. >&2; exit 1");
  const error = await assertRejects(() => child.ready, CliError);
  assertStringIncludes(error.message, "The server did not start: Port 4200 is in use.");
  assertEquals(lines, []);
  assertEquals(await child.ended, 1);
  await child.stop(never);
});

Deno.test("Child.stop() sends a second signal without waiting when it has to hasten", async () => {
  const script = `trap 'exit 7' INT; n=0; trap 'n=$((n+1)); [ $n = 2 ] && exit 5' TERM
    echo ready x; while :; do sleep 0.05; done`;
  const { child } = start(script);
  await child.ready;
  const hasten = new AbortController();
  const began = performance.now();
  const stopped = child.stop(hasten.signal);
  await systemClock.sleep(300); // long enough for the first signal to be handled alone
  hasten.abort();
  await stopped;
  assertEquals(await child.ended, 5);
  assertEquals(performance.now() - began < 2_500, true);
});

Deno.test("quickstart --once runs three runs with real processes and leaves nothing behind", async () => {
  const temporary = await Deno.makeTempDir();
  try {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "cli.ts", "quickstart", "--once", "--port", "0"],
      cwd: new URL("../..", import.meta.url),
      env: { TMPDIR: temporary, NO_COLOR: "1" },
    }).output();
    const out = new TextDecoder().decode(stdout);
    assertEquals([code, new TextDecoder().decode(stderr)], [0, ""], out);
    assertEquals(out.match(/Completed after/g)?.length, 3);
    assertMatch(out, /server │ Sluice [\d.]+ listens on http:\/\/127\.0\.0\.1:\d+\n/);
    assertMatch(out, /│ my-pool │ .* │ +3 │ READY +│ +0 │ +1 │/);
    assertEquals([...Deno.readDirSync(temporary)], []);
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
});
