import { z } from "zod";
import {
  Agent,
  AgentCreate,
  AgentDetails,
  AgentListQuery,
  AgentStatus,
  CLAIM_TOKEN_HEADER,
  ClaimAnswer,
  ClaimBody,
  HeartbeatAnswer,
  HeartbeatBody,
} from "../schemas/agent.ts";
import {
  DeleteDeploymentQuery,
  Deployment,
  DeploymentCreate,
  DeploymentUpdate,
} from "../schemas/deployment.ts";
import { Explanation } from "../schemas/explanation.ts";
import {
  DeploymentListBody,
  FlowListBody,
  FlowRunFilters,
  FlowRunHistoryBody,
  FlowRunListBody,
  FlowRunPaginateBody,
  LogListBody,
  WorkPoolListBody,
  WorkQueueListBody,
} from "../schemas/filter.ts";
import { Flow, FlowCreate } from "../schemas/flow.ts";
import {
  DeploymentFlowRunCreate,
  FlowRun,
  FlowRunCreate,
  FlowRunPage,
  FlowRunUpdate,
  GetRunsBody,
  GetScheduledFlowRunsBody,
  HistoryInterval,
  WorkerFlowRun,
} from "../schemas/flow_run.ts";
import {
  FlowRunBulkDeleteBody,
  FlowRunBulkDeleteResponse,
  FlowRunBulkSetStateBody,
  FlowRunBulkSetStateResponse,
} from "../schemas/flow_run_bulk.ts";
import {
  FlowRunInput,
  FlowRunInputCreateBody,
  FlowRunInputListBody,
  ResumeBody,
} from "../schemas/flow_run_input.ts";
import { Log, LogCreate } from "../schemas/log.ts";
import { OrchestrationResult, SetStateBody } from "../schemas/state.ts";
import * as wire from "../schemas/wire.ts";
import { WorkPool, WorkPoolCreate, WorkPoolUpdate } from "../schemas/work_pool.ts";
import { WorkQueue, WorkQueueCreate, WorkQueueUpdate } from "../schemas/work_queue.ts";
import { Variable, VariableCreate, VariableListBody, VariableUpdate } from "../schemas/variable.ts";
import {
  WorkPoolConcurrencyBody,
  WorkPoolConcurrencyStatus,
  WorkQueueConcurrencyBody,
  WorkQueueConcurrencyStatus,
} from "../schemas/concurrency_status.ts";
import { FlowRemovalQuery, RemovalQuery } from "../schemas/removal.ts";
import {
  type AnswerOf,
  type CallArgs,
  type CallOptions,
  type DeclaredCall,
  type Method,
  pathWith,
  search,
} from "./call.ts";
import { Http, type HttpOptions } from "./http.ts";

/**
 * The typed client: one method for each endpoint that agent, CLI and tests use, made from the endpoint's own schemas.
 * A method takes the parts of the path, the body if there is one, and how to ask. Refusals and faults: `http.ts`.
 */
export class Api {
  readonly http: Http;
  /** What the methods ask, for who compares it with what the server has. */
  readonly calls: DeclaredCall[] = [];

  constructor(options: HttpOptions) {
    this.http = new Http(options);
  }

  readonly health = this.#call("GET", "/health", { answer: z.boolean() });
  readonly serverVersion = this.#call("GET", "/admin/version", { answer: z.string() });

  readonly flows = {
    create: this.#call("POST", "/flows/", { body: FlowCreate, answer: Flow }),
    get: this.#call("GET", "/flows/:id", { answer: Flow }),
    byName: this.#call("GET", "/flows/name/:name", { answer: Flow }),
    delete: this.#call("DELETE", "/flows/:id", { query: FlowRemovalQuery }),
    list: this.#call("POST", "/flows/filter", { body: FlowListBody, answer: z.array(Flow) }),
  };

