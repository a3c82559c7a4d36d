/** Every commit of every use case keeps the laws: a check on a key that it writes, at most ten, nothing applied twice. */
import { assertEquals } from "@std/assert";
import { CheckedKv } from "../testing/checked_kv.ts";
import { listBody, NEVER, POOL, World } from "./factories.ts";

Deno.test("each commit has a check on a key that it writes, and repeated at once changes nothing", async () => {
  const kv = new CheckedKv(await Deno.openKv(":memory:"), { repeatCommits: true });
  using world = new World({ kv });
  const { services } = world;

  const { keeper } = await world.pool({
    concurrency_limit: 5,
    queues: { high: { priority: 1, concurrency_limit: 3 } },
  });
  await services.workPools.update(POOL, { description: "d", base_job_template: templateOf(700_000) });
  await services.workPools.update(POOL, { is_paused: true, concurrency_limit: null });
  await services.workPools.update(POOL, { is_paused: false });
  await services.workQueues.create(POOL, { name: "gone", is_paused: false });
  await services.workQueues.update(POOL, "high", { priority: 2, name: "higher" });
  await services.workQueues.delete(POOL, "gone");
  await services.workQueues.createWithoutPool({ name: "default", is_paused: false });

  const deployment = await world.deployment({ parameters: textOf(100_000), work_queue_name: "higher" });
  await services.deployments.update(deployment, { parameters: "{}", paused: true });
  const base = { parameters: "{}", context: "{}", tags: [], labels: undefined };
  await services.flowRuns.createFromDeployment(deployment, { ...base, idempotency_key: "k" });
  await services.flowRuns.createFromDeployment(deployment, { ...base, idempotency_key: "k" });
  const runs = await world.runs(6);
  await Promise.all(Array.from({ length: 8 }, () => world.run()));
  await services.flowRuns.update(runs[0]!, { name: "renamed", parameters: textOf(30_000) });
  await services.flowRuns.update(runs[0]!, { parameters: textOf(240_000), job_variables: textOf(240_000) });
  await services.flowRuns.updateLabels(runs[0]!, `{"a":1}`);
  for (const [key, size] of [["small", 10], ["large", 100_000], ["huge", 500_000]] as const) {
    await services.flowRunInputs.create(runs[0]!, { key, value: textOf(size) });
  }
  await services.flowRunInputs.delete(runs[0]!, "huge");
  await services.flowRuns.move(runs[0]!, (await services.workQueues.get(POOL, "higher")).queue.id);

  const { id: agent, session } = await world.agent();
  const granted = await world.claim(keeper, 4, session);
  await services.agents.heartbeat(agent, { sessions: [session], runs: [], wait: 0 }, NEVER);
  const [a, b, c, d] = granted.map(({ id, token }) => ({ id, token: token! }));
  await world.propose(a!.id, "RUNNING", { token: a!.token });
  await world.propose(a!.id, "PAUSED", { token: a!.token });
  await services.resume.resume(a!.id, null);
  await world.propose(a!.id, "PAUSED", {
    token: a!.token,
    details: { pause_key: "second", run_input_keyset: { response: "r" } },
  });
  await services.resume.resume(a!.id, textOf(100_000));
  await world.propose(a!.id, "COMPLETED", { token: a!.token, data: textOf(100_000) });
  await world.propose(b!.id, "CANCELLING");
  await world.propose(b!.id, "CANCELLED", { token: b!.token });
  await world.propose(c!.id, "SCHEDULED", { token: c!.token });
  await world.propose(d!.id, "FAILED", { force: true });
  await world.propose(runs[5]!, "PENDING");
  await services.scheduledRuns.ofPool(POOL, {
    queueNames: [],
    scheduledBefore: null,
    scheduledAfter: null,
    limit: 5,
  });
  await services.logs.create(
    Array.from({ length: 20 }, (_, i) => ({
      name: "n",
      level: 20,
      message: "x".repeat(30_000),
      timestamp: world.now + i,
      flow_run_id: a!.id,
    })),
  );

  await services.flowRunBulk.setState({ filter: null, limit: 3 }, {
    state: { type: "CANCELLED" },
    force: true,
  });
  await services.flowRunBulk.delete({ filter: null, limit: 3 });
  const variable = await services.variables.create({ name: "v", value: "1", tags: [] });
  await services.variables.update(variable.id, { name: "w", tags: ["a"] });
  await services.variables.deleteByName("w");
  await services.resultStorage.set(variable.id);
  await services.resultStorage.set(null);
  await services.workers.heartbeat(POOL, "w", 30);
  await services.workers.heartbeat(POOL, "w2", null);
  await services.workers.delete(POOL, "w");
  await services.workQueues.create(POOL, { name: "full", is_paused: false });
  await world.run({ queue: "full" });
  await services.removals.queue(POOL, "full", { move_to: "higher" });
  await services.workQueues.create(POOL, { name: "full", is_paused: false });
  await world.run({ queue: "full" });
  await services.removals.queue(POOL, "full", { cascade: "cancel" });
  const { flow } = await services.flows.create({ name: "gone", tags: [], labels: "{}" });
  await services.flows.update(flow.id, { tags: ["a"] });
  await services.deployments.upsert({ name: "gone", flow_id: flow.id, work_pool_name: POOL });
  await world.run({ flow_id: flow.id });
  await services.flowRemoval.delete(flow.id);

  const all = await services.flowRunList.list(listBody({}));
  for (const { run } of all) await services.flowRuns.delete(run.id);
  await services.leftovers.sweep();
  await services.deployments.delete(deployment);
  await services.workPools.delete(POOL);
  assertEquals(kv.violations, []);
  assertEquals(await world.faults(), []);
});

const textOf = (characters: number): string => JSON.stringify({ text: "ä".repeat(characters) });

const templateOf = (characters: number): string =>
  JSON.stringify({
    job_configuration: { command: "{{ command }}" },
    variables: { properties: { command: { default: "x".repeat(characters) } } },
  });
