/** Deployments of processes, their runs, and how late these start. */
import type { Deployment } from "../../src/schemas/deployment.ts";
import { startAgent, type StartedServer, startServer, until } from "./started.ts";

export async function deploy(
  { api }: Pick<StartedServer, "api">,
  options: { name: string; command: string; pool: string; queue?: string },
): Promise<Deployment> {
  const flow = await api.flows.create({ name: "e2e" });
  return await api.deployments.create({
    name: options.name,
    flow_id: flow.id,
    work_pool_name: options.pool,
    work_queue_name: options.queue ?? null,
    job_variables: { command: options.command },
  });
}

export async function allEnded({ api }: Pick<StartedServer, "api">, count: number): Promise<boolean> {
  const runs = await api.flowRuns.list({
    flow_runs: { state: { type: { any_: ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"] } } },
  });
  return runs.length === count;
}

/**
 * By how many milliseconds each of `count` runs started after its time, the earliest first: with a server and an idle
 * agent, a run due every 50 ms, all of them claimed ahead.
 */
export async function startErrors(count: number): Promise<number[]> {
  const folder = await Deno.makeTempDir();
  await using server = await startServer(":memory:");
  await using agent = await startAgent(server, folder, ["-p", "p"]);
  const { id } = await deploy(server, { name: "true", command: "true", pool: "p" });
  const due = Date.now() + 2_000;
  for (let i = 0; i < count; i++) {
    const scheduled_time = new Date(due + i * 50).toISOString();
    await server.api.deployments.run(id, { state: { type: "SCHEDULED", state_details: { scheduled_time } } });
  }
  await until(() => allEnded(server, count));
  const runs = await server.api.flowRuns.list();
  await agent.end("SIGTERM");
  await Deno.remove(folder, { recursive: true });
  return runs.map((run) => Date.parse(run.start_time!) - Date.parse(run.expected_start_time!))
    .sort((a, b) => a - b);
}

/** Runs that a schedule made, as they ended up, the earliest first. */
export interface ScheduledStarts {
  /** Milliseconds from one run's time to the next one's. */
  steps: number[];
  /** Milliseconds by which each started after its time. */
  errors: number[];
  /** Runs that wait for their time after the deployment was paused. */
  left: number;
}

/** Lets an agent run what a schedule of two seconds makes, until `count` runs have ended and the deployment is paused. */
export async function scheduledStarts(count: number): Promise<ScheduledStarts> {
  const folder = await Deno.makeTempDir();
  await using server = await startServer(":memory:");
  const { api } = server;
  await using agent = await startAgent(server, folder, ["-p", "p"]);
  const { id } = await deploy(server, { name: "often", command: "true", pool: "p" });
  await api.deployments.update(id, { schedules: [{ schedule: { interval: 2 } }] });
  const inState = async (type: "COMPLETED" | "SCHEDULED") =>
    await api.flowRuns.list({ flow_runs: { state: { type: { any_: [type] } } } });
  await until(async () => (await inState("COMPLETED")).length >= count, 10 + 3 * count);
  await api.deployments.update(id, { paused: true });
  const runs = (await inState("COMPLETED")).map((run) => ({
    expected: Date.parse(run.expected_start_time!),
    started: Date.parse(run.start_time!),
  })).sort((a, b) => a.expected - b.expected);
  const left = (await inState("SCHEDULED")).length;
  await agent.end("SIGTERM");
  await server.process.end("SIGTERM");
  await Deno.remove(folder, { recursive: true });
  return {
    steps: runs.slice(1).map(({ expected }, i) => expected - runs[i]!.expected),
    errors: runs.map(({ expected, started }) => started - expected),
    left,
  };
}
