/** Agents, third parties and people of a simulated world. */
import type { RunRecord, StateDetails, StateType } from "../../src/schemas/records.ts";
import type { RemovalQuery } from "../../src/schemas/removal.ts";
import type { Agents } from "../../src/services/agents.ts";
import type { SetStateView } from "../../src/services/set_state.ts";
import type { SeededRandom } from "./seeded_random.ts";
import type { SimObserver } from "./sim_observer.ts";
import type { SimScheduler } from "./sim_scheduler.ts";
import type { Reply, SimServers } from "./sim_servers.ts";

/** What the actors share. */
export interface Scene {
  scheduler: SimScheduler;
  servers: SimServers;
  observer: SimObserver;
  pools: readonly string[];
  flow: string;
  deployment: string;
  /** Set for the end: nobody forgets, nobody dies. */
  isCalm(): boolean;
}

interface Held {
  id: string;
  token: string;
}

type Proposal = { token?: string; force?: boolean; name?: string; details?: StateDetails };

function propose(
  { servers }: Scene,
  who: string,
  run: string,
  type: StateType,
  { token, force = false, name, details }: Proposal = {},
): Promise<Reply<SetStateView>> {
  const state = { type, name, ...(details ? { state_details: details } : {}) };
  return servers.call(who, (services) => services.setState.propose({ run, state, force, token }));
}

/** Proposes until there is an answer or a refusal; undefined when the token is not current, or the run is gone. */
async function insist(
  scene: Scene,
  who: string,
  { id, token }: Held,
  type: StateType,
  options: Proposal = {},
): Promise<SetStateView | undefined> {
  for (let tries = 0; tries < 20; tries++) {
    const reply = await propose(scene, who, id, type, { ...options, token });
    if (reply.kind === "answer") return reply.value;
    if (reply.kind === "refusal") return undefined;
    await scene.scheduler.sleep(who, 50);
  }
  return undefined;
}

/** An agent: registers, claims, runs, reports. Sometimes it dies and forgets what it held. */
export async function agent(scene: Scene, who: string, pool: string): Promise<void> {
  const { scheduler, servers } = scene;
  const { random } = scheduler;
  for (let life = 0;; life++) {
    const body = { name: who, host: "h", version: "1", pools: [pool], queues: [], prefixes: [] };
    const opened = await servers.call(who, (services) => services.agents.open(body));
    if (opened.kind !== "answer") {
      await scheduler.sleep(who, 200);
      if (opened.kind === "refusal") return; // the pool is gone
      continue;
    }
    const session = opened.value.sessions[0]!.id;
    for (let turn = 0; scene.isCalm() || !random.chance(0.05); turn++) {
      const grants = await claim(scene, who, pool, { session, claimId: `${who}.${life}.${turn}` });
      if (grants === "ended") break;
      for (const grant of grants) await work(scene, who, grant);
      if (grants.length === 0) await scheduler.sleep(who, 30);
      if (random.chance(0.1)) await heartbeat(scene, who, opened.value.agent.id, session);
    }
  }
}

async function claim(
  { scheduler, servers }: Scene,
  who: string,
  pool: string,
  { session, claimId }: { session: string; claimId: string },
): Promise<Held[] | "ended"> {
  const body = {
    session,
    claim_id: claimId,
    queues: [],
    prefixes: [],
    n: 1 + scheduler.random.int(3),
    prefetch: 0,
    wait: scheduler.random.chance(0.5) ? 0.2 : 0,
  };
  // A lost reply is asked for again with the same id.
  for (let tries = 0; tries < 3; tries++) {
    const reply = await servers.call(
      who,
      (services, _server, signal) => services.agents.claim(pool, body, signal),
    );
    if (reply.kind === "answer") {
      return reply.value.grants.map(({ token, view }) => ({ id: view.run.id, token }));
    }
    if (reply.kind === "refusal") return "ended";
  }
  return [];
}

async function heartbeat({ servers }: Scene, who: string, id: string, session: string): Promise<void> {
  const body: Parameters<Agents["heartbeat"]>[1] = { sessions: [session], runs: [], wait: 0 };
  await servers.call(who, (services, _server, signal) => services.agents.heartbeat(id, body, signal));
}

