/** The main job with real processes: a pool with a limit, runs claimed by an agent, executed and reported. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { allEnded, deploy, startErrors } from "./deployed.ts";
import { residentMegabytes, startAgent, startServer, until } from "./started.ts";

Deno.test("server and agent run a deployment: order, limit, logs, message, slots", async () => {
  const folder = await Deno.makeTempDir();
  await using server = await startServer(":memory:");
  const { api } = server;
  await api.workPools.create({ name: "p", type: "process", concurrency_limit: 2 });
  await api.workQueues.create("p", { name: "high", priority: 1, concurrency_limit: 1 });
  await using agent = await startAgent(server, folder, ["-p", "p"]);
  const hello = await deploy(server, {
    name: "hello",
    command: `sh -c 'echo "day $SLUICE_PARAM_day"; sleep 0.05'`,
    pool: "p",
    queue: "high",
  });
  const fails = await deploy(server, {
    name: "fails",
    command: "sh -c 'echo broken >&2; exit 3'",
    pool: "p",
  });
  for (let i = 0; i < 3; i++) await api.deployments.run(hello.id, { parameters: { day: `2026-11-2${i}` } });
  const failed = await api.deployments.run(fails.id);
  let most = 0;
  await until(async () => {
    most = Math.max(most, (await api.workPools.get("p")).active_slots ?? 0);
    return await allEnded(server, 4);
  });
  assert(most <= 2, `${most} slots were taken at once, the limit is 2`);
  assertEquals((await api.workPools.get("p")).active_slots, 0);
  const { state } = await api.flowRuns.get(failed.id);
  assertEquals(state?.type, "FAILED");
  assertStringIncludes(state?.message ?? "", "exit code 3");
  assertStringIncludes(state?.message ?? "", "broken");
  const lines = (await api.logs.list()).map(({ message }) => message);
  assertEquals(lines.filter((line) => line.startsWith("day")).length, 3);
  assertEquals(await agent.end("SIGTERM"), 0);
  assertEquals(await server.process.end("SIGTERM"), 0);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a prefetched run never starts before its time", async () => {
  const [earliest] = await startErrors(10);
  assert(earliest! >= 0, `a run started ${-earliest!} ms before its time`);
});

Deno.test("a cancel reaches the whole process tree, and the slot is free after it", async () => {
  const folder = await Deno.makeTempDir();
  await using server = await startServer(":memory:");
  await server.api.workPools.create({ name: "p", type: "process", concurrency_limit: 1 });
  await using agent = await startAgent(server, folder, ["-p", "p"]);
  const { id } = await deploy(server, {
    name: "tree",
    command: "sh -c 'sleep 300 & echo grandchild $!; wait'",
    pool: "p",
  });
  const run = await server.api.deployments.run(id);
  let grandchild = 0;
  await until(async () => {
    const [line] = await server.api.logs.list();
    grandchild = Number(/grandchild (\d+)/.exec(line?.message ?? "")?.[1] ?? 0);
    return grandchild > 0;
  });
  await server.api.flowRuns.setState(run.id, { state: { type: "CANCELLING" } });
  await until(async () => (await server.api.flowRuns.get(run.id)).state_type === "CANCELLED", 5);
  assertEquals((await server.api.workPools.get("p")).active_slots, 0);
  await until(() => Promise.resolve(!isAlive(grandchild)), 5);
  assertEquals(await agent.end("SIGTERM"), 0);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a killed agent keeps its slot until its run is forced to end", async () => {
  const folder = await Deno.makeTempDir();
  await using server = await startServer(":memory:");
  await server.api.workPools.create({ name: "p", type: "process", concurrency_limit: 1 });
  await using agent = await startAgent(server, folder, ["-p", "p"]);
  const { id } = await deploy(server, {
    name: "long",
    command: "sh -c 'echo $$; exec sleep 300'",
    pool: "p",
  });
  const run = await server.api.deployments.run(id);
  await until(async () => (await server.api.logs.list()).length > 0);
  const pid = Number((await server.api.logs.list())[0]!.message);
  await agent.end("SIGKILL");
  Deno.kill(pid, "SIGKILL");
  assertEquals((await server.api.workPools.get("p")).active_slots, 1);
  await server.api.flowRuns.setState(run.id, { state: { type: "CANCELLING" } });
  assertEquals((await server.api.workPools.get("p")).active_slots, 1);
  await server.api.flowRuns.setState(run.id, { state: { type: "CANCELLED" }, force: true });
  assertEquals((await server.api.workPools.get("p")).active_slots, 0);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("100 MB of output of one run do not grow the agent's memory", async () => {
  const folder = await Deno.makeTempDir();
  await using server = await startServer(`${folder}/kv.sqlite3`);
  await using agent = await startAgent(server, folder, ["-p", "p"]);
  const line = "x".repeat(1_000);
  const command = (lines: number) => `sh -c 'yes ${line} | head -n ${lines}'`;
  const small = await deploy(server, { name: "small", command: command(10_000), pool: "p" });
  const large = await deploy(server, { name: "large", command: command(100_000), pool: "p" });
  await server.api.deployments.run(small.id);
  await until(() => allEnded(server, 1));
  const warm = residentMegabytes(agent.pid);
  await server.api.deployments.run(large.id);
  let most = 0;
  await until(async () => {
    most = Math.max(most, residentMegabytes(agent.pid));
    return await allEnded(server, 2);
  }, 60);
  // The garbage collector may let a few batches stand; what is asked is that output does not pile up.
  assert(most < warm + 60, `the agent grew from ${warm.toFixed(0)} to ${most.toFixed(0)} MB`);
  assertEquals(await agent.end("SIGTERM"), 0);
  await Deno.remove(folder, { recursive: true });
});

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}
