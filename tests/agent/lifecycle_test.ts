import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parseInstant } from "../../src/schemas/wire.ts";
import { FakeServer } from "./fake_server.ts";
import { isAlive, StartedAgent } from "./started_agent.ts";

const types = (run: { history: { type: string }[] }) => run.history.map(({ type }) => type);

Deno.test("agentMain() creates what it names, in a line with the nearest existing name", async () => {
  await using server = new FakeServer().listen();
  await using agent = new StartedAgent(server, ["-p", "my-pol", "-q", "defalt"]);
  await server.until(() => agent.out.includes("Agent started"), "the agent starts");
  assertStringIncludes(agent.out, "Created work pool 'my-pol' (nearest existing name: 'my-pool').\n");
  assertStringIncludes(
    agent.out,
    "Created work queue 'defalt' in work pool 'my-pol' (nearest existing name: 'default').\n",
  );
  assertStringIncludes(agent.out, "Looking for work from work queue 'defalt' in work pool 'my-pol'...");
  assertEquals(server.callsTo(/^POST \/api\/work_pools\/$/)[0]!.body, {
    name: "my-pol",
    type: "prefect-agent",
  });
  const [agentCall] = server.callsTo(/agents$/);
  assertEquals([agentCall!.body.pools, agentCall!.body.queues], [["my-pol"], ["defalt"]]);
  assertMatch(String(agentCall!.body.name), /^test-host-[a-z]+-[a-z]+$/);
});

Deno.test("agentMain() refuses unknown names with --no-create, exit code 1", async () => {
  await using server = new FakeServer().listen();
  await using pool = new StartedAgent(server, ["-p", "my-pol", "--no-create"]);
  assertEquals([await pool.done, pool.out], [1, ""]);
  assertStringIncludes(pool.err, "There is no work pool 'my-pol' (nearest existing name: 'my-pool')");
  await using queue = new StartedAgent(server, ["-p", "my-pool", "-q", "x", "--no-create"]);
  assertEquals(await queue.done, 1);
  assertStringIncludes(queue.err, "There is no work queue 'x' in work pool 'my-pool' (nearest");
});

Deno.test("agentMain() answers --help and --version, and a wrong command line with exit code 2", async () => {
  await using server = new FakeServer().listen();
  await using help = new StartedAgent(server, ["--help"]);
  assertEquals(await help.done, 0);
  assertStringIncludes(help.out, "--work-queue");
  await using wrong = new StartedAgent(server, ["--limt", "3"]);
  assertEquals([await wrong.done, wrong.err], [
    2,
    "Unknown option --limt. Did you mean --limit? See --help.\n",
  ]);
  assertEquals(server.calls, []);
});

Deno.test("agentMain() with --run-once runs what is due now, and nothing else, then ends with 0", async () => {
  await using server = new FakeServer().listen();
  const due = server.addRun("sh -c 'echo ran; exit 1'");
  const later = server.addRun("true", { due: (Date.now() + 3000) * 1000 });
  await using agent = new StartedAgent(server, ["-p", "my-pool", "--run-once"]);
  assertEquals(await agent.done, 0);
  assertEquals([due.type, later.type], ["FAILED", "SCHEDULED"]);
  const [claim, ...more] = server.callsTo(/claim$/);
  assertEquals([claim!.body.wait, claim!.body.prefetch, more.length], [0, 0, 0]);
});

Deno.test("agentMain() waits for a server that is not up yet, says so once, and says when it is there", async () => {
  await using server = new FakeServer().listen();
  await server.down();
  const run = server.addRun("true");
  await using agent = new StartedAgent(server, ["-p", "my-pool"]);
  await server.until(() => agent.err.includes("Waiting for the server"), "the agent says that it waits");
  await new Promise((resolve) => setTimeout(resolve, 500)); // more tries, which must not say it again
  server.listen();
  await server.until(() => run.type === "COMPLETED", "the run completes");
  assertEquals(agent.err.split("Waiting for the server").length, 2);
  assertStringIncludes(agent.err, "is back");
});

Deno.test("agentMain() goes on with its runs while the server is away, and reports when it is back", async () => {
  await using server = new FakeServer().listen();
  const run = server.addRun("sh -c 'echo one; sleep 0.4; echo two'");
  await using agent = new StartedAgent(server, ["-p", "my-pool"]);
  await server.until(() => server.logs.length === 1, "the run is under way");
  await server.down();
  await server.until(() => agent.err.includes("Waiting for the server"), "the agent notices");
  await new Promise((resolve) => setTimeout(resolve, 500)); // the run ends meanwhile
  server.listen();
  await server.until(() => run.type === "COMPLETED", "the end is reported");
  assertEquals(server.logs.map(({ message }) => message), ["one", "two"]);
  assertEquals(server.agents.size, 1);
});

