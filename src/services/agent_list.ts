import { isAgentOnline } from "../domain/worker.ts";
import { DomainError } from "../errors.ts";
import { agentKey, leaseKey, poolKey, runDocKey, runKey, sessionKey } from "../kv/keys.ts";
import { get, getMany, listAll } from "../kv/read.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { AgentListQuery } from "../schemas/agent.ts";
import type { AgentRecord, Instant, SessionRecord, StateRecord } from "../schemas/records.ts";

/** An agent as people see it. */
export interface AgentStatusView {
  agent: AgentRecord;
  online: boolean;
  lastSeen: Instant | null;
  sessions: SessionView[];
  /** Ids of the runs that it holds. */
  held: string[];
}

/** One session of an agent; `state` is `ended` when there is no record of it any more. */
export interface SessionView {
  id: string;
  pool: string;
  /** Null when the pool was deleted. */
  poolName: string | null;
  state: SessionRecord["state"];
  online: boolean;
  lastSeen: Instant | null;
}

/** A run that an agent holds. */
export interface HeldRunView {
  id: string;
  name: string;
  pool: string | null;
  state: Omit<StateRecord, "data">;
}

/** No server tells its agents to be silent for longer (see the setting's bounds). */
const LONGEST_HEARTBEAT_SECONDS = 60;

/** Which agents there are and what they hold. Online is computed whenever it is read: nothing has to notice a death. */
export class AgentList {
  readonly #deps: ServerDeps;

  constructor(deps: ServerDeps) {
    this.#deps = deps;
  }

  /** In order of their names. */
  async list(query: AgentListQuery): Promise<AgentStatusView[]> {
    const entries = await listAll(this.#deps.kv, agentKey("").slice(0, 1) as Deno.KvKey);
    const all = await Promise.all(entries.map(({ value }) => this.#status(value as AgentRecord)));
    const isAt = (view: AgentStatusView) =>
      view.sessions.some(({ poolName }) => poolName === query.work_pool_name);
    return all.filter((view) =>
      (query.online === undefined || view.online === query.online) &&
      (query.work_pool_name === undefined || isAt(view))
    )
      .sort((a, b) => a.agent.name < b.agent.name ? -1 : a.agent.name > b.agent.name ? 1 : 0)
      .slice(query.offset, query.offset + query.limit);
  }

  /** @throws DomainError `not_found` */
  async get(id: string): Promise<AgentStatusView & { runs: HeldRunView[] }> {
    const { value: agent } = await get(this.#deps.kv, agentKey(id));
    if (!agent) throw new DomainError("not_found", `Agent ${id} not found.`);
    const view = await this.#status(agent);
    return { ...view, runs: await this.#heldRuns(view.held) };
  }

  /** How many agents of the pool are online. One short read of its sessions, so that lists of pools stay cheap. */
  async onlineIn(pool: string): Promise<number> {
    const { kv, clock } = this.#deps;
    const now = clock.now();
    const sessions = await listAll(kv, sessionKey(pool, "").slice(0, 2) as Deno.KvKey, { batchSize: 500 });
    const recent = sessions.map(({ value }) => value as SessionRecord)
      .filter((session) => isAgentOnline(session, LONGEST_HEARTBEAT_SECONDS, now));
    const agents = await getMany(kv, recent.map(({ agent }) => agentKey(agent)));
    return recent.filter((session, i) => isAgentOnline(session, agents[i]!.value?.heartbeatSeconds, now))
      .length;
  }

  async #status(agent: AgentRecord): Promise<AgentStatusView> {
    const { kv, clock } = this.#deps;
    const own = Object.entries(agent.sessions);
    const [records, pools, leases] = await Promise.all([
      getMany(kv, own.map(([pool, id]) => sessionKey(pool, id))),
      getMany(kv, own.map(([pool]) => poolKey(pool))),
      Promise.all(own.map(([pool, id]) => listAll(kv, leaseKey(pool, id, "").slice(0, 3) as Deno.KvKey))),
    ]);
    const now = clock.now();
    const sessions = own.map(([pool, id], i): SessionView => {
      const record = records[i]!.value;
      return {
        id,
        pool,
        poolName: pools[i]!.value?.name ?? null,
        state: record?.state ?? "ended",
        online: record !== null && isAgentOnline(record, agent.heartbeatSeconds, now),
        lastSeen: record?.seen ?? null,
      };
    });
    return {
      agent,
      online: sessions.some(({ online }) => online),
      lastSeen: sessions.reduce<Instant | null>((last, { lastSeen }) => laterOf(last, lastSeen), null),
      sessions,
      held: leases.flat().map(({ key }) => key[3] as string),
    };
  }

  async #heldRuns(ids: readonly string[]): Promise<HeldRunView[]> {
    const { kv } = this.#deps;
    const [runs, docs] = await Promise.all([getMany(kv, ids.map(runKey)), getMany(kv, ids.map(runDocKey))]);
    return ids.flatMap((id, i) => {
      const run = runs[i]!.value;
      // Ended and deleted while this was read.
      return run ? [{ id, name: docs[i]!.value?.name ?? "", pool: run.pool, state: run.state }] : [];
    });
  }
}

const laterOf = (a: Instant | null, b: Instant | null): Instant | null =>
  a === null ? b : b === null ? a : Math.max(a, b);
