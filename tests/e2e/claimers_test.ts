/**
 * Fifty claimers over HTTP against a real server: half of them agents that claim, half Prefect-like workers that poll
 * and propose PENDING, while people pause, cancel and change limits. `SLUICE_RUNS` sets how many runs (CI: 10,000).
 */
import { assert, assertEquals } from "@std/assert";
import type { StateType } from "../../src/schemas/records.ts";
import { Held, Limits, Observed, POOL, POOL_LIMIT, QUEUES } from "./limits.ts";
import { type StartedServer, startServer, until } from "./started.ts";

const RUNS = Number(Deno.env.get("SLUICE_RUNS") ?? 1_200);
const CLAIMERS = 50;
const TERMINAL: StateType[] = ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"];

const pick = <T>(items: readonly T[]): T => items[Math.floor(Math.random() * items.length)]!;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function setUp({ api }: StartedServer): Promise<void> {
  await api.workPools.create({ name: "p", type: "process", concurrency_limit: POOL_LIMIT });
  await api.workQueues.create("p", { name: "a", priority: 1, concurrency_limit: 3 });
  await api.workQueues.create("p", { name: "b", priority: 2, concurrency_limit: 1 });
}

/** Runs in the pool's queues, `of` telling queue and time of each. */
async function createRuns(
  { api }: StartedServer,
  count: number,
  of: (i: number) => { queue: string; at: number },
): Promise<string[]> {
  const flow = await api.flows.create({ name: "f" });
  const deployment = await api.deployments.create({ name: "d", flow_id: flow.id, work_pool_name: "p" });
  const ids: string[] = [];
  await Promise.all(Array.from({ length: 16 }, async (_, worker) => {
    for (let i = worker; i < count; i += 16) {
      const { queue, at } = of(i);
      const scheduled_time = new Date(at).toISOString();
      const state = { type: "SCHEDULED" as const, state_details: { scheduled_time } };
      ids[i] = (await api.deployments.run(deployment.id, { state, work_queue_name: queue })).id;
    }
  }));
  return ids;
}

/** What the actors of this test share. */
interface Scene {
  server: StartedServer;
  limits: Limits;
  held: Held;
  isOver: () => boolean;
}

async function agent({ server: { api }, limits, held, isOver }: Scene): Promise<void> {
  const { sessions } = await api.agents.create({ name: "agent", host: "h", version: "1", pools: [POOL] });
  for (let n = 0; !isOver(); n++) {
    const { epoch } = limits;
    // Now and then one that does not wait: its answer comes before the limits change again.
    const claim = { session: sessions[0]!.id, claim_id: String(n), n: 2, wait: n % 2 };
    const { grants } = await api.workPools.claim(POOL, claim);
    await Promise.all(grants.map(async ({ flow_run, token }) => {
      const run = { id: flow_run.id, queue: flow_run.work_queue_name! };
      held.take(run, epoch);
      await api.flowRuns.setState(run.id, { state: { type: "RUNNING" } }, token);
      await pause(Math.random() * 5);
      held.giveBack(run);
      await api.flowRuns.setState(run.id, { state: { type: "COMPLETED" } }, token);
    }));
  }
}

async function worker({ server: { api }, limits, held, isOver }: Scene): Promise<void> {
  while (!isOver()) {
    const polled = await poll(api.http.url);
    if (polled.length === 0) await pause(50);
    for (const run of polled) {
      const { epoch } = limits;
      const propose = (type: StateType) => api.flowRuns.setState(run.id, { state: { type } });
      if ((await propose("PENDING")).status !== "ACCEPT") continue;
      held.take(run, epoch);
      await propose("RUNNING");
      held.giveBack(run);
      const { state } = await propose("COMPLETED");
      if (state?.type === "CANCELLING") await propose("CANCELLED");
    }
  }
}

async function poll(url: string): Promise<{ id: string; queue: string }[]> {
  const response = await fetch(`${url}/work_pools/${POOL}/get_scheduled_flow_runs`, {
    method: "POST",
    body: JSON.stringify({ limit: 5, scheduled_before: new Date().toISOString() }),
  });
  const runs: { flow_run: { id: string; work_queue_name: string } }[] = await response.json();
  return runs.map(({ flow_run }) => ({ id: flow_run.id, queue: flow_run.work_queue_name }));
}

/** Somebody who pauses, lowers limits and cancels, and makes it good again. */
async function troublemaker(
  { server: { api }, limits, held, isOver }: Scene,
  ids: readonly string[],
): Promise<void> {
  // Once long enough for a slow machine, where few claims fit into the short troubles below.
  await limits.set(POOL, { is_paused: false, concurrency_limit: 3 });
  await until(() => Promise.resolve(held.underLowered >= 20 || isOver()));
  await limits.set(POOL, { is_paused: true, concurrency_limit: POOL_LIMIT });
  await pause(500);
  await limits.restore();
  const upTo = (most: number) => Math.floor(Math.random() * (most + 1));
  while (!isOver()) {
    const { name, limit } = pick([{ name: POOL, limit: POOL_LIMIT }, ...QUEUES]);
    await pick([
      () => limits.set(name, { is_paused: true, concurrency_limit: limit }),
      () => limits.set(name, { is_paused: false, concurrency_limit: upTo(limit ?? POOL_LIMIT) }),
      () => limits.set(name, { is_paused: false, concurrency_limit: upTo(limit ?? POOL_LIMIT) }),
      () => api.flowRuns.setState(pick(ids), { state: { type: "CANCELLING" } }),
    ])();
    await pause(50);
    await limits.restore();
    await pause(100);
  }
}

