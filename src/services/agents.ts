import { DEFAULT_HEARTBEAT_SECONDS } from "../domain/worker.ts";
import { DomainError } from "../errors.ts";
import { Commit } from "../kv/commit.ts";
import type { GroupCommit } from "../kv/group_commit.ts";
import { agentKey, leaseKey, runKey, sessionKey, sweepKey } from "../kv/keys.ts";
import { readText } from "../kv/large_text.ts";
import { get, getMany, listAll } from "../kv/read.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import {
  type AgentCreate,
  type ClaimBody,
  type HeartbeatBody,
  LONGEST_WAIT_SECONDS,
} from "../schemas/agent.ts";
import type {
  AgentRecord,
  Instant,
  JsonText,
  RunRecord,
  SessionRecord,
  StateType,
  WorkPoolRecord,
} from "../schemas/records.ts";
import { forgetAgent } from "./agent_departure.ts";
import type { Deployments, DeploymentView } from "./deployments.ts";
import type { Flows } from "./flows.ts";
import type { FlowRunView } from "./flow_run_views.ts";
import type { FlowRuns } from "./flow_runs.ts";
import { queueFilter } from "./gate/claim.ts";
import type { Gates } from "./gate/gates.ts";
import type { Polls } from "./polls.ts";
import type { RunNews } from "./run_news.ts";
import type { SetState } from "./set_state.ts";
import type { WorkPools } from "./work_pools.ts";
import type { WorkQueues } from "./work_queues.ts";

/** An agent with its sessions. */
export interface AgentView {
  agent: AgentRecord;
  sessions: { id: string; pool: string; poolName: string }[];
}

/** What the server says about what an agent holds. */
export interface HeartbeatView {
  sessions: { id: string; state: SessionRecord["state"] }[];
  runs: { id: string; action: "keep" | "stop" | "cancel"; stateType: StateType | null; listed: boolean }[];
}

/** Runs granted to a claim, with what is needed to start them. */
export interface ClaimView {
  grants: { token: string; attempt: number; view: FlowRunView; flowName: string }[];
  deployments: DeploymentView[];
  baseJobTemplate: JsonText;
}

/** How often a heartbeat is tried again when another write of the session came between. */
const ATTEMPTS = 20;

/** How often an agent's polling is written down. */
const NOTE_EVERY_MICROS = 20e6;

interface Parts {
  gates: Gates;
  group: GroupCommit;
  flows: Flows;
  pools: WorkPools;
  queues: WorkQueues;
  deployments: Deployments;
  runs: FlowRuns;
  setState: SetState;
  polls: Polls;
  news: RunNews;
}

/** Our own agents: registration, heartbeats, claims. */
export class Agents {
  readonly #deps: ServerDeps;
  readonly #parts: Parts;
  /** When a selection of queues was last noted as polled. */
  readonly #noted = new Map<string, Instant>();

  constructor(deps: ServerDeps, parts: Parts) {
    this.#deps = deps;
    this.#parts = parts;
  }

