/**
 * The endpoints of our own agents (docs/gate.md, "Tokens and sessions").
 *
 * An agent process registers once and gets one session for each pool. It claims over a long poll, reports states by
 * `POST /flow_runs/{id}/set_state` with its claim token, and keeps its sessions alive by heartbeats.
 */
import { z } from "zod";
import { Deployment } from "./deployment.ts";
import { FlowRun } from "./flow_run.ts";
import { STATE_TYPES } from "./records.ts";
import * as wire from "./wire.ts";

/** The header that carries the claim token; the other way is a base URL ending in `/t/<token>/api`. */
export const CLAIM_TOKEN_HEADER = "Sluice-Claim-Token";

/** Longest time that a claim may wait, in seconds. Below what proxies cut by default (30 s and more). */
export const LONGEST_WAIT_SECONDS = 25;

const selection = {
  /** Queues to draw from, by name. Empty together with `prefixes`: all queues of the pool. */
  queues: wire.orDefault(z.array(z.string()), []),
  /** Queues to draw from, by the start of their name; queues made later are found too. */
  prefixes: wire.orDefault(z.array(z.string()), []),
};

export const AgentCreate = z.strictObject({
  name: z.string().min(1).max(255),
  host: z.string().max(255),
  version: z.string().max(64),
  pools: z.array(z.string()).min(1).max(50),
  ...selection,
  limit: wire.int(0).nullish(),
}).meta({ id: "AgentCreate" });
export type AgentCreate = z.output<typeof AgentCreate>;

export const Agent = z.object({
  id: z.string(),
  name: z.string(),
  /** One session for each pool. */
  sessions: z.array(z.object({ id: z.string(), work_pool_id: z.string(), work_pool_name: z.string() })),
  /** How often to send a heartbeat, in seconds. */
  heartbeat_seconds: z.number(),
  server_time: wire.time(),
}).meta({ id: "Agent" });
export type Agent = z.output<typeof Agent>;

/** Which agents to list; all without a query. */
export const AgentListQuery = z.object({
  online: wire.bool().optional(),
  work_pool_name: z.string().optional(),
  limit: wire.limit(),
  offset: wire.offset(),
});
export type AgentListQuery = z.output<typeof AgentListQuery>;

/** An agent as people see it. `online` is computed from its last heartbeat whenever this is asked for. */
export const AgentStatus = z.object({
  id: z.string(),
  created: wire.time(),
  name: z.string(),
  host: z.string(),
  version: z.string(),
  online: z.boolean(),
  last_heartbeat: wire.time().nullable(),
  /** Runs at once; null without limit. */
  limit: z.number().nullable(),
  queues: z.array(z.string()),
  prefixes: z.array(z.string()),
  sessions: z.array(z.object({
    id: z.string(),
    work_pool_id: z.string(),
    /** Null when the pool was deleted. */
    work_pool_name: z.string().nullable(),
    state: z.enum(["live", "draining", "ended"]),
    online: z.boolean(),
    last_heartbeat: wire.time().nullable(),
  })),
  /** How many runs it holds. */
  held_runs: z.number(),
}).meta({ id: "AgentStatus" });
export type AgentStatus = z.output<typeof AgentStatus>;

/** {@link AgentStatus} with the runs that the agent holds. */
export const AgentDetails = AgentStatus.extend({
  runs: z.array(z.object({
    id: z.string(),
    name: z.string(),
    work_pool_id: z.string().nullable(),
    state_type: z.enum(STATE_TYPES),
    state_name: z.string(),
  })),
}).meta({ id: "AgentDetails" });
export type AgentDetails = z.output<typeof AgentDetails>;

export const HeartbeatBody = z.strictObject({
  sessions: z.array(wire.uuid()),
  /** Runs that the agent holds, each with its claim token. */
  runs: wire.orDefault(z.array(z.strictObject({ id: wire.uuid(), token: z.string() })), []),
  /** How long to wait for news (a cancel, a stop) before answering, in seconds. */
  wait: wire.orDefault(wire.num(0), 0),
}).meta({ id: "AgentHeartbeat" });
export type HeartbeatBody = z.output<typeof HeartbeatBody>;

/**
 * `keep`: go on. `cancel`: end the process tree, then report CANCELLED. `stop`: the token is not current any more,
 * end the process tree and forget the run. Runs that the server thinks this agent holds, though the agent did not
 * list them, appear with `keep` or `cancel` and `listed: false`.
 */
export const HeartbeatAnswer = z.object({
  /** `ended`: open a new session. */
  sessions: z.array(z.object({ id: z.string(), state: z.enum(["live", "draining", "ended"]) })),
  runs: z.array(z.object({
    id: z.string(),
    action: z.enum(["keep", "stop", "cancel"]),
    state_type: z.enum(STATE_TYPES).nullable(),
    listed: z.boolean(),
  })),
  server_time: wire.time(),
}).meta({ id: "AgentHeartbeatAnswer" });
export type HeartbeatAnswer = z.output<typeof HeartbeatAnswer>;

export const ClaimBody = z.strictObject({
  session: wire.uuid(),
  /** Made by the client, fresh for each claim; the same id again gets the same grants. */
  claim_id: z.string().min(1).max(64),
  ...selection,
  /** At most this many runs. */
  n: wire.orDefault(wire.int(1, 100), 1),
  /** Runs due within this many seconds may be claimed already; they still start at their time. */
  prefetch: wire.orDefault(wire.num(0), 0),
  /** How long to wait for a run, in seconds; at most {@link LONGEST_WAIT_SECONDS}. */
  wait: wire.orDefault(wire.num(0), 0),
}).meta({ id: "ClaimBody" });
export type ClaimBody = z.output<typeof ClaimBody>;

/** Everything needed to start what was granted. An empty list of grants is an ordinary answer. */
export const ClaimAnswer = z.object({
  grants: z.array(z.object({
    /** Proves in every report that this agent holds the run. */
    token: z.string(),
    attempt: z.number(),
    flow_run: FlowRun,
    flow_name: z.string(),
  })),
  /** The deployments of the granted runs, by id. */
  deployments: z.record(z.string(), Deployment),
  base_job_template: z.record(z.string(), z.unknown()),
  server_time: wire.time(),
}).meta({ id: "ClaimAnswer" });
export type ClaimAnswer = z.output<typeof ClaimAnswer>;