Deno.test("agentMain() registers again when its session has ended; old runs live until they are told to stop", async () => {
  await using server = new FakeServer().listen();
  const kept = server.addRun("sleep 2");
  const stopped = server.addRun("sh -c 'echo $$; sleep 60'");
  await using agent = new StartedAgent(server, ["-p", "my-pool"]);
  await server.until(() => server.logs.length === 1 && kept.type === "RUNNING", "both run");
  const [first] = server.callsTo(/heartbeat$/);
  server.ended.add((first!.body.sessions as string[])[0]!);
  server.change();
  await server.until(() => server.agents.size === 2, "the agent registers again");
  stopped.token = "somebody else's";
  const pid = Number(server.logs[0]!.message);
  await server.until(() => !isAlive(pid), "the stopped run's process is gone");
  const next = server.addRun("true");
  await server.until(() => next.type === "COMPLETED" && kept.type === "COMPLETED", "the others complete");
  assertStringIncludes(agent.err, "registering again");
});

Deno.test("agentMain() registers again when a claim is told that its session has ended", async () => {
  await using server = new FakeServer().listen();
  server.heartbeatSeconds = 20;
  const run = server.addRun("true");
  server.fault = ({ path }) =>
    path.endsWith("/claim") && server.agents.size === 1
      ? Response.json({ detail: "This session has ended" }, { status: 409 })
      : undefined;
  await using _agent = new StartedAgent(server, ["-p", "my-pool"]);
  await server.until(() => run.type === "COMPLETED", "the run completes");
  const sessions = new Set(server.callsTo(/claim$/).map(({ body }) => body.session));
  assertEquals([sessions.size, server.agents.size], [2, 2]);
});

Deno.test("agentMain() lets go of its runs when the server does not know it any more", async () => {
  await using server = new FakeServer().listen();
  server.addRun("sh -c 'echo $$; sleep 60'");
  await using _agent = new StartedAgent(server, ["-p", "my-pool"]);
  await server.until(() => server.logs.length === 1, "the run is under way");
  server.unknownAgents.add([...server.agents.keys()][0]!);
  const pid = Number(server.logs[0]!.message);
  await server.until(() => !isAlive(pid), "the process is gone");
  assertEquals(server.agents.size, 2);
});

Deno.test("agentMain() lists what it holds in its heartbeats, also a run claimed just now", async () => {
  await using server = new FakeServer().listen();
  server.heartbeatSeconds = 20;
  await using _agent = new StartedAgent(server, ["-p", "my-pool"]);
  await server.until(() => server.callsTo(/heartbeat$/).length === 1, "the first heartbeat waits");
  const run = server.addRun("sleep 60");
  const lists = () => JSON.stringify(server.callsTo(/heartbeat$/).at(-1)?.body.runs);
  await server.until(() => lists() === JSON.stringify([{ id: run.id, token: run.token }]), "it is listed");
  assertEquals(server.callsTo(/heartbeat$/)[0]!.body.wait, 20);
});

Deno.test("agentMain() at a stop signal claims no more, lets runs finish, and gives back what has not started", async () => {
  await using server = new FakeServer().listen();
  const running = server.addRun("sleep 0.5");
  const waiting = server.addRun("true", { due: (Date.now() + 5000) * 1000 });
  await using agent = new StartedAgent(server, ["-p", "my-pool", "--grace", "5"]);
  await server.until(() => running.type === "RUNNING" && waiting.type === "PENDING", "both are held");
  const folder = [...Deno.readDirSync(agent.directory)].length;
  server.isGranting = false;
  agent.stop.abort();
  const claims = server.callsTo(/claim$/).length;
  await server.until(() => waiting.type === "SCHEDULED", "the waiting run is given back");
  const late = server.addRun("true");
  assertEquals([await agent.done, folder], [0, 2]);
  assertEquals([types(running), types(waiting)], [["PENDING", "RUNNING", "COMPLETED"], [
    "PENDING",
    "SCHEDULED",
  ]]);
  const [back] = server.callsTo(/set_state$/).filter(({ body }) =>
    (body.state as { type: string }).type === "SCHEDULED"
  );
  const details = (back!.body.state as { state_details: { scheduled_time: string } }).state_details;
  assertEquals(Math.abs(Date.parse(details.scheduled_time) - waiting.due / 1000) < 2, true);
  assertEquals([late.type, server.callsTo(/claim$/).length], ["SCHEDULED", claims]);
});

