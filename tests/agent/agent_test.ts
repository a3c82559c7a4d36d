import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { FakeServer } from "./fake_server.ts";
import { isAlive, StartedAgent } from "./started_agent.ts";

const types = (run: { history: { type: string }[] }) => run.history.map(({ type }) => type);

Deno.test("agentMain() claims a run, starts it with all it needs, ships its output and reports the end", async () => {
  await using server = new FakeServer().listen();
  server.deployments.set(
    "d1",
    deployment({ job_variables: { env: { GREETING: "hello {{ parameters.day }}" } } }),
  );
  const run = server.addRun("sh report.sh {{ day }}", {
    deployment: "d1",
    parameters: { day: "2026-11-23", "max-rows": 5 },
    job: {
      command:
        `sh -c 'echo "$GREETING|$1|$SLUICE_PARAM_day|$SLUICE_PARAM_max_rows|$SLUICE_DEPLOYMENT"; pwd; env' sh {{ day }}`,
    },
  });
  await using agent = new StartedAgent(server, ["-p", "my-pool"], { FROM_AGENT: "yes" });
  await server.until(() => run.type === "COMPLETED", "the run completes");

  assertEquals(types(run), ["PENDING", "RUNNING", "COMPLETED"]);
  const lines = server.logs.map(({ message }) => message);
  assertEquals(lines[0], "hello 2026-11-23|2026-11-23|2026-11-23|5|etl/nightly");
  assertMatch(lines[1] ?? "", new RegExp(`^${agent.directory}/${run.id}-.*/work$`));
  const env = Object.fromEntries(lines.slice(2).map((line) => line.split(/=(.*)/s).slice(0, 2)));
  assertEquals(env.PREFECT__FLOW_RUN_ID, run.id);
  assertEquals(env.PREFECT_API_URL, server.api.replace(/\/api$/, `/t/${run.token}/api`));
  assertEquals(JSON.parse(env.SLUICE_PARAMETERS), { day: "2026-11-23", "max-rows": 5 });
  assertEquals([env.SLUICE_FLOW_RUN_ID, env.SLUICE_FLOW_RUN_NAME, env.FROM_AGENT], [run.id, "run-0", "yes"]);
  assertEquals(env.SLUICE_WORK_DIR, lines[1]);
  assertEquals(new Set(server.logs.map((log) => `${log.name} ${log.level} ${log.flow_run_id}`)).size, 1);
  assertStringIncludes(agent.out, "Agent started! Looking for work from work pool 'my-pool'...");
  await server.until(
    () => [...Deno.readDirSync(agent.directory)].length === 0,
    "the run's folder is removed",
  );
  agent.stop.abort();
  assertEquals(await agent.done, 0);
});

Deno.test("agentMain() says how a run ended: exit code, signal, timeout, nothing to run", async () => {
  await using server = new FakeServer().listen();
  const failed = server.addRun("sh -c 'echo first; printf last; exit 3'");
  const killed = server.addRun("sh -c 'kill -SEGV $$'");
  const slow = server.addRun("sleep 30", { job: { timeout_seconds: 0.2 } });
  const missing = server.addRun("no-such-program --x");
  const nothing = server.addRun("", {});
  const unsafe = server.addRun("sh -c 'echo {{ day }}'", { parameters: { day: "x" } });
  const nowhere = server.addRun("true", { job: { working_dir: "/no/such/place" } });
  await using _agent = new StartedAgent(server, ["-p", "my-pool"]);
  await server.until(
    () => server.runs.every((run) => run.history.length > 1 && run.type !== "RUNNING"),
    "all end",
  );

  assertEquals([failed.type, failed.message], ["FAILED", "exit code 3\nfirst\nlast"]);
  assertEquals([killed.type, killed.message], ["CRASHED", "The process was ended by SIGSEGV."]);
  assertEquals([slow.type, slow.stateName], ["FAILED", "TimedOut"]);
  assertStringIncludes(slow.message ?? "", "timeout_seconds = 0.2");
  assertStringIncludes(missing.message ?? "", "exit code 127\n");
  assertStringIncludes(missing.message ?? "", "no-such-program: not found");
  assertStringIncludes(nothing.message ?? "", "nothing to run");
  assertStringIncludes(unsafe.message ?? "", '"$SLUICE_PARAM_day"');
  assertStringIncludes(nowhere.message ?? "", "/no/such/place");
  assertEquals(types(unsafe), ["PENDING", "FAILED"]);
});

