import { type ClaimInput, type ClaimPlan, type ClaimRequest, planClaim } from "../../domain/plan_claim.ts";
import type { Batch } from "./batch.ts";
import type { PoolCache } from "./pool_cache.ts";

/** {@link planClaim} with everything that it asks for. */
export async function loadPlan(
  batch: Batch,
  claims: readonly ClaimRequest[],
  most = Infinity,
): Promise<ClaimPlan> {
  const { cache } = batch;
  for (;;) {
    const input: ClaimInput = {
      gate: batch.gate.copy(),
      queues: batch.queues.sorted,
      windows: batch.windows(),
      runs: { get: (id) => batch.known(id) },
      claims,
      most,
    };
    const plan = planClaim(input);
    const { queues, runs } = plan.missing;
    if (queues.size === 0 && runs.size === 0) return plan;
    if (queues.size > 0) {
      const eligible = batch.queues.sorted.filter((queue) =>
        !batch.gate.blockedIn(queue) && claims.some((claim) => claim.allows(queue))
      );
      await cache.loadWindows(queues, eligible);
    }
    if (runs.size > 0) await cache.loadRuns(nextRuns(cache, runs, claims));
    for (const run of runs) if (!cache.runs.has(run)) cache.forget(run);
  }
}

/** The run that the plan stopped at, and those behind it that it will ask for next. */
function nextRuns(cache: PoolCache, runs: ReadonlySet<string>, claims: readonly ClaimRequest[]): string[] {
  const wanted = Math.max(10, claims.reduce((sum, claim) => sum + claim.n, 0));
  const ids = [...runs];
  for (const { entries } of cache.windows.values()) {
    const at = entries.findIndex(({ run }) => runs.has(run));
    if (at >= 0) ids.push(...entries.slice(at, at + Math.min(wanted, 200)).map(({ run }) => run));
  }
  return ids;
}
