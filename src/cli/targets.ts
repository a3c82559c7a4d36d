/** The objects that users name or give the id of, found or refused with the nearest names. */
import type { Api } from "../client/api.ts";
import type { Deployment } from "../schemas/deployment.ts";
import type { Flow } from "../schemas/flow.ts";
import type { FlowRun } from "../schemas/flow_run.ts";
import type { Variable } from "../schemas/variable.ts";
import { allPages } from "./all_pages.ts";
import { CliError, UsageError } from "./errors.ts";
import { noSuch, requireTarget } from "./nearest.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
export const isId = (reference: string): boolean => UUID.test(reference);
/** Runs that are searched for near names. */
const RECENT_RUNS = 200;

export const poolNames = async (api: Api): Promise<string[]> =>
  (await allPages((page) => api.workPools.list(page))).map(({ name }) => name);

/** The name of the pool with that id; what is no pool's id is taken as a name. */
async function poolNameOf(api: Api, reference: string): Promise<string> {
  if (!isId(reference)) return reference;
  const [pool] = await api.workPools.list({ work_pools: { id: { any_: [reference] } } });
  return pool?.name ?? reference;
}

/** The answer of a request about the work pool with that name or id. */
export async function requirePool<T>(
  api: Api,
  reference: string,
  request: (name: string) => Promise<T>,
): Promise<T> {
  const name = await poolNameOf(api, reference);
  return await requireTarget(request(name), { kind: "work pool", name, names: () => poolNames(api) });
}

/** Where a queue is. */
export interface QueuePlace {
  pool: string;
  name: string;
}

/** The answer of a request about a queue; the pool counts where the queue is not given by its id. */
export async function requireQueue<T>(
  api: Api,
  { pool: poolReference, name: reference }: QueuePlace,
  request: (place: QueuePlace) => Promise<T>,
): Promise<T> {
  const byId = isId(reference) ? await findQueue(api, reference) : undefined;
  const { pool, name } = byId ?? { pool: await poolNameOf(api, poolReference), name: reference };
  return await requireTarget(request({ pool, name }), {
    kind: `work queue in work pool '${pool}' named`,
    name,
    names: async () => {
      await requirePool(api, pool, api.workPools.get);
      return (await allPages((page) => api.workQueues.list(pool, page))).map((queue) => queue.name);
    },
  });
}

async function findQueue(api: Api, id: string): Promise<QueuePlace> {
  const queue = await requireTarget(api.workQueues.byId(id), { kind: "work queue", name: id });
  return { pool: queue.work_pool_name, name: queue.name };
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
  const target = { kind: "deployment", name: reference, names };
  if (isId(reference)) {
    const deployment = await requireTarget(api.deployments.get(reference), target);
    return { title: `${(await api.flows.get(deployment.flow_id)).name}/${deployment.name}`, deployment };
  }
  const [flow, name, ...more] = reference.split("/");
  if (!flow || !name || more.length > 0) {
    const near = noSuch("deployment", reference, await names());
    throw new UsageError(`A deployment is named FLOW/NAME. ${near}`);
  }
  return { title: reference, deployment: await requireTarget(api.deployments.byName(flow, name), target) };
}

/** The flow with that name or id. @throws CliError with near names when there is none */
export async function requireFlow(api: Api, reference: string): Promise<Flow> {
  const names = async () => (await allPages((page) => api.flows.list(page))).map(({ name }) => name);
  const request = isId(reference) ? api.flows.get(reference) : api.flows.byName(reference);
  return await requireTarget(request, { kind: "flow", name: reference, names });
}

/**
 * The flow run with that id, or of that name.
 *
 * @throws CliError with near names when there is none, with the ids when several have the name
 */
export async function requireFlowRun(api: Api, reference: string): Promise<FlowRun> {
  const names = async () => (await api.flowRuns.list({ limit: RECENT_RUNS })).map(({ name }) => name);
  if (isId(reference)) {
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

/** The variable with that name or id. @throws CliError with near names when there is none */
export async function requireVariable(api: Api, reference: string): Promise<Variable> {
  const names = async () => (await allPages((page) => api.variables.list(page))).map(({ name }) => name);
  const request = isId(reference) ? api.variables.get(reference) : api.variables.byName(reference);
  return await requireTarget(request, { kind: "variable", name: reference, names });
}

/**
 * The id of the agent with that name or id.
 *
 * @throws CliError with near names when there is none, with the ids when several have the name
 */
export async function requireAgent(api: Api, reference: string): Promise<string> {
  if (isId(reference)) {
    return (await requireTarget(api.agents.get(reference), { kind: "agent", name: reference })).id;
  }
  const agents = await allPages((page) => api.agents.list(page));
  const found = agents.filter(({ name }) => name === reference);
  // Names come back with a restart: who is there counts.
  const [first, ...more] = found.some(({ online }) => online) ? found.filter(({ online }) => online) : found;
  if (first === undefined) throw new CliError(noSuch("agent", reference, agents.map(({ name }) => name)));
  if (more.length === 0) return first.id;
  const ids = [first, ...more].map(({ id }) => id).join(", ");
  throw new CliError(`Several agents are named '${reference}': take one by its id: ${ids}.`);
}
