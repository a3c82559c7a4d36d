/** Where an agent finds its server, with real processes. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Api } from "../../src/client/api.ts";
import { allEnded, deploy } from "./deployed.ts";
import { Started, startServer, until } from "./started.ts";

/** What an agent has for itself, with a store that no other test uses. */
const own = (folder: string, env: Record<string, string> = {}) => ({
  SLUICE_AGENT_DIR: `${folder}/runs`,
  SLUICE_KV: `${folder}/state/kv.sqlite3`,
  SLUICE_PORT: "0",
  ...env,
});
const START = ["start", "-p", "p", "--hide-welcome"];

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("an agent that is told of no server starts one, says so, and ends it with itself", () =>
  inFolder(async (folder) => {
    await using agent = new Started("agent.ts", [...START, "--stream-output"], own(folder));
    const [, url] = (await agent.said(/ephemeral API\.\n +(http:\S+\/api) over \S+kv\.sqlite3/))!;
    await agent.said(/Agent started/);
    const server = { api: new Api({ url: url! }) };
    const { id } = await deploy(server, { name: "hello", command: "echo hello", pool: "p" });
    const run = await server.api.deployments.run(id);
    await until(() => allEnded(server, 1));
    assertEquals((await server.api.flowRuns.get(run.id)).state_type, "COMPLETED");
    assertEquals((await server.api.logs.list()).map(({ message }) => message), ["hello"]);
    assertMatch(agent.output, /^[a-z]+-[a-z]+ \| hello$/m);
    assertEquals(await agent.end("SIGTERM"), 0);
    assertEquals(await server.api.health().catch(() => "gone"), "gone");
    await using next = await startServer(`${folder}/state/kv.sqlite3`);
    assertEquals((await next.api.flowRuns.list()).length, 1);
  }));

Deno.test("an agent that is told of no server uses the one that has the default store, and names it", () =>
  inFolder(async (folder) => {
    await using server = await startServer(`${folder}/state/kv.sqlite3`);
    await using agent = new Started("agent.ts", [...START, "--run-once"], own(folder));
    assertEquals(await agent.ended(), 0);
    assertStringIncludes(agent.output, `process ${server.process.pid} at ${server.url.replace("/api", "")}`);
    assertStringIncludes(agent.output, `--api ${server.url}, or SLUICE_API_URL=${server.url}`);
    assertEquals((await server.api.workPools.get("p")).name, "p");
  }));

Deno.test("an ephemeral API listens elsewhere when its port is taken", () =>
  inFolder(async (folder) => {
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const port = String(taken.addr.port);
    await using agent = new Started("agent.ts", START, own(folder, { SLUICE_PORT: port }));
    const [, other] = (await agent.said(/http:\/\/127\.0\.0\.1:(\d+)\/api over/))!;
    assertEquals(other === port, false);
    await agent.said(/Agent started/);
    assertEquals(await agent.end("SIGTERM"), 0);
  }));

Deno.test("an agent takes its server from the active profile", () =>
  inFolder(async (folder) => {
    await using server = await startServer(":memory:");
    const SLUICE_PROFILES_PATH = `${folder}/profiles.json`;
    const write = (text: string) => Deno.writeTextFile(SLUICE_PROFILES_PATH, text);
    await write(JSON.stringify({ active: "here", profiles: { here: { SLUICE_API_URL: server.url } } }));
    await using agent = new Started(
      "agent.ts",
      [...START, "--run-once"],
      own(folder, { SLUICE_PROFILES_PATH }),
    );
    assertEquals(await agent.ended(), 0);
    assertEquals((await server.api.workPools.get("p")).name, "p");
    await write("no profiles");
    await using broken = new Started("agent.ts", START, own(folder, { SLUICE_PROFILES_PATH }));
    assertEquals(await broken.ended(), 1);
    await using help = new Started("agent.ts", ["--help"], own(folder, { SLUICE_PROFILES_PATH }));
    assertEquals(await help.ended(), 0);
    assertMatch(broken.output, /^\S+profiles\.json holds no profiles: .*Repair it, or remove it\.\n$/);
  }));

Deno.test("an agent that is told of nothing to pull from ends with one line and code 2", async () => {
  await using agent = new Started("agent.ts", ["start"]);
  assertEquals(await agent.ended(), 2);
  assertEquals(
    agent.output,
    "Nothing to pull from: name a work pool (-p), a work queue (-q) or a prefix (-m).\n",
  );
});

Deno.test("an agent with --match takes runs of a queue that is made later, within seconds", () =>
  inFolder(async (folder) => {
    await using server = await startServer(":memory:");
    const args = ["start", "--api", server.url, "-m", "dev-", "-m", "test-", "-q", "one", "--hide-welcome"];
    await using agent = new Started("agent.ts", args, own(folder));
    await agent.said(/Looking for work from work queue 'one' and queues that start with 'dev-', 'test-'/);
    const pool = "default-agent-pool";
    for (const queue of ["prod-1", "dev-1", "test-1", "one"]) {
      const { id } = await deploy(server, { name: queue, command: "true", pool, queue });
      await server.api.deployments.run(id);
    }
    const began = performance.now();
    await until(() => allEnded(server, 3), 4);
    const waiting = await server.api.flowRuns.list({
      flow_runs: { state: { type: { any_: ["SCHEDULED"] } } },
    });
    assertEquals(waiting.map(({ work_queue_name }) => work_queue_name), ["prod-1"]);
    assertEquals(performance.now() - began < 4_000, true);
    assertEquals(await agent.end("SIGTERM"), 0);
  }));