/** One run's process, as its holder reports it. */
async function work(scene: Scene, who: string, held: Held): Promise<void> {
  const { random } = scene.scheduler;
  if (!scene.isCalm() && random.chance(0.03)) return; // forgotten
  const started = await insist(scene, who, held, "RUNNING");
  if (!started) return;
  if (started.run.state.type === "RUNNING") {
    await scene.scheduler.sleep(who, random.int(40));
    if (random.chance(0.1)) await pauseAndGoOn(scene, who, held);
    if (random.chance(0.1)) return void await insist(scene, who, held, "SCHEDULED"); // given back
  }
  const cancelled = started.run.state.type === "CANCELLING";
  const end = cancelled ? "CANCELLED" : random.chance(0.3) ? "FAILED" : "COMPLETED";
  const ended = await insist(scene, who, held, end);
  // Retried inside the process.
  if (ended?.run.state.name === "AwaitingRetry") await work(scene, who, held);
}

async function pauseAndGoOn(scene: Scene, who: string, held: Held): Promise<void> {
  const isSuspended = scene.scheduler.random.chance(0.3);
  await insist(scene, who, held, "PAUSED", isSuspended ? { details: { pause_reschedule: true } } : {});
  if (isSuspended) return;
  await scene.scheduler.sleep(who, scene.scheduler.random.int(60)); // somebody may resume it meanwhile
  await insist(scene, who, held, "RUNNING");
}

/** A Prefect worker without tokens: polls, proposes PENDING, RUNNING and an end. Sometimes it stops in between. */
export async function thirdParty(scene: Scene, who: string, pool: string): Promise<void> {
  const { scheduler, servers } = scene;
  const request = { queueNames: [], scheduledBefore: null, scheduledAfter: null, limit: 3 };
  for (;;) {
    const polled = await servers.call(who, (services) => services.scheduledRuns.ofPool(pool, request));
    const runs = polled.kind === "answer" ? polled.value.map(({ run }) => run.id) : [];
    for (const run of runs) {
      const steps: StateType[] = scheduler.random.chance(0.2) ? ["RUNNING"] : ["PENDING", "RUNNING"];
      let isHeld = true;
      for (const step of steps) {
        const reply = await propose(scene, who, run, step);
        isHeld = reply.kind === "answer" && reply.value.answer.status === "ACCEPT";
        if (!isHeld) break;
      }
      if (isHeld && !scheduler.random.chance(0.1)) await propose(scene, who, run, "COMPLETED");
    }
    await scheduler.sleep(who, 100 + scheduler.random.int(200));
  }
}

/** Creates a run, sometimes twice after a lost reply, which an idempotency key makes one. */
export async function createRun(scene: Scene, who: string, n: number): Promise<void> {
  const { scheduler, servers, observer } = scene;
  const { random } = scheduler;
  const scheduled_time = scheduler.now() + (random.chance(0.7) ? 0 : random.int(400) * 1000);
  const body = {
    parameters: "{}",
    context: "{}",
    tags: [],
    idempotency_key: random.chance(0.5) ? `key ${n}` : null,
    empirical_policy: { max_retries: 0, retry_delay_seconds: 0, retries: random.int(2), retry_delay: 0 },
    state: { type: "SCHEDULED" as const, state_details: { scheduled_time } },
    work_queue_name: random.chance(0.4) ? "high" : null,
  };
  for (let tries = 0; tries < 3; tries++) {
    const reply = await servers.call(who, async (services, server) => {
      const { view } = await services.flowRuns.createFromDeployment(scene.deployment, body);
      observer.acknowledged(server, view.run);
    });
    if (reply.kind !== "lost") return;
  }
}

/** A person who changes things at random. */
export async function user(scene: Scene, who: string, actions: number): Promise<void> {
  const { scheduler } = scene;
  for (let i = 0; i < actions; i++) {
    await scheduler.sleep(who, scheduler.random.int(60));
    await randomAction(scene, who, i);
  }
}

