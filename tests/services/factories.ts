/** A server's services on a KV of the test's choice, with short ways to make what a test needs. */
import { setImmediate } from "node:timers/promises";
import { readAll } from "./audit.ts";
import type { Instant, RunRecord, StateDetails, StateType } from "../../src/schemas/records.ts";
import type { DeploymentCreate } from "../../src/schemas/deployment.ts";
import type { FlowRunListBody } from "../../src/schemas/filter.ts";
import type { FlowRunCreate } from "../../src/schemas/flow_run.ts";
import type { WorkPoolCreate } from "../../src/schemas/work_pool.ts";
import type { WorkQueueCreate } from "../../src/schemas/work_queue.ts";
import type { Claim } from "../../src/services/gate/claim.ts";
import type { Gatekeeper } from "../../src/services/gate/gatekeeper.ts";
import { buildServices, type Services } from "../../src/services/services.ts";
import type { SetStateView } from "../../src/services/set_state.ts";
import { type FakeDeps, fakeDeps } from "../testing/fake_deps.ts";

export const POOL = "pool";
export const SECOND = 1_000_000;
export const NEVER = new AbortController().signal;

interface ProposeOptions {
  token?: string | undefined;
  force?: boolean;
  name?: string;
  message?: string;
  details?: StateDetails;
  data?: string;
}

/** A server over {@link fakeDeps}: its time stands still until the test moves it. Disposing closes the KV. */
export class World implements Disposable {
  readonly deps: FakeDeps;
  readonly services: Services;
  #flow: string | undefined;
  #claims = 0;

  /** `shared`: one of several servers on the KV, which tell each other by bells. */
  constructor(options: { kv?: Deno.Kv; seed?: number; shared?: boolean } = {}) {
    this.deps = fakeDeps(options);
    this.deps.sharedKv = options.shared ?? false;
    this.services = buildServices(this.deps);
  }

  get kv(): Deno.Kv {
    return this.deps.kv;
  }
  get now(): Instant {
    return this.deps.clock.now();
  }

  async flow(): Promise<string> {
    this.#flow ??= (await this.services.flows.create({ name: "flow", tags: [], labels: "{}" })).flow.id;
    return this.#flow;
  }

  /** A pool with its default queue and the given others, by name. */
  async pool(
    options: Partial<WorkPoolCreate> & { queues?: Record<string, Partial<WorkQueueCreate>> } = {},
  ): Promise<{ id: string; name: string; keeper: Gatekeeper }> {
    const { queues = {}, ...body } = options;
    const { pool } = await this.services.workPools.create({
      name: POOL,
      type: "process",
      base_job_template: "{}",
      is_paused: false,
      ...body,
    });
    for (const [name, queue] of Object.entries(queues)) {
      await this.services.workQueues.create(pool.name, { name, is_paused: false, ...queue });
    }
    return { id: pool.id, name: pool.name, keeper: this.services.gates.of(pool.id) };
  }

  /** A deployment of the flow in the pool. */
  async deployment(body: Partial<DeploymentCreate> = {}): Promise<string> {
    const flow_id = body.flow_id ?? await this.flow();
    const { view } = await this.services.deployments.upsert({
      name: "deployment",
      flow_id,
      work_pool_name: POOL,
      ...body,
    });
    return view.deployment.id;
  }

  /** A run in the pool's queue, due at `at` (now when absent). */
  async run(
    options: { pool?: string; queue?: string; at?: Instant } & Partial<FlowRunCreate> = {},
  ): Promise<string> {
    const { pool = POOL, queue, at, ...body } = options;
    const details = { scheduled_time: at ?? this.now };
    const { view } = await this.services.flowRuns.create({
      flow_id: body.flow_id ?? await this.flow(),
      parameters: "{}",
      context: "{}",
      tags: [],
      work_pool_name: pool,
      work_queue_name: queue ?? null,
      state: { type: "SCHEDULED", state_details: details },
      ...body,
    });
    return view.run.id;
  }

  /** Such runs, one after the other. */
  async runs(count: number, options: Parameters<World["run"]>[0] = {}): Promise<string[]> {
    const ids: string[] = [];
    for (let i = 0; i < count; i++) ids.push(await this.run(options));
    return ids;
  }

  /** A fresh agent's session at the pool. */
  async session(pool = POOL): Promise<string> {
    return (await this.agent(pool)).session;
  }

  async agent(pool = POOL): Promise<{ id: string; session: string }> {
    const { agent, sessions } = await this.services.agents.open({
      name: "agent",
      host: "host",
      version: "1",
      pools: [pool],
      queues: [],
      prefixes: [],
    });
    return { id: agent.id, session: sessions[0]!.id };
  }

  /** A claim at the gatekeeper, for at most `n` runs. */
  claimOf(session: string, n = 1, changes: Partial<Claim> = {}): Claim {
    return {
      session,
      claimId: `claim-${++this.#claims}`,
      queues: [],
      prefixes: [],
      n,
      prefetch: 0,
      signal: NEVER,
      ...changes,
    };
  }

  /** What is granted now: at most `n` runs to a fresh session or the given one. */
  async claim(keeper: Gatekeeper, n = 1, session?: string): Promise<RunRecord[]> {
    const claiming = keeper.claim(this.claimOf(session ?? await this.session(), n), 0);
    return await this.soon(claiming);
  }

  /** The promise's value, for what needs no time to pass but the fake clock's own sleep of 0 ms. */
  async soon<T>(promise: Promise<T>): Promise<T> {
    let isOver = false;
    promise.then(() => isOver = true, () => isOver = true);
    while (!isOver) await this.deps.advance(0);
    return await promise;
  }

  async propose(run: string, type: StateType, options: ProposeOptions = {}): Promise<SetStateView> {
    const { token, force = false, name, message, details, data } = options;
    return await this.services.setState.propose({
      run,
      state: {
        type,
        name,
        message,
        ...(details ? { state_details: details } : {}),
        ...(data === undefined ? {} : { data }),
      },
      force,
      token,
    });
  }

  /** The run's record. */
  async record(run: string): Promise<RunRecord> {
    return (await this.services.flowRuns.get(run)).run;
  }

  /** What the invariants of the gate protocol find wrong; empty when nothing. */
  async faults(): Promise<string[]> {
    return (await readAll(this.kv)).faults();
  }

  [Symbol.dispose](): void {
    this.deps.controller.abort();
    this.kv.close();
  }
}

/** Lets everything happen that needs no time to pass. */
export async function settle(turns = 3): Promise<void> {
  for (let i = 0; i < turns; i++) await setImmediate();
}

/** A list request for what the filters match, in order of the ids. */
export const listBody = (filters: Partial<FlowRunListBody>): FlowRunListBody => ({
  sort: "ID_DESC",
  limit: 200,
  offset: 0,
  ...filters,
});
