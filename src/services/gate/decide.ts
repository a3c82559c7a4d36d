import { BATCH_BYTES, BATCH_MUTATIONS, MAX_CHECKS } from "../../kv/limits.ts";
import type { RunRecord } from "../../schemas/records.ts";
import type { Batch } from "./batch.ts";
import type { WaitingClaim } from "./claim.ts";
import type { Submitted } from "./operation.ts";

/** Checks that an operation may add; a batch stops growing when fewer are left. */
const CHECKS_OF_ONE = 4;

/** What a batch has decided about the operations that went into it. */
export interface Decided {
  batch: Batch;
  answered: { one: Submitted; result: unknown }[];
  refused: { one: Submitted; error: unknown }[];
  postponed: Submitted[];
  granted: Map<WaitingClaim, RunRecord[]>;
  /** Claims whose time was over when they were looked at. */
  over: WaitingClaim[];
}

/**
 * One overlay (docs/gate.md, law 6): first what frees or keeps, then at most one configuration, then what takes.
 * Operations on one run keep their order; what finds no room any more is postponed.
 */
export async function decideOperations(decided: Decided, submitted: readonly Submitted[]): Promise<void> {
  const { batch } = decided;
  const takers: Submitted[] = [];
  let isConfigured = false;
  for (const one of submitted.filter(({ operation }) => operation.kind === "state")) {
    const isBehindTaker = takers.some(({ operation }) => operation.run === one.operation.run);
    if (isBehindTaker || !hasRoom(batch)) takers.push(one);
    else if (await decideOne(decided, one, false) === "postpone") takers.push(one);
  }
  for (const one of submitted.filter(({ operation }) => operation.kind === "configure")) {
    if (isConfigured || !hasRoom(batch)) decided.postponed.push(one);
    else await decideOne(decided, one, true);
    isConfigured = true;
  }
  for (const one of takers) {
    const isDone = hasRoom(batch) && await decideOne(decided, one, true) === "done";
    if (!isDone) decided.postponed.push(one);
  }
}

async function decideOne(decided: Decided, one: Submitted, mayTake: boolean): Promise<"done" | "postpone"> {
  try {
    const decision = await one.operation.decide(decided.batch, mayTake);
    if (decision === "postpone") return "postpone";
    decided.answered.push({ one, result: decision.result });
  } catch (error) {
    decided.refused.push({ one, error });
  }
  return "done";
}

/** Limits of deployments that the claims of the batch may touch. */
export const limitsLeft = (batch: Batch): number =>
  Math.max(1, MAX_CHECKS - 1 - CHECKS_OF_ONE - batch.checks);

/** Whether the commit can take another operation. */
export const hasRoom = (batch: Batch): boolean =>
  batch.bytes < BATCH_BYTES && batch.commit.mutations < BATCH_MUTATIONS &&
  batch.checks + 1 + CHECKS_OF_ONE <= MAX_CHECKS;
