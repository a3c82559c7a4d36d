import { type ClaimInput, type ClaimPlan, type ClaimRequest, planClaim } from "../../domain/plan_claim.ts";
import type { Batch } from "./batch.ts";
import type { PoolCache } from "./pool_cache.ts";

/** {@link planClaim} with everything that it asks for. */
export async function loadPlan(
  batch: Batch,
  claims: readonly ClaimRequest[],
  bounds: Pick<ClaimInput, "mostMutations" | "mostLimits"> = {},
): Promise<ClaimPlan> {
  const { cache } = batch;
  for (;;) {
    const input: ClaimInput = {
      gate: batch.gate.copy(),
      queues: batch.queues.sorted,
      windows: batch.windows(),
      lanes: batch.lanes(),
      runs: { get: (id) => batch.known(id) },
      limits: batch.limits.copies(),
      claims,
      ...bounds,
    };
    const plan = planClaim(input);
    const { queues, runs, limits, lanes } = plan.missing;
    if (queues.size + runs.size + limits.size + lanes.size === 0) return plan;
    if (queues.size > 0) {
      const eligible = batch.queues.sorted.filter((queue) =>
        !batch.gate.blockedIn(queue) && claims.some((claim) => claim.allows(queue))
      );
      await cache.loadWindows(queues, eligible);
    }
    if (lanes.size > 0) await cache.loadLanes(lanes);
    if (runs.size > 0) await loadRuns(batch, nextRuns(cache, runs, claims));
    if (limits.size > 0) await batch.limits.load(limits);
    for (const run of runs) if (!cache.runs.has(run)) cache.forget(run);
  }
}

/** The limits that the plan will ask for next are read with the runs. */
async function loadRuns(batch: Batch, ids: readonly string[]): Promise<void> {
  await batch.cache.loadRuns(ids);
  await batch.limits.load(ids.map((id) => batch.known(id)?.deployment ?? null));
}

/** The run that the plan stopped at, and those behind it that it will ask for next. */
function nextRuns(cache: PoolCache, runs: ReadonlySet<string>, claims: readonly ClaimRequest[]): string[] {
  const wanted = Math.max(10, claims.reduce((sum, claim) => sum + claim.n, 0));
  const ids = [...runs];
  for (const { entries } of [...cache.windows.values(), ...cache.lanes.values()]) {
    const at = entries.findIndex(({ run }) => runs.has(run));
    if (at >= 0) ids.push(...entries.slice(at, at + Math.min(wanted, 200)).map(({ run }) => run));
  }
  return ids;
}
