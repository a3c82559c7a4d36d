import { Agent, AgentCreate, type ClaimAnswer, HeartbeatAnswer, HeartbeatBody } from "../schemas/agent.ts";
import type { Instant } from "../schemas/records.ts";
import { formatInstant, fromJsonText } from "../schemas/wire.ts";
import type { Agents, AgentView, ClaimView, HeartbeatView } from "../services/agents.ts";
import { created, type Endpoint, endpoint, ok } from "./endpoint.ts";
import { toDeployment, toFlowRun } from "./shapes.ts";

export interface AgentSettings {
  /** How often agents are told to send a heartbeat. */
  heartbeatSeconds: number;
}

export function agentEndpoints(agents: Agents, now: () => Instant, settings: AgentSettings): Endpoint[] {
  return [
    endpoint(
      {
        method: "POST",
        path: "/agents",
        summary: "Register an agent process",
        body: AgentCreate,
        answers: { 201: Agent },
      },
      async ({ body }) => created(toAgent(await agents.open(body), now(), settings)),
    ),
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
