/** The objects that users name, found or refused with the nearest names. */
import type { Api } from "../client/api.ts";
import type { Deployment } from "../schemas/deployment.ts";
import type { FlowRun } from "../schemas/flow_run.ts";
import { allPages } from "./all_pages.ts";
import { CliError, UsageError } from "./errors.ts";
import { noSuch, requireTarget } from "./nearest.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Runs that are searched for near names. */
const RECENT_RUNS = 200;

export const poolNames = async (api: Api): Promise<string[]> =>
  (await allPages((page) => api.workPools.list(page))).map(({ name }) => name);

/** The answer of a request about the work pool `name`. */
export const requirePool = <T>(api: Api, name: string, request: Promise<T>): Promise<T> =>
  requireTarget(request, { kind: "work pool", name, names: () => poolNames(api) });

/** The answer of a request about a queue; the pool is looked at only when the request was refused. */
export function requireQueue<T>(api: Api, pool: string, name: string, request: Promise<T>): Promise<T> {
  return requireTarget(request, {
    kind: `work queue in work pool '${pool}' named`,
    name,
    names: async () => {
      await requirePool(api, pool, api.workPools.get(pool));
      return (await allPages((page) => api.workQueues.list(pool, page))).map((queue) => queue.name);
    },
  });
}

/** Deployments with the names under which users know them: `flow/name`. */
export interface NamedDeployment {
  title: string;
  deployment: Deployment;
}

export async function listDeployments(api: Api): Promise<NamedDeployment[]> {
  const [deployments, flows] = await Promise.all([
    allPages((page) => api.deployments.list(page)),
    allPages((page) => api.flows.list(page)),
  ]);
  const names = new Map(flows.map(({ id, name }) => [id, name]));
  return deployments.map((deployment) => ({
    title: `${names.get(deployment.flow_id) ?? deployment.flow_id}/${deployment.name}`,
    deployment,
  }));
}

/**
 * The deployment called `FLOW/NAME`, or with that id.
 *
 * @throws UsageError for text that is neither; CliError with near names when there is none
 */
export async function requireDeployment(api: Api, reference: string): Promise<NamedDeployment> {
  const names = async () => (await listDeployments(api)).map(({ title }) => title);
  if (UUID.test(reference)) {
    const deployment = await requireTarget(api.deployments.get(reference), {
      kind: "deployment",
      name: reference,
      names,
    });
    return { title: `${(await api.flows.get(deployment.flow_id)).name}/${deployment.name}`, deployment };
  }
  const [flow, name, ...more] = reference.split("/");
  if (!flow || !name || more.length > 0) {
    const near = noSuch("deployment", reference, await names());
    throw new UsageError(`A deployment is named FLOW/NAME. ${near}`);
  }
  const request = api.deployments.byName(flow, name);
  return {
    title: reference,
    deployment: await requireTarget(request, { kind: "deployment", name: reference, names }),
  };
}

/**
 * The flow run with that id, or of that name.
 *
 * @throws CliError with near names when there is none, with the ids when several have the name
 */
export async function requireFlowRun(api: Api, reference: string): Promise<FlowRun> {
  const names = async () => (await api.flowRuns.list({ limit: RECENT_RUNS })).map(({ name }) => name);
  if (UUID.test(reference)) {
    const target = { kind: "flow run", name: reference, names };
    return await requireTarget(api.flowRuns.get(reference.toLowerCase()), target);
  }
  const found = await api.flowRuns.list({ flow_runs: { name: { any_: [reference] } }, limit: 10 });
  const [first] = found;
  if (first === undefined) throw new CliError(noSuch("flow run", reference, await names()));
  if (found.length === 1) return first;
  const ids = found.map(({ id }) => id).join(", ");
  throw new CliError(`Several flow runs are named '${reference}': take one by its id: ${ids}.`);
}
