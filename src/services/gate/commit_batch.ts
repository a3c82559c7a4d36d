import { wasApplied } from "../../domain/gate.ts";
import { withinTimeout } from "../../kv/deadline.ts";
import { bellKey, gateKey, runKey, runStateKey } from "../../kv/keys.ts";
import { get, getMany } from "../../kv/read.ts";
import type { ServerDeps } from "../../runtime/deps.ts";
import type { GateRecord } from "../../schemas/records.ts";
import type { Batch, RunChange } from "./batch.ts";

/** What became of a commit. `versionstamp` only when it was answered as applied: then the chain goes on. */
export interface Sent {
  outcome: "applied" | "not_applied" | "unknown";
  record: GateRecord;
  versionstamp: string | undefined;
  /** How long the answer took. */
  ms: number;
}

/** Commits the batch under the check of its gate, with the gate rewritten (docs/gate.md, laws 1 and 3). */
export async function commitBatch(deps: ServerDeps, batch: Batch): Promise<Sent> {
  const { kv, clock, ids, log, sharedKv } = deps;
  const op = ids.op();
  const record = batch.gate.toRecord(op);
  batch.limits.stage(batch.commit, op);
  batch.commit.check(batch.cache.gate);
  if (batch.closesGate) batch.commit.delete(gateKey(batch.pool));
  else batch.commit.set(gateKey(batch.pool), record);
  if (sharedKv) {
    const bells = [...batch.rings ? [batch.pool] : [], ...batch.ringsIn];
    for (const pool of bells) batch.commit.set(bellKey(pool), ids.token());
  }
  const started = clock.monotonic();
  const result = await withinTimeout(batch.commit.send(kv), clock).catch((error) => {
    log.error("A commit failed.", { pool: batch.pool, error });
    return undefined;
  });
  const ms = clock.monotonic() - started;
  if (!result) return { outcome: "unknown", record, versionstamp: undefined, ms };
  if (result.ok) return { outcome: "applied", record, versionstamp: result.versionstamp, ms };
  const outcome = await lookWhether(kv, batch, op) ? "applied" : "not_applied";
  return { outcome, record, versionstamp: undefined, ms };
}

/** A check failed: another commit won, or the runtime sent ours again after its answer was lost. */
async function lookWhether(kv: Deno.Kv, batch: Batch, op: number): Promise<boolean> {
  const now = (await get(kv, gateKey(batch.pool))).value;
  if (!now && batch.closesGate) return true;
  const known = wasApplied(op, batch.cache.gate.value, now);
  if (known !== undefined) return known;
  return await isInHistory(kv, batch.changes) ?? await isInRecord(kv, batch.changes.at(-1));
}

/** A history only grows, so it tells also after others have changed the run. Undefined when no state was written. */
async function isInHistory(kv: Deno.Kv, changes: readonly RunChange[]): Promise<boolean | undefined> {
  const written = changes.flatMap(({ before, after }) =>
    after && after.state.id !== before.state.id ? [{ run: after.id, state: after.state }] : []
  );
  if (written.length === 0) return undefined;
  const kept = await getMany(kv, written.map(({ run, state }) => runStateKey(run, state.timestamp)));
  return kept.some(({ value }, i) => value?.id === written[i]!.state.id);
}

/** A move keeps the state, so only the whole record tells. Configuration alone is decided anew: that gives the same. */
async function isInRecord(kv: Deno.Kv, change: RunChange | undefined): Promise<boolean> {
  if (!change) return false;
  const run = (await get(kv, runKey(change.before.id))).value;
  return JSON.stringify(run) === JSON.stringify(change.after);
}
