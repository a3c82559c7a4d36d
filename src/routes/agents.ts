import { z } from "zod";
import {
  Agent,
  AgentCreate,
  AgentDetails,
  AgentListQuery,
  AgentStatus,
  type ClaimAnswer,
  HeartbeatAnswer,
  HeartbeatBody,
} from "../schemas/agent.ts";
import type { Instant } from "../schemas/records.ts";
import { formatInstant, formatOptional, fromJsonText } from "../schemas/wire.ts";
import type { AgentList, AgentStatusView, HeldRunView } from "../services/agent_list.ts";
import type { Agents, AgentView, ClaimView, HeartbeatView } from "../services/agents.ts";
import { toDeployment } from "./deployment_shapes.ts";
import { created, type Endpoint, endpoint, noContent, ok } from "./endpoint.ts";
import { toFlowRun } from "./shapes.ts";

export interface AgentSettings {
  /** How often agents are told to send a heartbeat. */
  heartbeatSeconds: number;
}

export function agentEndpoints(
  { agents, agentList }: { agents: Agents; agentList: AgentList },
  now: () => Instant,
  settings: AgentSettings,
): Endpoint[] {
  return [
    endpoint({
      method: "POST",
      path: "/agents",
      summary: "Register an agent process",
      body: AgentCreate,
      answers: { 201: Agent },
    }, async ({ body }) => {
      const { heartbeatSeconds } = settings;
      return created(toAgent(await agents.open(body, heartbeatSeconds), now(), settings));
    }),
    endpoint({
      method: "GET",
      path: "/agents",
      summary: "List agents, with whether they are online",
      query: AgentListQuery,
      answers: { 200: z.array(AgentStatus) },
    }, async ({ query }) => ok((await agentList.list(query)).map(toAgentStatus))),
    endpoint(
      {
        method: "GET",
        path: "/agents/:id",
        summary: "Get an agent with the runs that it holds",
        answers: { 200: AgentDetails },
      },
      async ({ param }) => ok(toAgentDetails(await agentList.get(param("id")))),
    ),
    endpoint({
      method: "DELETE",
      path: "/agents/:id",
      summary: "Forget an agent that has ended",
      answers: { 204: null },
    }, async ({ param }) => {
      await agents.leave(param("id"));
      return noContent();
    }),
    endpoint(
      {
        method: "POST",
        path: "/agents/:id/heartbeat",
        summary: "Renew an agent's sessions; waits for news",
        body: HeartbeatBody,
        answers: { 200: HeartbeatAnswer },
      },
      async ({ param, body, signal }) =>
        ok(toHeartbeatAnswer(await agents.heartbeat(param("id"), body, signal), now())),
    ),
  ];
}

function toAgent({ agent, sessions }: AgentView, now: Instant, { heartbeatSeconds }: AgentSettings): Agent {
  return {
    id: agent.id,
    name: agent.name,
    sessions: sessions.map(({ id, pool, poolName }) => ({
      id,
      work_pool_id: pool,
      work_pool_name: poolName,
    })),
    heartbeat_seconds: heartbeatSeconds,
    server_time: formatInstant(now),
  };
}

function toAgentStatus(view: AgentStatusView): AgentStatus {
  const { agent, online, lastSeen, sessions, held } = view;
  return {
    id: agent.id,
    created: formatInstant(agent.created),
    name: agent.name,
    host: agent.host,
    version: agent.version,
    online,
    last_heartbeat: formatOptional(lastSeen),
    limit: agent.limit,
    queues: agent.queues ?? [],
    prefixes: agent.prefixes ?? [],
    sessions: sessions.map(({ id, pool, poolName, state, online, lastSeen }) => ({
      id,
      work_pool_id: pool,
      work_pool_name: poolName,
      state,
      online,
      last_heartbeat: formatOptional(lastSeen),
    })),
    held_runs: held.length,
  };
}

function toAgentDetails({ runs, ...view }: AgentStatusView & { runs: HeldRunView[] }): AgentDetails {
  return {
    ...toAgentStatus(view),
    runs: runs.map(({ id, name, pool, state }) => ({
      id,
      name,
      work_pool_id: pool,
      state_type: state.type,
      state_name: state.name,
    })),
  };
}

function toHeartbeatAnswer({ sessions, runs }: HeartbeatView, now: Instant): HeartbeatAnswer {
  return {
    sessions,
    runs: runs.map(({ id, action, stateType, listed }) => ({ id, action, state_type: stateType, listed })),
    server_time: formatInstant(now),
  };
}

export function toClaimAnswer(
  { grants, deployments, baseJobTemplate }: ClaimView,
  now: Instant,
): ClaimAnswer {
  return {
    grants: grants.map(({ token, attempt, view, flowName }) => ({
      token,
      attempt,
      flow_run: toFlowRun(view, now),
      flow_name: flowName,
    })),
    deployments: Object.fromEntries(deployments.map((view) => [view.deployment.id, toDeployment(view)])),
    base_job_template: fromJsonText(baseJobTemplate) as Record<string, unknown>,
    server_time: formatInstant(now),
  };
}
