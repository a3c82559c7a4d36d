/** Which deployments point at a queue, and how they are pointed elsewhere. */
import { DomainError } from "../errors.ts";
import { Commit } from "../kv/commit.ts";
import { deploymentKey } from "../kv/keys.ts";
import { get } from "../kv/read.ts";
import type { DeploymentRecord, Instant } from "../schemas/records.ts";

/** How often a write is tried again when another one came between. */
const ATTEMPTS = 20;

/** Ids of the deployments that point at one of the queues. */
export async function deploymentsOf(kv: Deno.Kv, queues: ReadonlySet<string>): Promise<string[]> {
  const prefix = deploymentKey("").slice(0, 1) as Deno.KvKey;
  const found: string[] = [];
  for await (const { value } of kv.list<DeploymentRecord>({ prefix }, { batchSize: 500 })) {
    if (value.queue !== null && queues.has(value.queue)) found.push(value.id);
  }
  return found;
}

/** Where a deployment points; null: nowhere. */
export type DeploymentTarget = { pool: string; queue: string } | null;

/** Points the deployment at `target`, if it still points at one of the queues. */
export async function retarget(
  kv: Deno.Kv,
  id: string,
  from: ReadonlySet<string>,
  target: DeploymentTarget,
  now: Instant,
): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const entry = await get(kv, deploymentKey(id));
    const { value } = entry;
    if (value === null || value.queue === null || !from.has(value.queue)) return;
    const next = { ...value, pool: target?.pool ?? null, queue: target?.queue ?? null, updated: now };
    if ((await new Commit().check(entry).set(deploymentKey(id), next).send(kv)).ok) return;
  }
  throw new DomainError("contention", "A deployment changed while it was being written: try again.");
}
