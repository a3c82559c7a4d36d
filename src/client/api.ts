import { z } from "zod";
import {
  Agent,
  type AgentCreate,
  AgentDetails,
  type AgentListQuery,
  AgentStatus,
  CLAIM_TOKEN_HEADER,
  ClaimAnswer,
  type ClaimBody,
  HeartbeatAnswer,
  type HeartbeatBody,
} from "../schemas/agent.ts";
import { Deployment, type DeploymentCreate, type DeploymentUpdate } from "../schemas/deployment.ts";
import { Explanation } from "../schemas/explanation.ts";
import type {
  DeploymentListBody,
  FlowListBody,
  FlowRunListBody,
  LogListBody,
  WorkPoolListBody,
  WorkQueueListBody,
} from "../schemas/filter.ts";
import { Flow, type FlowCreate } from "../schemas/flow.ts";
import { type DeploymentFlowRunCreate, FlowRun, type FlowRunUpdate } from "../schemas/flow_run.ts";
import { Log, type LogCreate } from "../schemas/log.ts";
import { OrchestrationResult, type SetStateBody } from "../schemas/state.ts";
import { WorkPool, type WorkPoolCreate, type WorkPoolUpdate } from "../schemas/work_pool.ts";
import { WorkQueue, type WorkQueueCreate, type WorkQueueUpdate } from "../schemas/work_queue.ts";
import { Http, type HttpOptions } from "./http.ts";

type Input<S extends z.ZodType> = z.input<S>;
interface Call {
  signal?: AbortSignal;
  deadlineMs?: number;
}

/** The typed client: one method for each endpoint that agent, CLI and tests use. Refusals and faults: `http.ts`. */
export class Api {
  readonly http: Http;

  constructor(options: HttpOptions) {
    this.http = new Http(options);
  }

  readonly health = (call: Call = {}) =>
    this.http.request("GET", "/health", { answer: z.boolean(), ...call });
  readonly serverVersion = (call: Call = {}) =>
    this.http.request("GET", "/admin/version", { answer: z.string(), ...call });

  readonly flows = {
    create: (body: Input<typeof FlowCreate>) => this.#post("/flows/", body, Flow),
    get: (id: string) => this.#get(`/flows/${id}`, Flow),
    byName: (name: string) => this.#get(`/flows/name/${part(name)}`, Flow),
    list: (body: Partial<Input<typeof FlowListBody>> = {}) =>
      this.#post("/flows/filter", body, z.array(Flow)),
  };

  readonly workPools = {
    create: (body: Input<typeof WorkPoolCreate>) => this.#post("/work_pools/", body, WorkPool),
    get: (name: string) => this.#get(`/work_pools/${part(name)}`, WorkPool),
    update: (name: string, body: Input<typeof WorkPoolUpdate>) =>
      this.http.request("PATCH", `/work_pools/${part(name)}`, { body }),
    delete: (name: string) => this.http.request("DELETE", `/work_pools/${part(name)}`),
    list: (body: Partial<Input<typeof WorkPoolListBody>> = {}) =>
      this.#post("/work_pools/filter", body, z.array(WorkPool)),
    /** @param wait seconds; the request's own deadline is longer */
    claim: (name: string, body: Input<typeof ClaimBody>, call: Call = {}) =>
      this.http.request("POST", `/work_pools/${part(name)}/claim`, { body, answer: ClaimAnswer, ...call }),
  };

  readonly workQueues = {
    create: (pool: string, body: Input<typeof WorkQueueCreate>) =>
      this.#post(`/work_pools/${part(pool)}/queues`, body, WorkQueue),
    get: (pool: string, name: string) =>
      this.#get(`/work_pools/${part(pool)}/queues/${part(name)}`, WorkQueue),
    update: (pool: string, name: string, body: Input<typeof WorkQueueUpdate>) =>
      this.http.request("PATCH", `/work_pools/${part(pool)}/queues/${part(name)}`, { body }),
    delete: (pool: string, name: string) =>
      this.http.request("DELETE", `/work_pools/${part(pool)}/queues/${part(name)}`),
    list: (pool: string, body: Partial<Input<typeof WorkQueueListBody>> = {}) =>
      this.#post(`/work_pools/${part(pool)}/queues/filter`, body, z.array(WorkQueue)),
  };