async function randomAction(scene: Scene, who: string, i: number): Promise<void> {
  const { scheduler: { random }, servers, observer, pools } = scene;
  const pool = pools[random.int(pools.length)]!;
  const runs = [...observer.stored.runs.keys()];
  const run = runs[random.int(runs.length)];
  const limit = [null, 0, 1, 2, 3][random.int(5)];
  const switched = { is_paused: random.chance(0.4) };
  if (run !== undefined && random.chance(0.5)) return await actOnRun(scene, who, run);
  switch (random.int(7)) {
    case 0:
      return void await servers.call(who, (s) => s.workPools.update(pool, switched));
    case 1:
      return void await servers.call(who, (s) => s.workPools.update(pool, { concurrency_limit: limit }));
    case 2:
      return void await servers.call(who, (s) => s.workQueues.update(pool, "high", switched));
    case 3:
      return void await servers.call(
        who,
        (s) => s.workQueues.update(pool, "high", { concurrency_limit: limit }),
      );
    case 4:
      return void await servers.call(
        who,
        (s) => s.workQueues.update(pool, "high", { priority: 1 + random.int(3) }),
      );
    case 5:
      return void await servers.call(
        who,
        (s) => s.workQueues.create(pool, { name: `q${i}`, is_paused: false }),
      );
    default:
      return void await servers.call(
        who,
        (s) => s.removals.queue(pool, random.chance(0.5) ? "high" : `q${i - 1}`, REMOVALS[i % 3]!),
      );
  }
}

/** What becomes of what is in use where a queue is deleted. */
const REMOVALS: readonly RemovalQuery[] = [{}, { cascade: "cancel" }, { move_to: "default" }];

async function actOnRun(scene: Scene, who: string, run: string): Promise<void> {
  const { scheduler: { random }, servers, observer } = scene;
  const queues = observer.stored.queues;
  switch (random.int(8)) {
    case 7:
      return void await servers.call(who, (s) => s.resume.resume(run, null));
    case 0:
    case 1:
      return void await propose(scene, who, run, "CANCELLING");
    case 2:
      return void await propose(scene, who, run, "SCHEDULED");
    case 3:
      return void await propose(scene, who, run, "CANCELLED", { force: true });
    case 4:
      return void await propose(scene, who, run, "SCHEDULED", { name: "Late" });
    case 5:
      return void await servers.call(who, (s) => s.flowRuns.move(run, queues[random.int(queues.length)]!.id));
    default:
      return void await servers.call(
        who,
        (s) =>
          random.chance(0.5) ? s.flowRuns.delete(run) : s.flowRuns.update(run, { name: `renamed by ${who}` }),
      );
  }
}

/** A person who limits how many runs of the deployment may be going on, and spreads them, in half of the worlds. */
export async function limiter(scene: Scene, who: string): Promise<void> {
  const { scheduler, servers } = scene;
  const random = scheduler.random.fork(who);
  if (random.chance(0.5)) return;
  for (let i = 0; i < 12; i++) {
    await scheduler.sleep(who, random.int(40));
    for (let moves = random.int(4); moves > 0; moves--) await moveSome(scene, who, random);
    const limit = [1, 2, 1, 1, 2, 3, 0, null][random.int(8)]!;
    const strategy = random.chance(0.8) ? "ENQUEUE" as const : "CANCEL_NEW" as const;
    await servers.call(who, (s) => s.deploymentLimits.set(scene.deployment, { limit, strategy }));
  }
}

/** Moves a waiting run to some queue, so that the deployment has lanes in both pools. */
async function moveSome({ servers, observer }: Scene, who: string, random: SeededRandom): Promise<void> {
  const waiting = [...observer.stored.runs.values()].filter(({ session, state }) =>
    session === null && state.type === "SCHEDULED"
  );
  const { queues } = observer.stored;
  const run = waiting[random.int(waiting.length)];
  const queue = queues[random.int(queues.length)];
  if (run && queue) await servers.call(who, (s) => s.flowRuns.move(run.id, queue.id));
}

/** Frees what the dead hold, and lets everything run: used at the end of a world, over and over. */
export async function janitor(scene: Scene, who: string): Promise<void> {
  const { scheduler, servers, observer, pools } = scene;
  for (;;) {
    for (const pool of pools) {
      await servers.call(who, (s) => s.workPools.update(pool, { is_paused: false, concurrency_limit: null }));
    }
    await servers.call(
      who,
      (s) => s.deploymentLimits.set(scene.deployment, { limit: null, strategy: "ENQUEUE" }),
    );
    const open = { is_paused: false, concurrency_limit: null };
    for (const { id } of observer.stored.queues) {
      await servers.call(who, (s) => s.workQueues.updateById(id, open));
    }
    for (const run of observer.stored.runs.values()) {
      if (run.session !== null || isSuspended(run)) {
        await propose(scene, who, run.id, "CANCELLED", { force: true });
      }
    }
    await scheduler.sleep(who, 500);
  }
}

const isSuspended = (run: RunRecord): boolean => run.state.type === "PAUSED" && run.session === null;
