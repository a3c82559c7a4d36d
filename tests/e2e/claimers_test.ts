/**
 * Fifty claimers over HTTP against a real server: half of them agents that claim, half Prefect-like workers that poll
 * and propose PENDING, while people pause, cancel and change limits. `SLUICE_RUNS` sets how many runs (CI: 10,000).
 */
import { assert, assertEquals } from "@std/assert";
import type { StateType } from "../../src/schemas/records.ts";
import { type StartedServer, startServer, until } from "./started.ts";

const RUNS = Number(Deno.env.get("SLUICE_RUNS") ?? 1_200);
const POOL_LIMIT = 7;
const QUEUES = [{ name: "a", limit: 3 }, { name: "b", limit: 1 }, { name: "default", limit: null }];
const CLAIMERS = 50;
const TERMINAL: StateType[] = ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"];

const pick = <T>(items: readonly T[]): T => items[Math.floor(Math.random() * items.length)]!;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** What the claimers hold, as they know it: at most what the server has given away, so never above a limit. */
class Held {
  readonly #seen = new Set<string>();
  readonly #inQueue = new Map<string, number>();
  #all = 0;
  readonly faults: string[] = [];

  take(run: { id: string; queue: string }): void {
    if (this.#seen.has(run.id)) this.faults.push(`${run.id} was handed out twice`);
    this.#seen.add(run.id);
    this.#all++;
    const inQueue = (this.#inQueue.get(run.queue) ?? 0) + 1;
    this.#inQueue.set(run.queue, inQueue);
    if (this.#all > POOL_LIMIT) this.faults.push(`${this.#all} held in the pool`);
    const limit = QUEUES.find(({ name }) => name === run.queue)?.limit ?? Infinity;
    if (inQueue > limit) this.faults.push(`${inQueue} held in queue ${run.queue}`);
  }

  /** Before the end is reported. */
  giveBack(run: { queue: string }): void {
    this.#all--;
    this.#inQueue.set(run.queue, this.#inQueue.get(run.queue)! - 1);
  }
}

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

async function agent({ api }: StartedServer, held: Held, isOver: () => boolean): Promise<void> {
  const { sessions } = await api.agents.create({ name: "agent", host: "h", version: "1", pools: ["p"] });
  for (let n = 0; !isOver(); n++) {
    const claim = { session: sessions[0]!.id, claim_id: String(n), n: 2, wait: 1 };
    const { grants } = await api.workPools.claim("p", claim);
    await Promise.all(grants.map(async ({ flow_run, token }) => {
      const run = { id: flow_run.id, queue: flow_run.work_queue_name! };
      held.take(run);
      await api.flowRuns.setState(run.id, { state: { type: "RUNNING" } }, token);
      await pause(Math.random() * 5);
      held.giveBack(run);
      await api.flowRuns.setState(run.id, { state: { type: "COMPLETED" } }, token);
    }));
  }
}

async function worker({ api }: StartedServer, held: Held, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const polled = await poll(api.http.url);
    if (polled.length === 0) await pause(50);
    for (const run of polled) {
      const propose = (type: StateType) => api.flowRuns.setState(run.id, { state: { type } });
      if ((await propose("PENDING")).status !== "ACCEPT") continue;
      held.take(run);
      await propose("RUNNING");
      held.giveBack(run);
      const { state } = await propose("COMPLETED");
      if (state?.type === "CANCELLING") await propose("CANCELLED");
    }
  }
}

async function poll(url: string): Promise<{ id: string; queue: string }[]> {
  const response = await fetch(`${url}/work_pools/p/get_scheduled_flow_runs`, {
    method: "POST",
    body: JSON.stringify({ limit: 5, scheduled_before: new Date().toISOString() }),
  });
  const runs: { flow_run: { id: string; work_queue_name: string } }[] = await response.json();
  return runs.map(({ flow_run }) => ({ id: flow_run.id, queue: flow_run.work_queue_name }));
}

/** Somebody who changes things, never above the limits of this test. */
async function troublemaker(
  { api }: StartedServer,
  ids: readonly string[],
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) {
    const limit = (most: number) => Math.floor(Math.random() * (most + 1));
    await pick([
      () => api.workPools.update("p", { is_paused: true }),
      () => api.workQueues.update("p", "a", { is_paused: true }),
      () => api.workPools.update("p", { concurrency_limit: limit(POOL_LIMIT) }),
      () => api.workQueues.update("p", "a", { concurrency_limit: limit(3) }),
      () => api.workQueues.update("p", "b", { concurrency_limit: limit(1) }),
      () => api.flowRuns.setState(pick(ids), { state: { type: "CANCELLING" } }),
    ])();
    await pause(30);
    await restore(api);
    await pause(60);
  }
}

async function restore(api: StartedServer["api"]): Promise<void> {
  await api.workPools.update("p", { is_paused: false, concurrency_limit: POOL_LIMIT });
  await api.workQueues.update("p", "a", { is_paused: false, concurrency_limit: 3 });
  await api.workQueues.update("p", "b", { is_paused: false, concurrency_limit: 1 });
}

/** The server's own counts, asked over and over. */
async function observer({ api }: StartedServer, faults: string[], isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const slots = (await api.workPools.get("p")).active_slots ?? 0;
    if (slots > POOL_LIMIT) faults.push(`the server says ${slots} of ${POOL_LIMIT}`);
    for (const queue of await api.workQueues.list("p")) {
      const limit = QUEUES.find(({ name }) => name === queue.name)?.limit ?? Infinity;
      if ((queue.active_slots ?? 0) > limit) {
        faults.push(`the server says ${queue.active_slots} in ${queue.name}`);
      }
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
  const held = new Held();
  let isOver = false;
  const over = () => isOver;
  const claimers = Array.from({ length: CLAIMERS }, (_, i) => (i % 2 ? agent : worker)(server, held, over));
  const trouble = troublemaker(server, ids, over);
  const watching = observer(server, held.faults, over);
  await until(async () => await countOf(server.url, TERMINAL) === RUNS, 60 + RUNS / 20, 1_000);
  isOver = true;
  await Promise.all([...claimers, trouble, watching]);
  await restore(server.api);
  assertEquals(held.faults, []);
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