Deno.test("agentMain() asks the server for the variables that a job refers to, and for nothing else", async () => {
  await using server = new FakeServer().listen();
  server.variables = { "who am i": "me" };
  const plain = server.addRun("true");
  const run = server.addRun("echo {{ prefect.variables.who }}");
  const missing = server.addRun("echo {{ prefect.variables.nobody }}");
  server.variables.who = "world";
  await using _agent = new StartedAgent(server, ["-p", "my-pool"]);
  await server.until(
    () => [plain, run, missing].every(({ type }) => /ED$/.test(type) && type !== "SCHEDULED"),
    "all end",
  );
  assertEquals([plain.type, run.type, missing.type], ["COMPLETED", "COMPLETED", "FAILED"]);
  assertEquals(server.logs.map(({ message }) => message), ["world"]);
  assertStringIncludes(missing.message ?? "", "'nobody', and there is none");
  assertEquals(server.callsTo(/variables/).length, 2);
});

Deno.test("agentMain() ends a run that is cancelled while its variables are asked for", async () => {
  await using server = new FakeServer().listen();
  const run = server.addRun("echo {{ prefect.variables.slow }}");
  const held = Promise.withResolvers<Response>();
  server.fault = ({ path }) => {
    if (!path.includes("/variables/")) return undefined;
    server.write(run, "CANCELLING");
    return held.promise;
  };
  await using _agent = new StartedAgent(server, ["-p", "my-pool"]);
  await server.until(() => run.type === "CANCELLED", "the run is cancelled");
  held.resolve(new Response("", { status: 503 }));
  assertEquals(types(run), ["PENDING", "CANCELLING", "CANCELLED"]);
});

Deno.test("agentMain() shows what runs write on its terminal, behind their names, when they or the user ask for it", async () => {
  const shown = async (flags: string[]) => {
    await using server = new FakeServer().listen();
    server.addRun("sh -c 'echo a1; echo a2 >&2'", { name: "asks", job: { stream_output: true } });
    server.addRun("printf b1", { name: "silent", job: { stream_output: false } });
    server.addRun("printf c1", { name: "default" });
    await using agent = new StartedAgent(server, ["-p", "my-pool", ...flags, "--run-once"]);
    assertEquals(await agent.done, 0);
    assertEquals(server.logs.length, 4);
    return agent.streamed.split("\n").filter((line) => line !== "").sort();
  };
  assertEquals(await shown([]), ["asks | a1", "asks | a2"]);
  assertEquals(await shown(["--stream-output"]), ["asks | a1", "asks | a2", "default | c1", "silent | b1"]);
  assertEquals(await shown(["--no-stream-output"]), []);
});

Deno.test("agentMain() is not held up by a terminal that takes nothing", async () => {
  await using server = new FakeServer().listen();
  const first = server.addRun("sh -c 'echo 1; sleep 0.1; echo 2'");
  const second = server.addRun("echo 3");
  await using agent = new StartedAgent(server, ["-p", "my-pool", "--stream-output", "-l", "1"]);
  agent.streaming = new Promise(() => {});
  await server.until(() => first.type === "COMPLETED" && second.type === "COMPLETED", "both complete");
  assertEquals(server.logs.map(({ message }) => message), ["1", "2", "3"]);
  agent.stop.abort();
  assertEquals(await agent.done, 0);
});

Deno.test("agentMain() never holds more runs than --limit, and takes the next when one has ended", async () => {
  await using server = new FakeServer().listen();
  for (let i = 0; i < 7; i++) server.addRun("sleep 0.1");
  let most = 0;
  server.fault = () => {
    const held = server.runs.filter(({ type }) => type === "PENDING" || type === "RUNNING").length;
    most = Math.max(most, held);
    return undefined;
  };
  await using _agent = new StartedAgent(server, ["-p", "my-pool", "-l", "2"]);
  await server.until(() => server.runs.every(({ type }) => type === "COMPLETED"), "all complete");
  assertEquals(most, 2);
  const asked = server.callsTo(/claim$/).map(({ body }) => body.n);
  assertEquals(asked.every((n) => n === 1 || n === 2), true, String(asked));
});

