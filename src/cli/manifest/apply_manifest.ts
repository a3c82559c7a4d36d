import type { Api } from "../../client/api.ts";
import type { Deployment } from "../../schemas/deployment.ts";
import { allPages } from "../all_pages.ts";
import { ifThere } from "../if_there.ts";
import { noSuch } from "../nearest.ts";
import { limitText } from "../screen/values.ts";
import { poolNames } from "../targets.ts";
import type { Manifest } from "./manifest.ts";
import type { Problem } from "./problem.ts";
import type { PoolShape, QueueShape } from "./shape.ts";

export interface AppliedDeployment {
  title: string;
  deployment: Deployment;
  isNew: boolean;
}

export interface Applied {
  deployments: AppliedDeployment[];
  /** What happened to pools and queues, for people: one line each. */
  notes: string[];
}

/** Work pools that deployments name and that are neither on the server nor among those that will be made. */
export async function findMissingPools(
  manifest: Manifest,
  willBe: readonly string[],
  api: Api,
): Promise<Problem[]> {
  const known = [...await poolNames(api), ...willBe];
  return manifest.deployments.flatMap(({ body, poolLine }) => {
    const name = body.work_pool_name;
    if (!name || known.includes(name)) return [];
    return [{
      line: poolLine,
      message: `${noSuch("work pool", name, known)} Create it, or list it in 'work_pools'.`,
    }];
  });
}

/**
 * Creates the pools and queues that are missing, then creates or updates the deployments. Pools and queues that
 * exist are left as they are; the notes say where they differ from the file.
 */
export async function applyManifest(
  { pools, deployments }: Manifest,
  api: Api,
  onDeployment: () => void = () => {},
): Promise<Applied> {
  const notes: string[] = [];
  for (const pool of pools) await applyPool(pool, api, notes);
  const applied: AppliedDeployment[] = [];
  for (const { flow, body } of deployments) {
    const { id } = await api.flows.create({ name: flow });
    const deployment = await api.deployments.create({ ...body, flow_id: id });
    applied.push({
      title: `${flow}/${body.name}`,
      deployment,
      isNew: deployment.created === deployment.updated,
    });
    onDeployment();
  }
  return { deployments: applied, notes };
}

async function applyPool(shape: PoolShape, api: Api, notes: string[]): Promise<void> {
  const existing = await ifThere(api.workPools.get(shape.name));
  if (existing === undefined) {
    await api.workPools.create({
      name: shape.name,
      ...(shape.type ? { type: shape.type } : {}),
      concurrency_limit: shape.concurrency_limit ?? null,
      description: shape.description ?? null,
    });
    notes.push(`Created work pool '${shape.name}'.`);
  } else {
    noteDifferences(`Work pool '${shape.name}'`, existing, comparable(shape), notes);
  }
  const queues = await allPages((page) => api.workQueues.list(shape.name, page));
  for (const queue of shape.queues ?? []) {
    const found = queues.find(({ name }) => name === queue.name);
    await applyQueue(queue, { pool: shape.name, found, isPoolNew: existing === undefined }, api, notes);
  }
}

async function applyQueue(
  queue: QueueShape,
  at: { pool: string; found: object | undefined; isPoolNew: boolean },
  api: Api,
  notes: string[],
): Promise<void> {
  const title = `work queue '${queue.name}' of '${at.pool}'`;
  const settings = comparable(queue);
  if (at.found === undefined) {
    await api.workQueues.create(at.pool, { ...settings, name: queue.name });
    notes.push(`Created ${title}.`);
  } else if (at.isPoolNew) {
    // The pool's own default queue, which came with it.
    await api.workQueues.update(at.pool, queue.name, settings);
  } else {
    noteDifferences(title.replace(/^w/, "W"), at.found, settings, notes);
  }
}

/** The settings that the file gives; what it leaves out is not compared. */
function comparable(shape: PoolShape | QueueShape): Record<string, unknown> {
  const settings = Object.entries(shape).filter(([key, value]) =>
    key !== "name" && key !== "queues" && value !== undefined
  );
  return Object.fromEntries(settings);
}

function noteDifferences(
  title: string,
  existing: object,
  wished: Record<string, unknown>,
  notes: string[],
): void {
  for (const [key, value] of Object.entries(wished)) {
    const present: unknown = Reflect.get(existing, key);
    if (present === value) continue;
    notes.push(`${title} was left as it is: its ${key} is ${show(present)}, in the file ${show(value)}.`);
  }
}

const show = (value: unknown): string =>
  typeof value === "number" || value === null || value === undefined
    ? limitText(value)
    : JSON.stringify(value);
