/**
 * The decision about one proposed state: who may say it, what the rules make of it, and what becomes of the run's
 * slot. Pure: the gatekeeper gives what it read, and writes what comes out. `force` skips most rules, but neither
 * the token nor the gate.
 */
import { type Instant, type RunRecord, THIRD_PARTY } from "../schemas/records.ts";
import type { SetStateStatus } from "../schemas/state.ts";
import { CORE_RULES, FORCED_RULES, type Transition } from "./rules.ts";
import {
  enterState,
  isHeld,
  isHeldByAgent,
  isTerminal,
  needsSlot,
  nextTimestamp,
  type ProposedState,
  proposedState,
} from "./run_state.ts";

/** A {@link Transition} with what the caller presented. */
export interface Proposal extends Transition {
  force: boolean;
  /** The claim token that came with the request. */
  token: string | undefined;
  /** Id for the state, made beforehand, so that a repeated decision recognises its own earlier write. */
  stateId: string;
  /** Id of the pause that somebody ends for the run's holder: no token is asked for. Nothing else may have happened since. */
  resumes?: string | undefined;
  /** Id of the state that the run has to be in still, since that is what was judged. */
  onlyFrom?: string | undefined;
}

/** `delaySeconds` only for WAIT. */
export interface Answer {
  status: SetStateStatus;
  reason: string | null;
  delaySeconds?: number;
}

/** What happens to the run's slot. */
export type SlotEffect = "take" | "keep" | "free" | "none";

export type TransitionPlan =
  /** The token is not current: the holder must kill and forget. The only outcome that says so. */
  | { kind: "stale" }
  /** Nothing is written; the run keeps its state. */
  | { kind: "answer"; answer: Answer }
  /** `next` is written. With `slot: "take"` only if the gate has room, otherwise the proposal is aborted. */
  | { kind: "write"; answer: Answer; next: RunRecord; slot: SlotEffect };

export function planTransition(proposal: Proposal): TransitionPlan {
  const { run } = proposal;
  if (run.state.id === proposal.stateId) return answer("ACCEPT", null); // applied before, and the answer was lost
  if (proposal.onlyFrom !== undefined && proposal.onlyFrom !== run.state.id) {
    return answer("ABORT", "This run is in another state by now.");
  }
  const verdict = judgeToken(proposal);
  if (verdict) return verdict;

  let transition: Transition = endCancelling(proposal);
  if (transition.proposed !== proposal.proposed) {
    return write(proposal, transition, { status: "REJECT", reason: "The run was being cancelled." });
  }
  for (const rule of proposal.force ? FORCED_RULES : CORE_RULES) {
    const effect = rule.apply(transition);
    if (!effect) continue;
    switch (effect.kind) {
      case "abort":
        return answer("ABORT", effect.reason);
      case "wait":
        return answer("WAIT", effect.reason, effect.delaySeconds);
      case "reject":
        if (!effect.substitute) return answer("REJECT", effect.reason);
        transition = changed(transition, effect.run, effect.substitute);
        return write(proposal, transition, { status: "REJECT", reason: effect.reason });
      case "change":
        transition = changed(transition, effect.run, effect.proposed);
    }
  }
  return write(proposal, transition, { status: "ACCEPT", reason: null });
}

/** docs/gate.md, "Tokens": undefined when the proposal may go on to the rules. */
function judgeToken({ run, proposed, token, force, resumes }: Proposal): TransitionPlan | undefined {
  if (resumes !== undefined) {
    return run.state.id === resumes ? undefined : answer("ABORT", "This run is not in that pause any more.");
  }
  // A run that was never handed out has no old tokens: what comes with the proposal is its sender's own, as when an
  // engine, whose every request carries the token of its run, speaks for a subflow.
  if (token !== undefined && run.attempt > 0) {
    if (token !== run.token) return { kind: "stale" };
    if (!isTerminal(run.state.type)) return undefined;
    // The token stays on the ended run, so that a repeated report is recognised and frees nothing twice.
    if (proposed.type === run.state.type) return answer("ACCEPT", null);
    return answer(
      isTerminal(proposed.type) ? "REJECT" : "ABORT",
      `This run has already ended as ${run.state.type}.`,
    );
  }
  if (!isHeldByAgent(run)) return undefined;
  const isAllowed = proposed.type === "CANCELLING" || (force && isTerminal(proposed.type)) ||
    (proposed.type === "PAUSED" && !proposed.details.pause_reschedule);
  if (isAllowed) return undefined;
  return answer(
    "ABORT",
    `An agent holds this run; only its claim token can make it ${proposed.type}. Cancel it instead.`,
  );
}

