/** Operations on one run at the gate of its pool. */
import { DomainError } from "../../errors.ts";
import { type Blocked } from "../../domain/gate.ts";
import {
  type Answer,
  planTransition,
  type Proposal,
  type TransitionPlan,
} from "../../domain/plan_transition.ts";
import type { DeploymentLimit } from "../../domain/deployment_limit.ts";
import { afterCollision, isHeld, placeOf, type ProposedState } from "../../domain/run_state.ts";
import type { Commit } from "../../kv/commit.ts";
import { MAX_CHECKS } from "../../kv/limits.ts";
import type { Instant, LargeText, RunDoc, RunRecord } from "../../schemas/records.ts";
import type { Batch } from "./batch.ts";
import type { Operation } from "./operation.ts";

/** The run is not in this pool any more: look where it is, and go there. */
export class MovedError extends Error {
  override readonly name = "MovedError";
}

/** What is written beside a state, about: its large texts are stored ahead. */
const BYTES_BESIDE = 10_000;

/** A state that somebody proposes for a run. */
export interface StateProposal {
  run: string;
  proposed: ProposedState;
  /** `data` of the state, already stored where it is large. */
  data: LargeText | null;
  force: boolean;
  token: string | undefined;
  stateId: string;
  pauseKey: string;
  /** {@link Proposal.resumes} */
  resumes?: string | undefined;
  /** {@link Proposal.onlyFrom} */
  onlyFrom?: string | undefined;
  /** Written together with the proposed state, if that is accepted. Has no checks. */
  beside?: Commit | undefined;
}

export type TransitionResult =
  | { kind: "stale" }
  | { kind: "answered"; answer: Answer; run: RunRecord; isWritten: boolean }
  /** It would need a slot, and there is none. */
  | { kind: "blocked"; blocked: Blocked; run: RunRecord };

/** What the rules look at beside the run itself. */
export function toProposal(given: StateProposal, run: RunRecord, doc: RunDoc | null, now: Instant): Proposal {
  return {
    run,
    proposed: given.proposed,
    now,
    retries: doc?.retries ?? null,
    retryDelaySeconds: doc?.retryDelay ?? 0,
    infrastructurePid: doc?.infrastructurePid ?? null,
    parentTaskRunId: doc?.parentTaskRunId ?? null,
    pauseKey: given.pauseKey,
    force: given.force,
    token: given.token,
    stateId: given.stateId,
    resumes: given.resumes,
    onlyFrom: given.onlyFrom,
  };
}

/** Proposes a state (start, keep, finish, crash, release, cancel, retry, third-party PENDING and RUNNING). */
export function transition(given: StateProposal, now: () => Instant): Operation<TransitionResult> {
  return {
    kind: "state",
    run: given.run,
    async decide(batch, mayTake) {
      const run = await requireRun(batch, given.run);
      if (!fitsLimit(batch, run)) return "postpone";
      const doc = looksAtDoc(given.proposed) ? await batch.doc(run.id) : null;
      const plan = planTransition(toProposal(given, run, doc, now()));
      if (plan.kind === "write" && plan.slot === "take" && !mayTake) return "postpone";
      if (
        plan.kind === "write" && entersIndex(run, plan.next) &&
        (await batch.queue(plan.next.queue!)).value?.state !== "open"
      ) {
        const answer = { status: "ABORT", reason: "The run's work queue is being deleted." } as const;
        return { result: { kind: "answered", answer, run, isWritten: false } };
      }
      return { result: stage(batch, run, plan, { given, now: now() }) };
    },
  };
}

/** An ended or suspended run waits again. Closing a queue rewrites the gate, so reading the queue after it is enough. */
const entersIndex = (before: RunRecord, next: RunRecord): boolean =>
  placeOf(before) === "none" && placeOf(next) === "wait";

/** Retries and subflows are decided by the run's description; the other proposals save the read. */
const looksAtDoc = ({ type }: ProposedState): boolean => type === "FAILED" || type === "PAUSED";