Deno.test("agentMain() shares its room among several pools", async () => {
  await using server = new FakeServer().listen();
  server.addPool("other", ["default"]);
  for (let i = 0; i < 3; i++) server.addRun("true", { pool: i % 2 ? "other" : "my-pool" });
  await using _agent = new StartedAgent(server, ["-p", "my-pool", "-p", "other", "-l", "2"]);
  await server.until(() => server.runs.every(({ type }) => type === "COMPLETED"), "both pools are served");
});

Deno.test("agentMain() repeats a claim whose answer was lost with the same id, and runs the run once", async () => {
  await using server = new FakeServer().listen();
  const run = server.addRun("true");
  let lost = 0;
  server.fault = ({ path }) =>
    path.endsWith("/claim") && lost++ < 2 ? new Response("bad gateway", { status: 502 }) : undefined;
  await using _agent = new StartedAgent(server, ["-p", "my-pool"]);
  await server.until(() => run.type === "COMPLETED", "the run completes");
  const ids = server.callsTo(/claim$/).slice(0, 4).map(({ body }) => body.claim_id);
  assertEquals([ids[1], ids[2]], [ids[0], ids[0]]);
  assertEquals(ids[3] === ids[0], false);
});

Deno.test("agentMain() starts nothing before the start was acknowledged", async () => {
  await using server = new FakeServer().listen();
  const run = server.addRun("echo ran");
  const held = Promise.withResolvers<void>();
  let isAsked = false;
  server.fault = async ({ path, body }) => {
    if (!path.endsWith("/set_state") || (body.state as { type: string }).type !== "RUNNING") return undefined;
    isAsked = true;
    await held.promise;
    return undefined;
  };
  await using agent = new StartedAgent(server, ["-p", "my-pool"]);
  await server.until(() => isAsked, "the start is proposed");
  const folder = `${agent.directory}/${[...Deno.readDirSync(agent.directory)][0]!.name}`;
  assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["output", "run.json", "work"]);
  held.resolve();
  await server.until(() => run.type === "COMPLETED", "the run completes");
  assertEquals(server.logs.map(({ message }) => message), ["ran"]);
});

Deno.test("agentMain() counts a start as acknowledged when only the answer was lost, and starts it once", async () => {
  await using server = new FakeServer().listen();
  const run = server.addRun("echo ran");
  let isLost = false;
  server.fault = (call) => {
    const isStart = call.path.endsWith("/set_state") &&
      (call.body.state as { type: string }).type === "RUNNING";
    if (!isStart || isLost) return undefined;
    isLost = true;
    const { transition_id } = (call.body.state as { state_details: { transition_id: string } }).state_details;
    server.write(run, "RUNNING", { transition: transition_id });
    return new Response("", { status: 504 });
  };
  await using agent = new StartedAgent(server, ["-p", "my-pool"]);
  await server.until(() => run.type === "COMPLETED", "the run completes");
  assertEquals([types(run), server.logs.length], [["PENDING", "RUNNING", "COMPLETED"], 1]);
  assertEquals(agent.err.includes("Waiting"), false); // one hiccup is not worth a line
});

Deno.test("agentMain() ends the process tree of a cancelled run, then reports CANCELLED", async () => {
  await using server = new FakeServer().listen();
  server.heartbeatSeconds = 20;
  const run = server.addRun(`sh -c 'sh -c "trap : TERM; echo \\$\\$; sleep 60; sleep 60" & wait'`);
  await using _agent = new StartedAgent(server, ["-p", "my-pool", "--cancel-grace", "0.2"]);
  await server.until(() => server.logs.length === 1, "the grandchild is there");
  const grandchild = Number(server.logs[0]!.message);
  server.write(run, "CANCELLING");
  await server.until(() => run.type === "CANCELLED", "the run is cancelled");
  // It was killed before; on a busy machine it takes until its next turn to be gone.
  await server.until(() => !isAlive(grandchild), "the grandchild is gone");
  assertEquals(types(run).at(-1), "CANCELLED");
});

Deno.test("agentMain() reports CANCELLED without starting a run that was cancelled before its start", async () => {
  await using server = new FakeServer().listen();
  const run = server.addRun("echo ran");
  server.fault = ({ path, body }) => {
    const isStart = path.endsWith("/set_state") && (body.state as { type: string }).type === "RUNNING";
    if (isStart) server.write(run, "CANCELLING");
    return undefined;
  };
  await using _agent = new StartedAgent(server, ["-p", "my-pool"]);
  await server.until(() => run.type === "CANCELLED", "the run is cancelled");
  assertEquals([types(run), server.logs], [["PENDING", "CANCELLING", "CANCELLED"], []]);
});

