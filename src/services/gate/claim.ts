import { DomainError } from "../../errors.ts";
import type { ClaimRequest, PlannedGrant } from "../../domain/plan_claim.ts";
import { enterState, nextTimestamp, proposedState } from "../../domain/run_state.ts";
import { leaseKey, runKey } from "../../kv/keys.ts";
import { getMany, listAll } from "../../kv/read.ts";
import type { Ids } from "../../runtime/ids.ts";
import type { Instant, LeaseRecord, QueueConfig, RunRecord } from "../../schemas/records.ts";
import type { Batch } from "./batch.ts";
import type { PoolCache, PoolQueues } from "./pool_cache.ts";

/** What an agent asks for. */
export interface Claim {
  session: string;
  claimId: string;
  /** Names and name prefixes of queues; both empty: all queues. */
  queues: readonly string[];
  prefixes: readonly string[];
  n: number;
  /** Microseconds before its time at which a run may be claimed. */
  prefetch: number;
  /** The client: nothing is granted to one that has gone. */
  signal: AbortSignal;
}

/** A claim that waits at the gate. */
export interface WaitingClaim {
  claim: Claim;
  /** Whether grants given to the same claim id before were looked for. */
  isNew: boolean;
  /** Set while a commit that grants to it is under way, so that it cannot be withdrawn in between. */
  committing: boolean;
  /** Its time is over: it is answered after the next look, so that a claim that does not wait is looked at once. */
  isOver: boolean;
  /** Nobody reads the answer any more: nothing is granted to it. */
  isGone: boolean;
  resolve(granted: RunRecord[]): void;
  reject(error: unknown): void;
}

/**
 * Whether the claim may go on to the plan. One whose session has ended is refused, one whose session drains gets
 * nothing, one that was answered before gets the same answer again.
 */
export async function admitClaim(
  kv: Deno.Kv,
  cache: PoolCache,
  claim: Claim,
  isNew: boolean,
): Promise<"admitted" | { granted: RunRecord[] }> {
  const session = await cache.session(claim.session);
  if (!session || session.state === "ended") {
    throw new DomainError("stale_token", `Session ${claim.session} has ended. Register the agent again.`);
  }
  if (session.state === "draining") return { granted: [] };
  if (!isNew) return "admitted";
  const granted = await grantedBefore(kv, cache.pool, claim);
  return granted.length > 0 ? { granted } : "admitted";
}

async function grantedBefore(kv: Deno.Kv, pool: string, claim: Claim): Promise<RunRecord[]> {
  const leases = await listAll(kv, leaseKey(pool, claim.session, "").slice(0, 3) as Deno.KvKey);
  const runs = leases.filter(({ value }) => (value as LeaseRecord).claimId === claim.claimId)
    .map(({ key }) => key[3] as string);
  const records = await getMany(kv, runs.map(runKey));
  return records.flatMap(({ value }) => value?.session === claim.session ? [value] : []);
}

/** The claim as the plan sees it. */
export function toRequest(claim: Claim, queues: PoolQueues, now: Instant): ClaimRequest {
  return { n: claim.n, dueBefore: now + claim.prefetch, allows: queueFilter(claim, queues.names) };
}

/** Which queues a selection by names and prefixes means. */
export function queueFilter(
  selection: { queues: readonly string[]; prefixes: readonly string[] },
  names: ReadonlyMap<string, string>,
): (queue: QueueConfig) => boolean {
  if (selection.queues.length === 0 && selection.prefixes.length === 0) return () => true;
  return ({ id }) => {
    const name = names.get(id);
    return name !== undefined &&
      (selection.queues.includes(name) || selection.prefixes.some((prefix) => name.startsWith(prefix)));
  };
}

/** Stages one grant: the run leaves the index and is held under a fresh token. */
export function stageGrant(
  batch: Batch,
  planned: PlannedGrant,
  claim: Claim,
  ids: Ids,
  now: Instant,
): RunRecord {
  const { run, isParked } = planned;
  const due = run.state.details.scheduled_time;
  const pending = proposedState("PENDING", { details: due === undefined ? {} : { scheduled_time: due } });
  const granted: RunRecord = {
    ...enterState(run, { ...pending, id: ids.kin(run.id), timestamp: nextTimestamp(run.state, now) }),
    session: claim.session,
    token: ids.token(),
    attempt: run.attempt + 1,
    started: false,
  };
  batch.change(run, granted, { lease: { claimId: claim.claimId }, from: isParked ? "lane" : "wait" });
  return granted;
}
