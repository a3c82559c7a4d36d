/** The server as a process: starting, refusing to start, stopping. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Started, startServer } from "./started.ts";

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
  Deno.test(`the server ends on ${signal} with 0, and answers an open long poll first`, async () => {
    await using server = await startServer(":memory:");
    await server.api.workPools.create({ name: "p" });
    const { sessions } = await server.api.agents.create({ name: "a", host: "h", version: "1", pools: ["p"] });
    const claim = server.api.workPools.claim("p", { session: sessions[0]!.id, claim_id: "1", wait: 20 });
    await new Promise((resolve) => setTimeout(resolve, 100));
    const started = performance.now();
    const code = server.process.end(signal);
    assertEquals((await claim).grants, []);
    assertEquals(await code, 0);
    assert(performance.now() - started < 3_000, "it took too long");
  });
}

Deno.test("a second server on the same KV file refuses, names the first, and state outlives a kill -9", async () => {
  const folder = await Deno.makeTempDir();
  const kv = `${folder}/made/on/the/way/kv.sqlite3`;
  await using first = await startServer(kv);
  await first.api.workPools.create({ name: "kept" });
  await using second = new Started("main.ts", ["--port", "0", "--kv", kv]);
  assertEquals(await second.ended(), 1);
  assertMatch(
    second.output,
    new RegExp(`in use by another server \\(process ${first.process.pid} at http://127`),
  );
  assertEquals(second.output.trim().split("\n").length, 1, second.output);
  await first.process.end("SIGKILL");
  await using third = await startServer(kv);
  assertEquals((await third.api.workPools.get("kept")).name, "kept");
  await third.process.end("SIGTERM");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("what cannot start says why in one line", async () => {
  await using server = await startServer(":memory:");
  const port = new URL(server.url).port;
  const cases: [args: string[], code: number, says: string][] = [
    [["--port", port, "--kv", ":memory:"], 1, `Port ${port} of 127.0.0.1 is in use`],
    [["--port", "0", "--kv", "/proc/none/kv.sqlite3"], 1, "Cannot write /proc/none/kv.sqlite3"],
    [["--port", "0", "--kv", "http://127.0.0.1:9"], 1, "SLUICE_KV_ACCESS_TOKEN"],
    [["--prot", "0"], 2, "Unknown option '--prot'"],
  ];
  for (const [args, code, says] of cases) {
    await using process = new Started("main.ts", args);
    assertEquals(await process.ended(), code, process.output);
    assertStringIncludes(process.output, says);
    assertEquals(process.output.trim().split("\n").length, 1, process.output);
  }
  await server.process.end("SIGTERM");
});