  readonly deployments = {
    create: (body: Input<typeof DeploymentCreate>) => this.#post("/deployments/", body, Deployment),
    get: (id: string) => this.#get(`/deployments/${id}`, Deployment),
    byName: (flow: string, name: string) =>
      this.#get(`/deployments/name/${part(flow)}/${part(name)}`, Deployment),
    update: (id: string, body: Input<typeof DeploymentUpdate>) =>
      this.http.request("PATCH", `/deployments/${id}`, { body }),
    delete: (id: string) => this.http.request("DELETE", `/deployments/${id}`),
    list: (body: Partial<Input<typeof DeploymentListBody>> = {}) =>
      this.#post("/deployments/filter", body, z.array(Deployment)),
    run: (id: string, body: Input<typeof DeploymentFlowRunCreate> = {}) =>
      this.#post(`/deployments/${id}/create_flow_run`, body, FlowRun),
  };

  readonly flowRuns = {
    get: (id: string) => this.#get(`/flow_runs/${id}`, FlowRun),
    update: (id: string, body: Input<typeof FlowRunUpdate>) =>
      this.http.request("PATCH", `/flow_runs/${id}`, { body }),
    delete: (id: string) => this.http.request("DELETE", `/flow_runs/${id}`),
    explain: (id: string) => this.#get(`/flow_runs/${id}/explain`, Explanation),
    list: (body: Partial<Input<typeof FlowRunListBody>> = {}) =>
      this.#post("/flow_runs/filter", body, z.array(FlowRun)),
    /** @param token the claim token; without one, as anybody would propose it */
    setState: (id: string, body: Input<typeof SetStateBody>, token?: string, call: Call = {}) =>
      this.http.request("POST", `/flow_runs/${id}/set_state`, {
        body,
        answer: OrchestrationResult,
        ...(token === undefined ? {} : { headers: { [CLAIM_TOKEN_HEADER]: token } }),
        ...call,
      }),
  };

  readonly logs = {
    create: (body: Input<typeof LogCreate>[], call: Call = {}) =>
      this.http.request("POST", "/logs/", { body, ...call }),
    list: (body: Partial<Input<typeof LogListBody>> = {}) => this.#post("/logs/filter", body, z.array(Log)),
  };

  readonly variables = {
    byName: (name: string, call: Call = {}) =>
      this.http.request("GET", `/variables/name/${part(name)}`, {
        answer: z.object({ value: z.unknown() }),
        ...call,
      }),
  };

  readonly agents = {
    create: (body: Input<typeof AgentCreate>, call: Call = {}) =>
      this.http.request("POST", "/agents", { body, answer: Agent, ...call }),
    list: (query: Partial<Input<typeof AgentListQuery>> = {}) =>
      this.#get(`/agents${search(query)}`, z.array(AgentStatus)),
    get: (id: string) => this.#get(`/agents/${id}`, AgentDetails),
    delete: (id: string, call: Call = {}) => this.http.request("DELETE", `/agents/${id}`, call),
    heartbeat: (id: string, body: Input<typeof HeartbeatBody>, call: Call = {}) =>
      this.http.request("POST", `/agents/${id}/heartbeat`, { body, answer: HeartbeatAnswer, ...call }),
  };

  #get<S extends z.ZodType>(path: string, answer: S): Promise<z.output<S>> {
    return this.http.request("GET", path, { answer });
  }

  #post<S extends z.ZodType>(path: string, body: unknown, answer: S): Promise<z.output<S>> {
    return this.http.request("POST", path, { body, answer });
  }
}

const part = encodeURIComponent;

/** The part behind `?`, without what is undefined. */
function search(query: Readonly<Record<string, unknown>>): string {
  const given = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${part(String(value))}`]
  );
  return given.length === 0 ? "" : `?${given.join("&")}`;
}