  readonly workPools = {
    create: this.#call("POST", "/work_pools/", { body: WorkPoolCreate, answer: WorkPool }),
    get: this.#call("GET", "/work_pools/:name", { answer: WorkPool }),
    update: this.#call("PATCH", "/work_pools/:name", { body: WorkPoolUpdate }),
    delete: this.#call("DELETE", "/work_pools/:name", { query: RemovalQuery }),
    list: this.#call("POST", "/work_pools/filter", { body: WorkPoolListBody, answer: z.array(WorkPool) }),
    /** Who holds the slots, a page of queues at a time. */
    slots: this.#call("POST", "/work_pools/:name/concurrency_status", {
      body: WorkPoolConcurrencyBody,
      answer: WorkPoolConcurrencyStatus,
    }),
    /** The request's own deadline has to be longer than the body's `wait`. */
    claim: this.#call("POST", "/work_pools/:name/claim", { body: ClaimBody, answer: ClaimAnswer }),
    /** The poll of the reference's workers. */
    scheduledRuns: this.#call("POST", "/work_pools/:name/get_scheduled_flow_runs", {
      body: GetScheduledFlowRunsBody,
      answer: z.array(WorkerFlowRun),
    }),
  };

  /** What pools can be made of: by package, then by type. */
  readonly workerTypes = this.#call("GET", "/collections/views/:view", {
    answer: z.record(z.string(), z.unknown()),
  });

  readonly #getRuns = this.#call("POST", "/work_queues/:id/get_runs", {
    body: GetRunsBody,
    answer: z.array(FlowRun),
  });

  readonly workQueues = {
    /** In the pool of queues without one, which is made if it is missing. */
    createAlone: this.#call("POST", "/work_queues/", { body: WorkQueueCreate, answer: WorkQueue }),
    byId: this.#call("GET", "/work_queues/:id", { answer: WorkQueue }),
    /** Who holds the slots, a page of runs at a time. */
    slots: this.#call("POST", "/work_queues/:id/concurrency_status", {
      body: WorkQueueConcurrencyBody,
      answer: WorkQueueConcurrencyStatus,
    }),
    /** What could be claimed now, in that order. Looking on does not count as a poll. */
    peek: (id: string, body: z.input<typeof GetRunsBody> = {}) =>
      this.#getRuns(id, body, { headers: { "x-prefect-ui": "true" } }),
    create: this.#call("POST", "/work_pools/:pool/queues", { body: WorkQueueCreate, answer: WorkQueue }),
    get: this.#call("GET", "/work_pools/:pool/queues/:name", { answer: WorkQueue }),
    update: this.#call("PATCH", "/work_pools/:pool/queues/:name", { body: WorkQueueUpdate }),
    delete: this.#call("DELETE", "/work_pools/:pool/queues/:name", { query: RemovalQuery }),
    list: this.#call("POST", "/work_pools/:pool/queues/filter", {
      body: WorkQueueListBody,
      answer: z.array(WorkQueue),
    }),
  };

  readonly deployments = {
    create: this.#call("POST", "/deployments/", { body: DeploymentCreate, answer: Deployment }),
    get: this.#call("GET", "/deployments/:id", { answer: Deployment }),
    byName: this.#call("GET", "/deployments/name/:flow/:name", { answer: Deployment }),
    update: this.#call("PATCH", "/deployments/:id", { body: DeploymentUpdate }),
    delete: this.#call("DELETE", "/deployments/:id", { query: DeleteDeploymentQuery }),
    pause: this.#call("POST", "/deployments/:id/pause_deployment", {}),
    resume: this.#call("POST", "/deployments/:id/resume_deployment", {}),
    list: this.#call("POST", "/deployments/filter", {
      body: DeploymentListBody,
      answer: z.array(Deployment),
    }),
    run: this.#call("POST", "/deployments/:id/create_flow_run", {
      body: DeploymentFlowRunCreate,
      answer: FlowRun,
    }),
  };

  readonly #proposeState = this.#call("POST", "/flow_runs/:id/set_state", {
    body: SetStateBody,
    answer: OrchestrationResult,
  });

  readonly flowRuns = {
    create: this.#call("POST", "/flow_runs", { body: FlowRunCreate, answer: FlowRun }),
    get: this.#call("GET", "/flow_runs/:id", { answer: FlowRun }),
    update: this.#call("PATCH", "/flow_runs/:id", { body: FlowRunUpdate }),
    delete: this.#call("DELETE", "/flow_runs/:id", {}),
    explain: this.#call("GET", "/flow_runs/:id/explain", { answer: Explanation }),
    list: this.#call("POST", "/flow_runs/filter", { body: FlowRunListBody, answer: z.array(FlowRun) }),
    resume: this.#call("POST", "/flow_runs/:id/resume", { body: ResumeBody, answer: OrchestrationResult }),
    addLabels: this.#call("PATCH", "/flow_runs/:id/labels", { body: wire.labels() }),
    deleteMany: this.#call("POST", "/flow_runs/bulk_delete", {
      body: FlowRunBulkDeleteBody,
      answer: FlowRunBulkDeleteResponse,
    }),
    setStates: this.#call("POST", "/flow_runs/bulk_set_state", {
      body: FlowRunBulkSetStateBody,
      answer: FlowRunBulkSetStateResponse,
    }),
    count: this.#call("POST", "/flow_runs/count", { body: FlowRunFilters, answer: z.int() }),
    page: this.#call("POST", "/flow_runs/paginate", { body: FlowRunPaginateBody, answer: FlowRunPage }),
    history: this.#call("POST", "/flow_runs/history", {
      body: FlowRunHistoryBody,
      answer: z.array(HistoryInterval),
    }),
    lateness: this.#call("POST", "/flow_runs/lateness", {
      body: FlowRunFilters,
      answer: z.number().nullable(),
    }),
    /** @param token the claim token; without one, as anybody would propose it */
    setState: (id: string, body: z.input<typeof SetStateBody>, token?: string, options: CallOptions = {}) =>
      this.#proposeState(id, body, {
        ...options,
        ...(token === undefined ? {} : { headers: { [CLAIM_TOKEN_HEADER]: token } }),
      }),
  };

  readonly inputs = {
    create: this.#call("POST", "/flow_runs/:id/input", { body: FlowRunInputCreateBody }),
    list: this.#call("POST", "/flow_runs/:id/input/filter", {
      body: FlowRunInputListBody,
      answer: z.array(FlowRunInput),
    }),
    delete: this.#call("DELETE", "/flow_runs/:id/input/:key", {}),
  };

  readonly logs = {
    create: this.#call("POST", "/logs/", { body: z.array(LogCreate) }),
    list: this.#call("POST", "/logs/filter", { body: LogListBody, answer: z.array(Log) }),
  };

  readonly variables = {
    create: this.#call("POST", "/variables/", { body: VariableCreate, answer: Variable }),
    get: this.#call("GET", "/variables/:id", { answer: Variable }),
    byName: this.#call("GET", "/variables/name/:name", { answer: Variable }),
    update: this.#call("PATCH", "/variables/name/:name", { body: VariableUpdate }),
    delete: this.#call("DELETE", "/variables/name/:name", {}),
    list: this.#call("POST", "/variables/filter", { body: VariableListBody, answer: z.array(Variable) }),
  };

  readonly agents = {
    create: this.#call("POST", "/agents", { body: AgentCreate, answer: Agent }),
    /** The request's own deadline has to be longer than the body's `wait`. */
    heartbeat: this.#call("POST", "/agents/:id/heartbeat", { body: HeartbeatBody, answer: HeartbeatAnswer }),
    list: this.#call("GET", "/agents", { query: AgentListQuery, answer: z.array(AgentStatus) }),
    get: this.#call("GET", "/agents/:id", { answer: AgentDetails }),
    delete: this.#call("DELETE", "/agents/:id", {}),
  };

  /** Declares a call, and gives the method that makes it. */
  #call<
    const P extends string,
    B extends z.ZodType | undefined = undefined,
    Q extends z.ZodType | undefined = undefined,
    A extends z.ZodType | undefined = undefined,
  >(method: Method, path: P, { body, query, answer }: { body?: B; query?: Q; answer?: A }) {
    this.calls.push({ method, path, body, query, answer });
    const { length } = [...path.matchAll(/:\w+/g)];
    return (...args: CallArgs<P, B, Q>): Promise<AnswerOf<A>> => {
      const parts = args.slice(0, length) as string[];
      const rest = args.slice(length);
      const input = body || query ? rest.shift() ?? {} : undefined;
      return this.http.request(method, `${pathWith(path, parts)}${query ? search(input as object) : ""}`, {
        ...rest[0] as CallOptions | undefined,
        ...(body ? { body: input } : {}),
        ...(answer ? { answer } : {}),
      }) as Promise<AnswerOf<A>>;
    };
  }
}