/** Whatever the holder says last about a run that is being cancelled: it is gone, so the run is CANCELLED. */
function endCancelling(proposal: Proposal): Transition {
  const { run, proposed, token } = proposal;
  const ends = token !== undefined && run.state.type === "CANCELLING" && isTerminal(proposed.type) &&
    proposed.type !== "CANCELLED";
  return ends
    ? { ...proposal, proposed: proposedState("CANCELLED", { message: proposed.message }) }
    : proposal;
}

function changed(
  transition: Transition,
  run: Partial<RunRecord> | undefined,
  proposed?: ProposedState,
): Transition {
  return { ...transition, run: { ...transition.run, ...run }, proposed: proposed ?? transition.proposed };
}

function write(proposal: Proposal, transition: Transition, result: Answer): TransitionPlan {
  const { proposed, now } = transition;
  const before = proposal.run;
  const run = { ...transition.run };
  // A retry inside the engine comes from its rule alone; any other way back to SCHEDULED gives the process up.
  const isEngineRetry = proposed.type === "SCHEDULED" && run.retryType === "in_process" &&
    before.state.type === "RUNNING" && result.status === "REJECT";
  if (proposed.type === "SCHEDULED" && !isEngineRetry) {
    const again = proposed.name === "AwaitingRetry" || isTerminal(before.state.type);
    run.retryType = again ? "reschedule" : null;
  }
  const slot = slotEffect(before, needsSlot(proposed, run.retryType, isHeld(before)));
  const next = enterState(run, {
    id: proposal.stateId,
    type: proposed.type,
    name: proposed.name,
    timestamp: nextTimestamp(before.state, now),
    message: proposed.message,
    hasData: proposed.hasData,
    persisted: proposed.persisted,
    details: detailsOf(proposed, now),
  });
  return { kind: "write", answer: result, next: settleHolder(next, slot, proposal), slot };
}

function slotEffect(before: RunRecord, needed: boolean): SlotEffect {
  if (before.pool === null) return "none";
  if (isHeld(before)) return needed ? "keep" : "free";
  return needed ? "take" : "none";
}

/** A scheduled state has a time. */
function detailsOf(proposed: ProposedState, now: Instant): ProposedState["details"] {
  if (proposed.type !== "SCHEDULED" || proposed.details.scheduled_time !== undefined) return proposed.details;
  return { ...proposed.details, scheduled_time: now };
}

function settleHolder(next: RunRecord, slot: SlotEffect, proposal: Proposal): RunRecord {
  if (slot === "take") {
    return {
      ...next,
      session: THIRD_PARTY,
      token: null,
      attempt: next.attempt + 1,
      started: next.state.type === "RUNNING",
    };
  }
  if (slot === "keep") return { ...next, started: next.started || reportsStart(next, proposal) };
  // Kept on the ended run; a run that waits again belongs to nobody.
  const token = isTerminal(next.state.type) ? next.token : null;
  const waits = next.pool !== null && next.state.type === "SCHEDULED";
  return {
    ...next,
    session: null,
    token,
    started: false,
    t: waits ? next.state.details.scheduled_time ?? next.state.timestamp : next.t,
  };
}

const reportsStart = (next: RunRecord, proposal: Proposal): boolean =>
  next.state.type === "RUNNING" || (proposal.token !== undefined && next.state.name === "Submitting");

function answer(status: SetStateStatus, reason: string | null, delaySeconds?: number): TransitionPlan {
  return {
    kind: "answer",
    answer: { status, reason, ...(delaySeconds === undefined ? {} : { delaySeconds }) },
  };
}
