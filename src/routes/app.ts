import { Hono, type MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { ServerDeps } from "../runtime/deps.ts";
import type { Services } from "../services/services.ts";
import { absentEndpoints } from "./absent.ts";
import { adminEndpoints, settingsEndpoints } from "./admin.ts";
import { agentEndpoints, type AgentSettings } from "./agents.ts";
import { deploymentEndpoints } from "./deployments.ts";
import { docsApp } from "./docs.ts";
import { type Endpoint, mount } from "./endpoint.ts";
import { refusalOf } from "./errors.ts";
import { explainEndpoints } from "./explain.ts";
import { flowRunInputEndpoints } from "./flow_run_inputs.ts";
import { flowRunStateEndpoints } from "./flow_run_states.ts";
import { flowRunListEndpoints } from "./flow_run_lists.ts";
import { flowRunEndpoints } from "./flow_runs.ts";
import { flowEndpoints } from "./flows.ts";
import { allowHosts, refuseOtherSites } from "./host.ts";
import { logEndpoints } from "./logs.ts";
import { buildOpenApi, openApiEndpoint } from "./openapi.ts";
import { requireApiVersion } from "./api_version.ts";
import { slotEndpoints } from "./slots.ts";
import { variableEndpoints } from "./variables.ts";
import { workerEndpoints } from "./workers.ts";
import { workPoolEndpoints } from "./work_pools.ts";
import { workQueueEndpoints } from "./work_queues.ts";

export interface AppOptions extends AgentSettings {
  /** Largest body of a request, in bytes. */
  maxBodyBytes: number;
  /** Names under which the server may be addressed, beside loopback; `*`: any. */
  allowedHosts: readonly string[];
}

/** Every endpoint of the API. */
export function allEndpoints(deps: ServerDeps, services: Services, settings: AgentSettings): Endpoint[] {
  const now = () => deps.clock.now();
  const endpoints = [
    ...adminEndpoints(deps),
    ...settingsEndpoints(services, settings),
    ...flowEndpoints(services),
    ...variableEndpoints(services.variables),
    ...workPoolEndpoints(services, now),
    ...workerEndpoints(services.workers),
    ...workQueueEndpoints(services, now),
    ...slotEndpoints(services.slots, now),
    ...deploymentEndpoints(services, now),
    ...flowRunListEndpoints(services, now),
    ...flowRunEndpoints(services, now),
    ...explainEndpoints(services.explain),
    ...flowRunInputEndpoints(services.flowRunInputs),
    ...flowRunStateEndpoints(services),
    ...logEndpoints(services.logs),
    ...agentEndpoints(services, now, settings),
    ...absentEndpoints(deps),
  ];
  endpoints.push(openApiEndpoint(endpoints));
  return endpoints;
}

/** The API under `/api`, and once more under `/t/<claim token>/api` for clients that cannot send a header; `/docs` to read about it. */
export function buildApp(deps: ServerDeps, services: Services, options: AppOptions): Hono {
  const api = new Hono();
  api.use(requireApiVersion);
  const endpoints = allEndpoints(deps, services, options);
  mount(api, endpoints, deps.log);

  const app = new Hono({ strict: false });
  app.use(allowHosts(options.allowedHosts));
  app.use(refuseOtherSites);
  app.use(limitBody(options.maxBodyBytes));
  app.route("/api", api);
  app.route("/t/:token/api", api);
  app.route("/", docsApp(() => buildOpenApi(endpoints)));
  app.notFound((c) => c.json({ detail: "Not Found" }, 404));
  app.onError((error, c) => refusalOf(error, c, { log: deps.log, body: undefined }));
  return app;
}

function limitBody(maxSize: number): MiddlewareHandler {
  return bodyLimit({
    maxSize,
    onError: (c) => c.json({ detail: `The body is larger than the ${maxSize} bytes that are allowed.` }, 413),
  });
}
