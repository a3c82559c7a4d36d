/**
 * A random world around the gate: two servers over one KV whose answers get lost, agents that die, workers without
 * tokens, people who change everything, servers that crash. Every commit is looked at; at the end the faults stop, and
 * every run has to end.
 */
import { TERMINAL_TYPES } from "../../src/schemas/records.ts";
import { buildServices } from "../../src/services/services.ts";
import { fakeDeps } from "./fake_deps.ts";
import { FakeKv, type KvFaults, NO_FAULTS } from "./fake_kv.ts";
import { FakeKvStore } from "./fake_kv_store.ts";
import { agent, createRun, janitor, limiter, type Scene, thirdParty, user } from "./sim_agents.ts";
import { SimObserver } from "./sim_observer.ts";
import { SIM_START, SimScheduler } from "./sim_scheduler.ts";
import { SimServers } from "./sim_servers.ts";

const FAULTS: KvFaults = {
  lostAnswer: 0.05,
  appliedThough: 0.7,
  unknownOutcome: 0.005,
  locked: 0.01,
  slowAnswer: 0,
};
const POOLS = ["left", "right"];
const RUNS = 14;
const STORMY_STEPS = 2_500;
const CALM_STEPS = 30_000;

export interface WorldOptions {
  seed: number;
  openKv?: (kv: FakeKv) => Deno.Kv;
  keepsLaws?: boolean;
}

export interface WorldResult {
  /** What went wrong; undefined when nothing did. */
  fault: string | undefined;
  trace: readonly string[];
}

export async function runWorld({ seed, openKv, keepsLaws = true }: WorldOptions): Promise<WorldResult> {
  const scheduler = new SimScheduler({ seed, jumpChance: 0.005 });
  const store = new FakeKvStore();
  const faults: KvFaults = { ...NO_FAULTS };
  const setting = await setUp(store, seed);
  const servers = new SimServers({ scheduler, store, faults, ...(openKv ? { openKv } : {}) }, 2);
  const observer = new SimObserver(store, () => scheduler.now(), keepsLaws);
  let isCalm = false;
  const scene: Scene = { scheduler, servers, observer, pools: POOLS, isCalm: () => isCalm, ...setting };
  const found = () => observer.fault !== undefined;
  const result = (fault: string | undefined): WorldResult => ({ fault, trace: scheduler.trace });

  Object.assign(faults, FAULTS);
  const stormy = ["agent0", "agent1", "worker", "user0", "user1", "creator", "limiter", "chaos"];
  scheduler.start("agent0", () => agent(scene, "agent0", "left"));
  scheduler.start("agent1", () => agent(scene, "agent1", scheduler.random.chance(0.3) ? "left" : "right"));
  scheduler.start("worker", () => thirdParty(scene, "worker", "left"));
  scheduler.start("user0", () => user(scene, "user0", 20));
  scheduler.start("user1", () => user(scene, "user1", 20));
  scheduler.start("creator", async () => {
    for (let n = 0; n < RUNS; n++) await createRun(scene, "creator", n);
  });
  scheduler.start("limiter", () => limiter(scene, "limiter"));
  scheduler.start("chaos", async () => {
    for (let n = 0; n < 2; n++) {
      await scheduler.sleep("chaos", 20 + scheduler.random.int(300));
      servers.crash();
    }
  });
  try {
    await scheduler.run(found, STORMY_STEPS);
    if (found()) return result(observer.fault);
    return result(await calm());
  } catch (error) {
    return result(`an actor failed: ${error instanceof Error ? error.stack : error}`);
  }

  /** The storm is over: whoever died stays dead, two agents that never fail take what is left. */
  async function calm(): Promise<string | undefined> {
    for (const who of stormy) scheduler.kill(who);
    Object.assign(faults, NO_FAULTS);
    isCalm = servers.isCalm = true;
    scheduler.start("janitor", () => janitor(scene, "janitor"));
    for (const pool of POOLS) scheduler.start(`last ${pool}`, () => agent(scene, `last ${pool}`, pool));
    const end = await scheduler.run(() => found() || isOver(observer), CALM_STEPS);
    if (found()) return observer.fault;
    if (end !== "done") return `liveness: not every run has ended: ${describe(observer)}`;
    const held = [...observer.stored.gates.values()].reduce((sum, gate) => sum + gate.occ, 0);
    return held === 0 ? undefined : `liveness: ${held} slots are taken though every run has ended`;
  }
}

const isOver = ({ stored }: SimObserver): boolean =>
  [...stored.runs.values()].every(({ state }) => TERMINAL_TYPES.has(state.type));

const describe = ({ stored }: SimObserver): string =>
  [...stored.runs.values()].map(({ id, state }) => `${id.slice(-4)} ${state.type} ${state.name}`).join(", ");

/** Made by a server of its own, before the world begins. */
async function setUp(store: FakeKvStore, seed: number): Promise<{ flow: string; deployment: string }> {
  const deps = fakeDeps({ kv: new FakeKv(store), seed, start: SIM_START - 1_000_000 });
  const services = buildServices(deps);
  for (const name of POOLS) {
    const body = { name, type: "process", base_job_template: "{}", is_paused: false, concurrency_limit: 2 };
    await services.workPools.create(body);
    await services.workQueues.create(name, {
      name: "high",
      is_paused: false,
      priority: 1,
      concurrency_limit: 1,
    });
  }
  const { flow } = await services.flows.create({ name: "flow", tags: [], labels: "{}" });
  const { view } = await services.deployments.upsert({ name: "d", flow_id: flow.id, work_pool_name: "left" });
  return { flow: flow.id, deployment: view.deployment.id };
}
