/** What applying a manifest would change, found out by reading alone. */
import type { Api } from "../../client/api.ts";
import { allPages } from "../all_pages.ts";
import { ifThere } from "../if_there.ts";
import type { DeploymentPlan, Manifest } from "./manifest.ts";
import type { PoolShape } from "./shape.ts";

export interface Difference {
  kind: "work pool" | "work queue" | "deployment";
  name: string;
  action: "create" | "update" | "none";
  /** Field by field, what is there and what would be. */
  changes: Record<string, { from: unknown; to: unknown }>;
}

export async function findDifferences(manifests: readonly Manifest[], api: Api): Promise<Difference[]> {
  const found: Difference[] = [];
  for (const { pools, deployments } of manifests) {
    for (const pool of pools) found.push(...await ofPool(pool, api));
    for (const plan of deployments) found.push(await ofDeployment(plan, api));
  }
  return found;
}

/** Pools and queues that are there are left as they are: only what is missing would be made. */
async function ofPool(shape: PoolShape, api: Api): Promise<Difference[]> {
  const { name } = shape;
  const existing = await ifThere(api.workPools.get(name));
  const queues = existing ? await allPages((page) => api.workQueues.list(name, page)) : [];
  const isThere = (queue: string) => queues.some((known) => known.name === queue);
  return [
    { kind: "work pool", name, action: existing ? "none" : "create", changes: {} },
    ...(shape.queues ?? []).map((queue): Difference => ({
      kind: "work queue",
      name: `${name}/${queue.name}`,
      action: isThere(queue.name) ? "none" : "create",
      changes: {},
    })),
  ];
}

async function ofDeployment({ flow, body }: DeploymentPlan, api: Api): Promise<Difference> {
  const difference = { kind: "deployment" as const, name: `${flow}/${body.name}` };
  const existing = await ifThere(api.deployments.byName(flow, body.name));
  if (existing === undefined) return { ...difference, action: "create", changes: {} };
  const changes = Object.fromEntries(
    Object.entries(body).flatMap(([field, wished]) => {
      const from = comparable(field, Reflect.get(existing, field));
      const to = comparable(field, wished ?? null);
      // Without a queue the server takes the pool's own.
      if (field === "work_queue_name" && to === null) return [];
      return same(from, to) ? [] : [[field, { from, to }]];
    }),
  );
  return { ...difference, action: Object.keys(changes).length === 0 ? "none" : "update", changes };
}

/** What the server added is no difference. */
function comparable(field: string, value: unknown): unknown {
  if (field !== "schedules" || !Array.isArray(value)) return value;
  return value.map(({ schedule, active, parameters, slug }: Record<string, unknown>) => ({
    schedule: withoutNull(schedule),
    active: active ?? true,
    parameters: parameters ?? {},
    slug: slug ?? null,
  }));
}

function withoutNull(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== null));
}

/** Whether both say the same, whatever the order of their keys. */
const same = (a: unknown, b: unknown): boolean => canonical(a) === canonical(b);

const canonical = (value: unknown): string =>
  JSON.stringify(
    value,
    (_key, part: unknown) =>
      typeof part === "object" && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => a < b ? -1 : 1))
        : part,
  ) ?? "null";