function stage(
  batch: Batch,
  run: RunRecord,
  plan: TransitionPlan,
  { given, now }: { given: StateProposal; now: Instant },
): TransitionResult {
  if (plan.kind === "stale") return plan;
  if (plan.kind === "answer") return { kind: "answered", answer: plan.answer, run, isWritten: false };
  if (plan.slot === "take") {
    const queue = batch.queues.byNo.get(run.queueNo);
    const blocked = batch.gate.blocked() ?? (queue ? batch.gate.blockedIn(queue) : { kind: "queue_paused" });
    if (blocked) return { kind: "blocked", blocked, run };
    const limit = run.deployment === null ? null : batch.limits.get(run.deployment);
    if (limit && !limit.hasRoom) return collide(batch, { run, limit, given, now });
  }
  batch.change(run, plan.next, { data: dataOf(given, plan.next), byHolder: given.token !== undefined });
  if (given.beside && plan.answer.status === "ACCEPT") {
    batch.commit.add(given.beside);
    batch.bytes += BYTES_BESIDE;
  }
  return { kind: "answered", answer: plan.answer, run: plan.next, isWritten: true };
}

/**
 * The deployment has as many runs as it may have. A run that is proposed as PENDING waits on, or is cancelled if its
 * limit says so (docs/api.md, "Deployment limits"); anything else is refused.
 */
function collide(
  batch: Batch,
  { run, limit, given, now }: { run: RunRecord; limit: DeploymentLimit; given: StateProposal; now: Instant },
): TransitionResult {
  const blocked: Blocked = { kind: "deployment_full", limit: limit.limit ?? 0, held: limit.held };
  const canWait = given.proposed.type === "PENDING" && limit.limit !== 0 && placeOf(run) === "wait";
  if (!canWait) return { kind: "blocked", blocked, run };
  const next = afterCollision(run, { strategy: limit.strategy, stateId: given.stateId, now });
  batch.change(run, next);
  const answer = { status: "REJECT", reason: "The deployment's concurrency limit is reached." } as const;
  return { kind: "answered", answer, run: next, isWritten: true };
}

/** Room for a slot that is freed together with the lanes that this opens in other pools. */
const fitsLimit = (batch: Batch, run: RunRecord): boolean =>
  batch.isEmpty || batch.checks + batch.limits.costOf(run.deployment) + 1 < MAX_CHECKS;

/** The proposed state's data; a state that took its place has none. */
export const dataOf = (given: StateProposal, next: RunRecord): LargeText | null =>
  next.state.hasData ? given.data : null;

/**
 * Deletes the run with its place, unless it is none of those that `isMeant` means: false then. `withRun` goes into the
 * same commit; it has no checks.
 */
export function remove(
  id: string,
  withRun: Commit,
  isMeant: (run: RunRecord) => boolean = () => true,
): Operation<boolean> {
  return {
    kind: "state",
    run: id,
    async decide(batch) {
      const run = await requireRun(batch, id);
      if (!isMeant(run)) return { result: false };
      if (!fitsLimit(batch, run)) return "postpone";
      batch.change(run, null);
      batch.commit.add(withRun);
      return { result: true };
    },
  };
}

/** Moves a waiting run to another queue, in this pool or another one. False when it does not wait any more. */
export function move(id: string, queueId: string, now: () => Instant): Operation<boolean> {
  return {
    kind: "state",
    run: id,
    async decide(batch) {
      const run = await requireRun(batch, id);
      if (run.queue === queueId) return { result: true };
      if (run.state.type !== "SCHEDULED" || isHeld(run)) return { result: false };
      // Read for each decision: a version from before would fail the whole batch again and again.
      const target = await batch.queue(queueId);
      if (target.value?.state !== "open") {
        throw new DomainError("conflict", "The work queue is being deleted; nothing can move there.");
      }
      const { pool, id: queue, no: queueNo } = target.value;
      batch.commit.check(target);
      batch.change(run, { ...run, pool, queue, queueNo, updated: now() });
      return { result: true };
    },
  };
}

async function requireRun(batch: Batch, id: string): Promise<RunRecord> {
  const run = await batch.run(id);
  if (!run) throw new DomainError("not_found", "Flow run not found");
  if (run.pool !== batch.pool) throw new MovedError(`Flow run ${id} is not in this work pool.`);
  await batch.limits.load([run.deployment]);
  return run;
}