  /**
   * A fresh agent with a fresh session for each pool.
   *
   * @param heartbeatSeconds how often it is told to send a heartbeat
   * @throws DomainError `not_found`: no such pool
   */
  async open(body: AgentCreate, heartbeatSeconds = DEFAULT_HEARTBEAT_SECONDS): Promise<AgentView> {
    const { kv, ids, clock } = this.#deps;
    const pools = await Promise.all([...new Set(body.pools)].map((name) => this.#parts.pools.require(name)));
    const round = await this.#round();
    const now = clock.now();
    const sessions = pools.map((pool) => ({ id: ids.uuid(), pool: pool.id, poolName: pool.name }));
    const agent: AgentRecord = {
      id: ids.uuid(),
      name: body.name,
      host: body.host,
      version: body.version,
      limit: body.limit ?? null,
      sessions: Object.fromEntries(sessions.map(({ id, pool }) => [pool, id])),
      queues: body.queues,
      prefixes: body.prefixes,
      heartbeatSeconds,
      created: now,
    };
    for (const { id, pool } of sessions) {
      const key = sessionKey(pool, id);
      await this.#parts.group.send(
        new Commit().checkAbsent(key).set(key, { agent: agent.id, round, seen: now, state: "live" }),
      );
    }
    const key = agentKey(agent.id);
    await new Commit().checkAbsent(key).set(key, agent).send(kv);
    return { agent, sessions };
  }

  /** The agent has ended. @throws DomainError `not_found`; `conflict` with the count while it holds runs */
  async leave(id: string): Promise<void> {
    await forgetAgent(this.#deps.kv, this.#parts.gates, id);
  }

  /**
   * Renews the agent's sessions at once, then waits up to `body.wait` seconds for news about its runs.
   *
   * @throws DomainError `not_found`: no such agent
   */
  async heartbeat(id: string, body: HeartbeatBody, signal: AbortSignal): Promise<HeartbeatView> {
    const { value: agent } = await get(this.#deps.kv, agentKey(id));
    if (!agent) throw new DomainError("not_found", `Agent ${id} not found. Register again.`);
    const own = Object.entries(agent.sessions).filter(([, session]) => body.sessions.includes(session));
    const news = this.#parts.news.listen(own.map(([, session]) => session));
    try {
      const sessions = await Promise.all(own.map(([pool, session]) => this.#renew(pool, session)));
      const runs = await this.#holdings(own, body.runs);
      const hasNews = runs.some(({ action }) => action !== "keep") ||
        sessions.some(({ state }) => state !== "live");
      if (body.wait <= 0 || hasNews) return { sessions, runs };
      await this.#waitFor(news.heard, body.wait, signal);
      return { sessions, runs: await this.#holdings(own, body.runs) };
    } finally {
      news.stop();
    }
  }

  /** Waits until news are heard, at most `seconds`; not for a client that has gone, nor when the server stops. */
  async #waitFor(heard: AbortSignal, seconds: number, client: AbortSignal): Promise<void> {
    const { clock, shutdown } = this.#deps;
    const ms = Math.min(seconds, LONGEST_WAIT_SECONDS) * 1000;
    const isOver = new AbortController();
    const end = () => isOver.abort();
    const sources = [heard, client, shutdown];
    for (const source of sources) source.addEventListener("abort", end, { once: true });
    if (sources.some(({ aborted }) => aborted)) end();
    await clock.sleep(ms, isOver.signal);
    for (const source of sources) source.removeEventListener("abort", end);
  }

  async #renew(pool: string, id: string): Promise<{ id: string; state: SessionRecord["state"] }> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const [entry, round] = await Promise.all([get(this.#deps.kv, sessionKey(pool, id)), this.#round()]);
      if (!entry.value || entry.value.state === "ended") return { id, state: "ended" };
      const renewed = { ...entry.value, round, seen: this.#deps.clock.now() };
      const commit = new Commit().check(entry).set(sessionKey(pool, id), renewed);
      if (await this.#parts.group.send(commit)) return { id, state: entry.value.state };
    }
    throw new DomainError("contention", "The session changed while it was being renewed: try again.");
  }

  async #round(): Promise<number> {
    return (await get(this.#deps.kv, sweepKey())).value ?? 0;
  }

  /** For every run that the agent lists, and every run that its sessions hold: what to do. */
  async #holdings(
    sessions: readonly (readonly [pool: string, session: string])[],
    listed: HeartbeatBody["runs"],
  ): Promise<HeartbeatView["runs"]> {
    const { kv } = this.#deps;
    const own = new Set(sessions.map(([, session]) => session));
    const leases = await Promise.all(
      sessions.map(([pool, session]) => listAll(kv, leaseKey(pool, session, "").slice(0, 3) as Deno.KvKey)),
    );
    const tokens = new Map(listed.map(({ id, token }) => [id, token]));
    const unlisted = leases.flat().map(({ key }) => key[3] as string).filter((id) => !tokens.has(id));
    const records = await getMany(kv, [...tokens.keys(), ...unlisted].map(runKey));
    return [...tokens.keys(), ...unlisted].flatMap((id, i) => {
      const run = records[i]?.value ?? null;
      const isListed = tokens.has(id);
      const isHeld = run?.session !== null && run?.session !== undefined && own.has(run.session);
      if (!isListed && !isHeld) return []; // ended while this was read
      return [{
        id,
        action: actionOf(run, own, isListed ? tokens.get(id) : run?.token ?? undefined),
        stateType: run?.state.type ?? null,
        listed: isListed,
      }];
    });
  }

  /**
   * Runs for the agent, as soon as there are any, at most `body.n`.
   *
   * @throws DomainError `not_found`: no such pool; `stale_token`: the session has ended
   */
  async claim(poolName: string, body: ClaimBody, signal: AbortSignal): Promise<ClaimView> {
    const pool = await this.#parts.pools.require(poolName);
    const claim = {
      session: body.session,
      claimId: body.claim_id,
      queues: body.queues,
      prefixes: body.prefixes,
      n: body.n,
      prefetch: Math.round(body.prefetch * 1e6),
      signal,
    };
    const waitMs = Math.min(body.wait, LONGEST_WAIT_SECONDS) * 1000;
    const [granted] = await Promise.all([
      this.#parts.gates.of(pool.id).claim(claim, waitMs),
      this.#notePolled(pool.name, body),
    ]);
    return await this.#claimView(pool, granted);
  }

  /** Reads all queues of the pool, so it must not happen at each claim. */
  async #notePolled(poolName: string, body: ClaimBody): Promise<void> {
    const selection = JSON.stringify([poolName, body.queues, body.prefixes]);
    const now = this.#deps.clock.now();
    if (now - (this.#noted.get(selection) ?? -Infinity) < NOTE_EVERY_MICROS) return;
    this.#noted.set(selection, now);
    const page = { limit: Number.MAX_SAFE_INTEGER, offset: 0 };
    const queues = await this.#parts.queues.list(poolName, null, page);
    const names = new Map(queues.map(({ queue }) => [queue.id, queue.name]));
    const allows = queueFilter(body, names);
    await this.#parts.polls.noteQueues(queues.map(({ config }) => config).filter(allows).map(({ id }) => id));
  }

  async #claimView(pool: WorkPoolRecord, granted: readonly RunRecord[]): Promise<ClaimView> {
    const { runs, flows } = this.#parts;
    if (granted.length === 0) return { grants: [], deployments: [], baseJobTemplate: "{}" };
    const [views, baseJobTemplate] = await Promise.all([
      runs.views(granted.map(({ id }) => id)),
      readText(this.#deps.kv, pool.baseJobTemplate),
    ]);
    const byId = new Map(views.map((view) => [view.run.id, view]));
    const wanted = new Set(granted.flatMap(({ deployment }) => deployment ?? []));
    const found = await Promise.all([...wanted].map((id) => this.#deploymentOrGone(id)));
    const gone = new Set([...wanted].filter((_, i) => found[i] === undefined));
    const grants = await Promise.all(granted.map(async (run) => {
      const view = byId.get(run.id);
      if (!view) return [];
      if (run.deployment !== null && gone.has(run.deployment)) {
        await this.#cancelOrphan(run);
        return [];
      }
      const flowName = (await flows.get(run.flow).catch(() => undefined))?.name ?? "";
      return [{ token: run.token ?? "", attempt: run.attempt, view: { ...view, run }, flowName }];
    }));
    return {
      grants: grants.flat(),
      deployments: found.filter((deployment) => deployment !== undefined),
      baseJobTemplate,
    };
  }

  /** Undefined when it was deleted. */
  async #deploymentOrGone(id: string): Promise<DeploymentView | undefined> {
    try {
      return await this.#parts.deployments.get(id);
    } catch (error) {
      if (error instanceof DomainError && error.code === "not_found") return undefined;
      throw error;
    }
  }

  /** A run whose deployment was deleted has nothing to run; the reference's workers cancel it too. */
  async #cancelOrphan(run: RunRecord): Promise<void> {
    try {
      await this.#parts.setState.propose({
        run: run.id,
        state: { type: "CANCELLED", message: "The deployment of this run was deleted." },
        force: true,
        token: run.token ?? undefined,
      });
    } catch (error) {
      // Somebody else decided about the run meanwhile; the claim's other runs are not to suffer.
      if (!(error instanceof DomainError)) throw error;
      this.#deps.log.warn("A run without its deployment could not be cancelled.", { run: run.id, error });
    }
  }
}

function actionOf(
  run: RunRecord | null,
  own: ReadonlySet<string>,
  token: string | undefined,
): HeartbeatView["runs"][number]["action"] {
  if (!run || run.session === null || !own.has(run.session) || run.token !== token) return "stop";
  return run.state.type === "CANCELLING" ? "cancel" : "keep";
}
