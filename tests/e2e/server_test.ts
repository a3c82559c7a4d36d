/** The server as a process: starting, refusing to start, stopping, clients that go away. */
import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { Started, type StartedServer, startServer, until } from "./started.ts";

/** A pool with an agent's session. */
async function withAgent({ api }: StartedServer): Promise<{ agent: string; session: string }> {
  await api.workPools.create({ name: "p", type: "process" });
  const { id, sessions } = await api.agents.create({ name: "a", host: "h", version: "1", pools: ["p"] });
  return { agent: id, session: sessions[0]!.id };
}

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
  Deno.test(`the server ends on ${signal} with 0, and answers open long polls first`, async () => {
    await using server = await startServer(":memory:");
    const { api, process } = server;
    const { agent, session } = await withAgent(server);
    const polls = Promise.all([
      api.workPools.claim("p", { session, claim_id: "1", wait: 20 }),
      api.agents.heartbeat(agent, { sessions: [session], wait: 20 }),
    ]);
    // A claim that has arrived makes its pool ready.
    await until(async () => (await api.workPools.get("p")).status === "READY");
    const started = performance.now();
    const code = process.end(signal);
    const [claim, beat] = await polls;
    assertEquals([claim.grants, beat.sessions], [[], [{ id: session, state: "live" }]]);
    assert(performance.now() - started < 2_000, "the answers took too long");
    assertEquals(await code, 0);
    assert(performance.now() - started < 3_000, "the end took too long");
    await assertRejects(() => api.health(), Error, "No answer");
  });
}

Deno.test("a second server on the same KV file refuses, names the first, and state outlives a kill -9", async () => {
  const folder = await Deno.makeTempDir();
  const kv = `${folder}/made/on/the/way/kv.sqlite3`;
  await using first = await startServer(kv);
  const { agent, session } = await withAgent(first);
  const flow = await first.api.flows.create({ name: "f" });
  const { id } = await first.api.deployments.create({ name: "d", flow_id: flow.id, work_pool_name: "p" });
  const run = await first.api.deployments.run(id, { parameters: { day: 1 } });
  const { grants: [grant] } = await first.api.workPools.claim("p", { session, claim_id: "1" });
  await using second = new Started("main.ts", ["--port", "0", "--kv", kv]);
  assertEquals(await second.ended(), 1);
  assertMatch(
    second.output,
    new RegExp(`in use by another server \\(process ${first.process.pid} at http://127`),
  );
  assertEquals(second.output.trim().split("\n").length, 1, second.output);
  await first.process.end("SIGKILL");
  await using third = await startServer(kv);
  const beat = await third.api.agents.heartbeat(agent, {
    sessions: [session],
    runs: [{ id: run.id, token: grant!.token }],
  });
  assertEquals(beat.runs, [{ id: run.id, action: "keep", state_type: "PENDING", listed: true }]);
  assertEquals((await third.api.workPools.get("p")).active_slots, 1);
  const reported = await third.api.flowRuns.setState(run.id, { state: { type: "RUNNING" } }, grant!.token);
  assertEquals(reported.status, "ACCEPT");
  assertEquals((await third.api.flowRuns.get(run.id)).parameters, { day: 1 });
  await third.process.end("SIGTERM");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("what cannot start says why in one line", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/text`, "this is no database ".repeat(1_000));
  await using server = await startServer(":memory:");
  const port = new URL(server.url).port;
  const memory = ["--kv", ":memory:"];
  const cases: [args: string[], code: number, says: string][] = [
    [["--port", port, ...memory], 1, `Port ${port} of 127.0.0.1 is in use`],
    [
      ["--port", "0", "--host", "no-such-host.invalid", ...memory],
      1,
      "Cannot listen on no-such-host.invalid",
    ],
    [["--port", "0", "--kv", "/proc/none/kv.sqlite3"], 1, "Cannot write /proc/none/kv.sqlite3"],
    [["--port", "0", "--kv", folder], 1, `Cannot open the KV at ${folder}`],
    [["--port", "0", "--kv", `${folder}/text`], 1, `Cannot open the KV at ${folder}/text`],
    [["--port", "0", "--kv", "http://127.0.0.1:9"], 1, "SLUICE_KV_ACCESS_TOKEN"],
    [["--prot", "0"], 2, "Unknown option '--prot'"],
    [["--port", "x"], 2, "--port: 'x' is not allowed"],
  ];
  for (const [args, code, says] of cases) {
    await using process = new Started("main.ts", args);
    assertEquals(await process.ended(), code, process.output);
    assertStringIncludes(process.output, says);
    assertEquals(process.output.trim().split("\n").length, 1, process.output);
  }
  await server.process.end("SIGTERM");
  await Deno.remove(folder, { recursive: true });
  await Deno.remove(`${folder}.owner`);
});

Deno.test("the access token of the KV is never printed", async () => {
  const secret = "sluice-test-secret";
  const env = { SLUICE_KV_ACCESS_TOKEN: secret, SLUICE_LOG_LEVEL: "debug", SLUICE_LOG_FORMAT: "json" };
  await using server = new Started("main.ts", ["--port", "0", "--kv", ":memory:"], env);
  await server.said(/Listening.*\n/);
  await server.end("SIGTERM");
  assertStringIncludes(server.output, '"kvToken":"set"');
  await using unreachable = new Started("main.ts", ["--port", "0", "--kv", "http://127.0.0.1:9"], env);
  assertEquals(await unreachable.ended(), 1);
  await using help = new Started("main.ts", ["--help"], env);
  assertEquals(await help.ended(), 0);
  for (const { output } of [server, unreachable, help]) assert(!output.includes(secret), output);
});

Deno.test("nothing is granted to a client that has gone", async () => {
  await using server = await startServer(":memory:");
  const { api } = server;
  const { session } = await withAgent(server);
  const gone = new AbortController();
  const claim = (claim_id: string, signal?: AbortSignal) =>
    api.workPools.claim("p", { session, claim_id, wait: 10 }, signal ? { signal } : {});
  const lost = claim("lost", gone.signal);
  await until(async () => (await api.workPools.get("p")).status === "READY");
  gone.abort();
  await assertRejects(() => lost);
  const flow = await api.flows.create({ name: "f" });
  const { id } = await api.deployments.create({ name: "d", flow_id: flow.id, work_pool_name: "p" });
  // Due later: by then the server knows that the first client, whose turn it would be, has gone.
  const scheduled_time = new Date(Date.now() + 500).toISOString();
  const run = await api.deployments.run(id, {
    state: { type: "SCHEDULED", state_details: { scheduled_time } },
  });
  assertEquals((await claim("live")).grants.map(({ flow_run }) => flow_run.id), [run.id]);
  await server.process.end("SIGTERM");
});

Deno.test("a body that does not say its length is refused at the limit, and the server goes on", async () => {
  await using server = await startServer(":memory:", ["--max-body-bytes", "2000"]);
  const send = (bytes: number) =>
    fetch(`${server.url}/flows/`, {
      method: "POST",
      body: ReadableStream.from([`{"name":"${"x".repeat(bytes)}"}`]).pipeThrough(new TextEncoderStream()),
    });
  for (const [bytes, status] of [[100, 201], [3_000, 413], [101, 201]] as const) {
    const response = await send(bytes);
    assertEquals([response.status, (await response.text()).startsWith("{")], [status, true]);
  }
  await server.process.end("SIGTERM");
});
