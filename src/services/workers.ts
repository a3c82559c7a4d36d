import { agentBeat, type Beating, matchesWorker, workerStatus } from "../domain/worker.ts";
import { DomainError } from "../errors.ts";
import { Commit } from "../kv/commit.ts";
import type { GroupCommit } from "../kv/group_commit.ts";
import { hashKey } from "../kv/hash.ts";
import { agentKey, poolKey, sessionKey, workerKey } from "../kv/keys.ts";
import { get, getMany, listAll } from "../kv/read.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { Instant, SessionRecord, WorkerRecord } from "../schemas/records.ts";
import type { WorkerListBody, WorkerStatus } from "../schemas/worker.ts";
import type { WorkPools } from "./work_pools.ts";

/** A worker as people see it. */
export interface WorkerView {
  worker: WorkerRecord;
  pool: string;
  status: WorkerStatus;
}

/** How often a heartbeat is tried again when another write came between. */
const ATTEMPTS = 20;

/** The reference's workers. They announce themselves; that they are gone is seen from their silence. */
export class Workers {
  readonly #deps: ServerDeps;
  readonly #group: GroupCommit;
  readonly #pools: WorkPools;

  constructor(deps: ServerDeps, group: GroupCommit, pools: WorkPools) {
    this.#deps = deps;
    this.#group = group;
    this.#pools = pools;
  }

  /** Notes that the worker lives; `interval` in seconds, null keeps what it said before. @throws DomainError `not_found` */
  async heartbeat(poolName: string, name: string, interval: number | null): Promise<void> {
    const { kv, clock, ids } = this.#deps;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const { id } = await this.#pools.require(poolName);
      const key = workerKey(id, hashKey(name));
      const [pool, entry] = await Promise.all([get(kv, poolKey(id)), get(kv, key)]);
      if (!pool.value) continue;
      const now = clock.now();
      const known = entry.value ?? { id: ids.uuid(), name, interval: null, created: now };
      const worker = { ...known, interval: interval ?? known.interval, lastHeartbeat: now };
      // The pool is checked, so that none is left behind when its pool is deleted.
      if (await this.#group.send(new Commit().check(pool).check(entry).set(key, worker))) return;
    }
    throw new DomainError("contention", "The worker changed while its heartbeat was noted: try again.");
  }

  /** Newest heartbeat first. @throws DomainError `not_found`: no such pool */
  async list(poolName: string, body: WorkerListBody): Promise<WorkerView[]> {
    const { kv, clock } = this.#deps;
    const { id: pool } = await this.#pools.require(poolName);
    const now = clock.now();
    return (await readWorkersAndAgents(kv, pool)).filter((worker) => matchesWorker(body.workers, worker, now))
      .toSorted((a, b) => b.lastHeartbeat - a.lastHeartbeat || (a.name < b.name ? -1 : 1))
      .slice(body.offset, body.offset + body.limit)
      .map((worker) => ({ worker, pool, status: workerStatus(worker, now) }));
  }

  /** @throws DomainError `not_found`; `conflict`: it is an agent */
  async delete(poolName: string, name: string): Promise<void> {
    const { kv } = this.#deps;
    const { id: pool } = await this.#pools.require(poolName);
    const key = workerKey(pool, hashKey(name));
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const entry = await get(kv, key);
      if (!entry.value) {
        const isAgent = (await readAgents(kv, pool)).some((agent) => agent.name === name);
        if (!isAgent) throw new DomainError("not_found", "Worker not found.");
        throw new DomainError("conflict", `'${name}' is an agent. Stop its process; it cannot be deleted.`);
      }
      if ((await new Commit().check(entry).delete(key).send(kv)).ok) return;
    }
    throw new DomainError("contention", "The worker changed while it was being deleted: try again.");
  }
}

/** Workers and agents of a pool, in no particular order. */
async function readWorkersAndAgents(kv: Deno.Kv, pool: string): Promise<(WorkerRecord & Beating)[]> {
  return (await Promise.all([readWorkers(kv, pool), readAgents(kv, pool)])).flat();
}

async function readWorkers(kv: Deno.Kv, pool: string): Promise<WorkerRecord[]> {
  const entries = await listAll(kv, workerKey(pool, "").slice(0, 2) as Deno.KvKey);
  return entries.map(({ value }) => value as WorkerRecord);
}

/** Whether one of the pool's workers is online; agents of ours are not looked at. */
export async function hasOnlineWorker(kv: Deno.Kv, pool: string, now: Instant): Promise<boolean> {
  return (await readWorkers(kv, pool)).some((worker) => workerStatus(worker, now) === "ONLINE");
}

/**
 * An agent is a worker of each of its pools, known by its session there. An agent that was started again has a new
 * session under the same name: the latest one is shown, since a worker is its name.
 */
async function readAgents(kv: Deno.Kv, pool: string): Promise<(WorkerRecord & Beating)[]> {
  const sessions = (await listAll(kv, sessionKey(pool, "").slice(0, 2) as Deno.KvKey))
    .map(({ value }) => value as SessionRecord)
    .filter(({ state }) => state !== "ended");
  const agents = await getMany(kv, sessions.map(({ agent }) => agentKey(agent)));
  const byName = new Map<string, WorkerRecord & Beating>();
  for (const [i, session] of sessions.entries()) {
    const agent = agents[i]?.value;
    if (!agent || (byName.get(agent.name)?.lastHeartbeat ?? -Infinity) > session.seen) continue;
    const { id, name, created, heartbeatSeconds } = agent;
    byName.set(name, { id, name, created, ...agentBeat(session, heartbeatSeconds) });
  }
  return [...byName.values()];
}

/** Deletes what a deleted pool had of workers. */
export async function dropWorkers(kv: Deno.Kv, pool: string): Promise<void> {
  for await (const entry of kv.list<WorkerRecord>({ prefix: workerKey(pool, "").slice(0, 2) })) {
    await new Commit().check(entry).delete(entry.key).send(kv);
  }
}
