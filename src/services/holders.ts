import type { Blocked } from "../domain/gate.ts";
import { isAgentOnline } from "../domain/worker.ts";
import { agentKey, deploymentKey, leaseKey, queuePolledKey, sessionKey } from "../kv/keys.ts";
import { get, getMany, listAll } from "../kv/read.ts";
import type { SlotHolder } from "../schemas/explanation.ts";
import {
  type AgentRecord,
  type Instant,
  type LeaseRecord,
  type RunRecord,
  type SessionRecord,
  THIRD_PARTY,
} from "../schemas/records.ts";
import { formatInstant } from "../schemas/wire.ts";
import type { FlowRunView } from "./flow_run_views.ts";
import type { FlowRuns } from "./flow_runs.ts";
import { isRecent } from "./polls.ts";

/** Holders that an answer names. */
const NAMED = 10;
/** Leases and sessions that are looked at. */
const LOOKED_AT = 1_000;

interface Lease {
  session: string;
  run: string;
  value: LeaseRecord;
}

/** What the places of a run are called, for sentences about it. */
export async function namesOf(
  kv: Deno.Kv,
  { run, poolName, queueName }: Pick<FlowRunView, "run" | "poolName" | "queueName">,
): Promise<{ pool: string; queue: string; deployment: string }> {
  const deployment = run.deployment && (await get(kv, deploymentKey(run.deployment))).value?.name;
  return { pool: poolName ?? "?", queue: queueName ?? "?", deployment: deployment || "?" };
}

/** Who holds the slots of a pool, and whether anybody asks for more. */
export class Holders {
  readonly #kv: Deno.Kv;
  readonly #runs: FlowRuns;

  constructor(kv: Deno.Kv, runs: FlowRuns) {
    this.#kv = kv;
    this.#runs = runs;
  }

  /** The longest holders of the slots that `run` waits for, in its pool; at most `most`. */
  async of(run: RunRecord, full: Blocked["kind"], most = NAMED): Promise<SlotHolder[]> {
    const pool = run.pool!;
    const leases = (await this.#leases(pool))
      .filter(({ value }) => full !== "queue_full" || value.queueNo === run.queueNo)
      .filter(({ value }) => full !== "deployment_full" || value.deployment === run.deployment)
      .sort((a, b) => a.value.since - b.value.since)
      .slice(0, most);
    const [views, agents] = await Promise.all([
      this.#runs.views(leases.map(({ run }) => run)),
      Promise.all(leases.map(({ session }) => this.#agentOfSession(pool, session))),
    ]);
    return leases.flatMap(({ run, value }, i): SlotHolder[] => {
      const view = views.find((one) => one.run.id === run);
      if (!view) return []; // ended meanwhile
      return [{
        flow_run_id: run,
        name: view.doc.name,
        state_type: view.run.state.type,
        state_name: view.run.state.name,
        since: formatInstant(value.since),
        agent: agents[i]?.name ?? null,
        host: agents[i]?.host ?? null,
      }];
    });
  }

  /** The agent that holds the run; undefined when nobody of ours does. */
  async agentOf(run: RunRecord): Promise<AgentRecord | undefined> {
    return run.pool && run.session ? await this.#agentOfSession(run.pool, run.session) : undefined;
  }

  /** Why nobody asks for the run, or undefined when somebody does. */
  async audience(
    run: RunRecord,
    now: Instant,
  ): Promise<{ kind: "no_agent" | "agents_full"; message: string } | undefined> {
    const polled = run.queue ? (await get(this.#kv, queuePolledKey(run.queue))).value : null;
    const [sessions, leases] = await Promise.all([this.#sessions(run.pool!), this.#leases(run.pool!)]);
    const agents = (await getMany(this.#kv, sessions.map(({ value }) => agentKey(value.agent))))
      .map(({ value }) => value);
    const online = sessions.flatMap(({ session, value }, i) => {
      const agent = agents[i];
      const isOnline = agent && value.state === "live" && isAgentOnline(value, agent.heartbeatSeconds, now);
      const held = leases.filter((lease) => lease.session === session).length;
      return isOnline ? [{ agent, isFull: agent.limit !== null && held >= agent.limit }] : [];
    });
    if (online.length > 0 && online.every(({ isFull }) => isFull)) {
      const names = online.map(({ agent }) => `'${agent.name}' (${agent.limit})`).join(", ");
      return {
        kind: "agents_full",
        message: `Every agent that is online has as many runs as it takes: ${names}.`,
      };
    }
    if (isRecent(polled, now)) return undefined;
    const last = sessions.map(({ value }, i) => ({ seen: value.seen, agent: agents[i] }))
      .toSorted((a, b) => b.seen - a.seen)[0];
    const who = online.length > 0
      ? `Online are ${online.map(({ agent }) => `'${agent.name}'`).join(", ")}, for other queues.`
      : last?.agent
      ? `The last one was '${last.agent.name}' on ${last.agent.host}, seen at ${formatInstant(last.seen)}.`
      : "There has been none yet.";
    return { kind: "no_agent", message: `No agent asks for work of this queue. ${who}` };
  }

  async #leases(pool: string): Promise<Lease[]> {
    const entries = await listAll(this.#kv, leaseKey(pool, "", "").slice(0, 2) as Deno.KvKey, {
      limit: LOOKED_AT,
    });
    return entries.map(({ key, value }) => ({
      session: key[2] as string,
      run: key[3] as string,
      value: value as LeaseRecord,
    }));
  }

  async #sessions(pool: string): Promise<{ session: string; value: SessionRecord }[]> {
    const entries = await listAll(this.#kv, sessionKey(pool, "").slice(0, 2) as Deno.KvKey, {
      limit: LOOKED_AT,
    });
    return entries.map(({ key, value }) => ({ session: key[2] as string, value: value as SessionRecord }));
  }

  async #agentOfSession(pool: string, session: string): Promise<AgentRecord | undefined> {
    if (session === THIRD_PARTY) return undefined;
    const { value } = await get(this.#kv, sessionKey(pool, session));
    if (!value) return undefined;
    return (await get(this.#kv, agentKey(value.agent))).value ?? undefined;
  }
}