Deno.test("agentMain() kills and forgets a run whose token is not current: told by a heartbeat, or by 409", async () => {
  await using server = new FakeServer().listen();
  const stopped = server.addRun("sh -c 'echo $$; sleep 60'");
  await using agent = new StartedAgent(server, ["-p", "my-pool", "-l", "1"]);
  await server.until(() => server.logs.length === 1, "the process is there");
  const pid = Number(server.logs[0]!.message);
  stopped.token = "somebody else's";
  await server.until(() => !isAlive(pid), "the process is gone");

  const refused = server.addRun("true");
  server.fault = ({ path, body }) => {
    const isStart = path.endsWith("/set_state") && (body.state as { type: string }).type === "RUNNING";
    if (isStart) refused.token = "somebody else's";
    return undefined;
  };
  await server.until(() => agent.err.includes("forgetting it"), "the start is refused");
  const next = server.addRun("true");
  server.fault = () => undefined;
  await server.until(() => next.type === "COMPLETED", "its room is free again");
  assertEquals(agent.err.split(" started").length - 1, 2); // the refused one never was
  assertEquals([stopped.type, refused.type], ["RUNNING", "PENDING"]);
});

Deno.test("agentMain() waits for the scheduled time of a run claimed before, and starts it on time", async () => {
  await using server = new FakeServer().listen();
  const due = Date.now() + 700;
  const run = server.addRun("true", { due: due * 1000 });
  await using _agent = new StartedAgent(server, ["-p", "my-pool"]);
  await server.until(() => run.type === "COMPLETED", "the run completes");
  const [pending, running] = run.history;
  assertEquals(pending!.at < due - 300, true);
  const late = running!.at - due;
  assertEquals(late >= 0 && late < 100, true, `${late} ms late`);
  assertEquals(server.callsTo(/set_state$/).length, 2); // never asked too early
});

Deno.test("agentMain() starts a failed run again when the server says so", async () => {
  await using server = new FakeServer().listen();
  const run = server.addRun("sh -c 'echo try; exit 1'", { retries: 2 });
  await using _agent = new StartedAgent(server, ["-p", "my-pool"]);
  await server.until(() => run.type === "FAILED", "the run fails for good");
  assertEquals(types(run).filter((type) => type === "RUNNING").length, 3);
  assertEquals(server.logs.map(({ message }) => message), ["try", "try", "try"]);
});

Deno.test("agentMain() leaves the word to a run that reported its end itself", async () => {
  await using server = new FakeServer().listen();
  const run = server.addRun("sh -c 'sleep 0.3'");
  await using agent = new StartedAgent(server, ["-p", "my-pool"]);
  await server.until(() => run.type === "RUNNING", "the run starts");
  server.write(run, "FAILED", { message: "its own word" });
  await server.until(() => /ended: COMPLETED/.test(agent.err), "the process ends");
  agent.stop.abort();
  assertEquals(await agent.done, 0);
  assertEquals([run.type, run.message, agent.err.includes("warn")], ["FAILED", "its own word", false]);
});

function deployment(given: Record<string, unknown>): Record<string, unknown> {
  const absent = [
    "version",
    "description",
    "global_concurrency_limit",
    "concurrency_options",
    "work_queue_name",
  ]
    .concat("work_queue_id", "last_polled", "parameter_openapi_schema", "path", "pull_steps", "entrypoint")
    .concat("storage_document_id", "infrastructure_document_id", "created_by", "updated_by", "work_pool_name")
    .concat("manifest_path", "schedule", "concurrency_limit");
  return {
    ...Object.fromEntries(absent.map((key) => [key, null])),
    id: "d1",
    created: "2026-11-23T00:00:00Z",
    updated: "2026-11-23T00:00:00Z",
    name: "nightly",
    flow_id: "f",
    paused: false,
    schedules: [],
    job_variables: {},
    parameters: {},
    tags: [],
    labels: {},
    status: "READY",
    enforce_parameter_schema: false,
    infra_overrides: {},
    is_schedule_active: false,
    ...given,
  };
}
