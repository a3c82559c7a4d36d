/** A deployment is pointed at an agent on somebody's own machine for a while, and back again. */
import { assertEquals } from "@std/assert";
import { deploy } from "./deployed.ts";
import { Started, type StartedServer, startServer, until } from "./started.ts";

/** An agent whose runs say where they are. */
async function agentAt(server: StartedServer, folder: string, pool: string): Promise<Started> {
  const agent = new Started("agent.ts", ["start", "--api", server.url, "-p", pool, "--hide-welcome"], {
    SLUICE_AGENT_DIR: `${folder}/${pool}`,
    WHERE: pool,
  });
  await agent.said(/Agent started/);
  return agent;
}

Deno.test("a deployment's runs, also those that wait, go to the pool of my machine and back again", async () => {
  const folder = await Deno.makeTempDir();
  await using server = await startServer(":memory:");
  const { api } = server;
  await api.workPools.create({ name: "production", type: "process", is_paused: true });
  await using production = await agentAt(server, folder, "production");
  const command = `sh -c 'echo $WHERE'`;
  const { id } = await deploy(server, { name: "nightly", command, pool: "production" });
  const other = await deploy(server, { name: "other", command, pool: "production" });
  const run = async (deployment = id) => (await api.deployments.run(deployment)).id;
  const where = async (of: string) => {
    await until(async () => (await api.flowRuns.get(of)).state_type === "COMPLETED");
    return (await api.logs.list({ logs: { flow_run_id: { any_: [of] } } })).map(({ message }) => message);
  };
  const waiting = [await run(), await run()];
  const others = await run(other.id);

  await using mine = await agentAt(server, folder, "my-local-machine");
  const agents = await api.agents.list({ online: true });
  assertEquals(
    agents.map(({ sessions }) => sessions[0]!.work_pool_name).sort(),
    ["my-local-machine", "production"],
  );
  assertEquals((await api.workPools.get("my-local-machine")).sluice, { agents_online: 1 });

  await api.deployments.update(id, { work_pool_name: "my-local-machine", sluice: { move_waiting: true } });
  for (const one of [...waiting, await run()]) assertEquals(await where(one), ["my-local-machine"]);
  assertEquals((await api.flowRuns.get(others)).state_type, "SCHEDULED");
  assertEquals(await mine.end("SIGTERM"), 0);
  assertEquals((await api.workPools.get("my-local-machine")).sluice, { agents_online: 0 });

  const left = await run(); // nobody takes it any more
  await api.deployments.update(id, { work_pool_name: "production", sluice: { move_waiting: true } });
  await api.workPools.update("production", { is_paused: false });
  for (const one of [left, others, await run()]) assertEquals(await where(one), ["production"]);
  assertEquals(await production.end("SIGTERM"), 0);
  assertEquals(await api.agents.list(), []);
  await Deno.remove(folder, { recursive: true });
});