Deno.test("agentMain() says goodbye once everything was reported, and ends all the same when nobody listens", async () => {
  await using server = new FakeServer().listen();
  const run = server.addRun("sleep 0.2");
  await using agent = new StartedAgent(server, ["-p", "my-pool", "--grace", "5"]);
  await server.until(() => run.type === "RUNNING", "the run is under way");
  agent.stop.abort();
  assertEquals(await agent.done, 0);
  assertEquals(server.left, [...server.agents.keys()]);
  assertEquals(server.calls.at(-1)!.method, "DELETE");
  server.fault = ({ method }) => method === "DELETE" ? new Response("", { status: 503 }) : undefined;
  await using unheard = new StartedAgent(server, ["-p", "my-pool", "--run-once"]);
  assertEquals([await unheard.done, server.left.length], [0, 1]);
});

Deno.test("agentMain() ends what outlives the grace, and reports it as CRASHED", async () => {
  await using server = new FakeServer().listen();
  const run = server.addRun("sh -c 'echo $$; sleep 60'");
  await using agent = new StartedAgent(server, ["-p", "my-pool", "--grace", "0.1"]);
  await server.until(() => server.logs.length === 1, "the run is under way");
  agent.stop.abort();
  assertEquals(await agent.done, 0);
  assertEquals(run.type, "CRASHED");
  assertStringIncludes(run.message ?? "", "The agent was stopped");
  assert(!isAlive(Number(server.logs[0]!.message)));
});

Deno.test("agentMain() at a second signal does not wait for the graces", async () => {
  await using server = new FakeServer().listen();
  const run = server.addRun(`sh -c 'trap "" TERM; echo $$; while :; do sleep 0.1; done'`);
  await using agent = new StartedAgent(server, ["-p", "my-pool", "--grace", "60", "--cancel-grace", "60"]);
  await server.until(() => server.logs.length === 1, "the run is under way");
  agent.stop.abort();
  agent.hasten.abort();
  assertEquals(await agent.done, 0);
  assertEquals(run.type, "CRASHED");
  assert(!isAlive(Number(server.logs[0]!.message)));
});

Deno.test("agentMain() ships 5 MB in order to a slow server, all of it before the end is reported", async () => {
  await using server = new FakeServer().listen();
  const run = server.addRun(
    `sh -c 'i=0; while [ $i -lt 25000 ]; do printf "%s %0190d\\n" $i 0; i=$((i+1)); done; printf end'`,
  );
  const sizes: number[] = [];
  server.fault = async ({ path, body }) => {
    if (path === "/api/logs/") {
      sizes.push(JSON.stringify(body).length);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const isEnd = path.endsWith("/set_state") && (body.state as { type: string }).type === "COMPLETED";
    if (isEnd) assertEquals(server.logs.length, 25_001);
    return undefined;
  };
  await using _agent = new StartedAgent(server, ["-p", "my-pool"]);
  await server.until(() => run.type === "COMPLETED", "the run completes");
  const messages = server.logs.map(({ message }) => message);
  assertEquals(messages.findIndex((message, i) => i < 25_000 && !message.startsWith(`${i} `)), -1);
  assertEquals(messages.at(-1), "end");
  const times = server.logs.map(({ timestamp }) => parseInstant(timestamp)!);
  assertEquals(times.every((time, i) => i === 0 || time > times[i - 1]!), true);
  assert(Math.max(...sizes) <= 200_000, String(Math.max(...sizes)));
});

Deno.test("agentMain() reports the end although the server refuses the output, and says so once", async () => {
  await using server = new FakeServer().listen();
  const run = server.addRun("sh -c 'echo a; sleep 0.4; echo b'");
  server.fault = ({ path }) =>
    path === "/api/logs/" ? Response.json({ detail: "no room" }, { status: 413 }) : undefined;
  await using agent = new StartedAgent(server, ["-p", "my-pool"]);
  await server.until(() => run.type === "COMPLETED", "the run completes");
  assertEquals(agent.err.split("no room").length, 2);
});