/** Somebody who looks at the server's own counts over and over. */
async function observer({ server: { api }, limits, isOver }: Scene, observed: Observed): Promise<void> {
  while (!isOver()) {
    const { epoch } = limits;
    observed.see(POOL, (await api.workPools.get(POOL)).active_slots ?? 0, epoch);
    for (const { name, active_slots } of await api.workQueues.list(POOL)) {
      observed.see(name, active_slots ?? 0, epoch);
    }
    await pause(20);
  }
}

async function countOf(url: string, types: readonly StateType[]): Promise<number> {
  const response = await fetch(`${url}/flow_runs/count`, {
    method: "POST",
    body: JSON.stringify({ flow_runs: { state: { type: { any_: types } } } }),
  });
  return await response.json();
}

Deno.test(`${CLAIMERS} claimers take ${RUNS} runs: never above a limit, each run once, all slots free at the end`, async () => {
  const folder = await Deno.makeTempDir();
  await using server = await startServer(`${folder}/kv.sqlite3`);
  await setUp(server);
  const ids = await createRuns(
    server,
    RUNS,
    (i) => ({ queue: QUEUES[i % 3]!.name, at: Date.now() - 1_000 + i }),
  );
  const limits = new Limits(server.api);
  const [held, observed] = [new Held(limits), new Observed(limits)];
  let isOver = false;
  const scene: Scene = { server, limits, held, isOver: () => isOver };
  const claimers = Array.from({ length: CLAIMERS }, (_, i) => (i % 2 ? agent : worker)(scene));
  const trouble = troublemaker(scene, ids);
  const watching = observer(scene, observed);
  await until(async () => await countOf(server.url, TERMINAL) === RUNS, 60 + RUNS / 20, 1_000);
  isOver = true;
  await Promise.all([...claimers, trouble, watching]);
  await limits.restore();
  assertEquals([...held.faults, ...observed.faults], []);
  assert(held.underLowered >= 20, "too few grants were compared with a lowered limit");
  assertEquals((await server.api.workPools.get("p")).active_slots, 0);
  assertEquals((await server.api.workQueues.list("p")).map((queue) => queue.active_slots ?? 0), [0, 0, 0]);
  await server.process.end("SIGTERM");
  await Deno.remove(folder, { recursive: true });
});

/** What a claim has to get, by the words of the protocol: a pool of its own size, no more than twenty lines. */
class Model {
  waiting: { id: string; queue: string; t: number }[] = [];
  readonly held = new Map<string, string>();

  claim(n: number): string[] {
    const granted: string[] = [];
    while (granted.length < n && this.held.size < POOL_LIMIT) {
      const open = QUEUES.filter(({ name, limit }) =>
        [...this.held.values()].filter((queue) => queue === name).length < (limit ?? Infinity)
      );
      const queue = open.find(({ name }) => this.waiting.some((run) => run.queue === name));
      if (!queue) break;
      const [first] = this.waiting.filter((run) => run.queue === queue.name)
        .sort((x, y) => x.t - y.t || (x.id < y.id ? -1 : 1));
      this.waiting = this.waiting.filter((run) => run !== first);
      this.held.set(first!.id, queue.name);
      granted.push(first!.id);
    }
    return granted;
  }
}

Deno.test("claims are granted in the order of the reference model", async () => {
  await using server = await startServer(":memory:");
  const { api } = server;
  await setUp(server);
  const plan = Array.from(
    { length: 300 },
    () => ({ queue: pick(QUEUES).name, at: Date.now() - pick([0, 1, 2, 3]) * 1_000 }),
  );
  const ids = await createRuns(server, plan.length, (i) => plan[i]!);
  const model = new Model();
  model.waiting = ids.map((id, i) => ({ id, queue: plan[i]!.queue, t: plan[i]!.at }));
  const { sessions } = await api.agents.create({ name: "agent", host: "h", version: "1", pools: ["p"] });
  const tokens = new Map<string, string>();
  for (let turn = 0; model.waiting.length > 0 || model.held.size > 0; turn++) {
    const n = 1 + turn % 4;
    const { grants } = await api.workPools.claim("p", {
      session: sessions[0]!.id,
      claim_id: String(turn),
      n,
    });
    assertEquals(grants.map(({ flow_run }) => flow_run.id), model.claim(n), `turn ${turn}`);
    for (const { flow_run, token } of grants) tokens.set(flow_run.id, token);
    for (const id of [...model.held.keys()].filter(() => Math.random() < 0.5)) {
      await api.flowRuns.setState(id, { state: { type: "FAILED" } }, tokens.get(id)!);
      model.held.delete(id);
    }
  }
  assert(tokens.size === plan.length);
  await server.process.end("SIGTERM");
});
