/**
 * The rules that decide about a proposed state, in their order (docs/api.md, "set_state"; the numbers are those of
 * the reference's list). Each is a pure function of the transition; the first refusal ends the walk.
 */
import type { Instant, RunRecord, StateType } from "../schemas/records.ts";
import { isHeld, isTerminal, type ProposedState, proposedState } from "./run_state.ts";

/** A proposed change of a run's state, and what the rules may look at. */
export interface Transition {
  run: RunRecord;
  proposed: ProposedState;
  now: Instant;
  /** How often a failed run is to be started again, and after how many seconds. */
  retries: number | null;
  retryDelaySeconds: number;
  infrastructurePid: string | null;
  parentTaskRunId: string | null;
  /** A fresh key for a pause that has none. */
  pauseKey: string;
}

/** What a rule wants: go on with changes, or a refusal. `substitute` is the state that is written instead. */
export type Effect =
  | { kind: "change"; proposed?: ProposedState; run?: Partial<RunRecord> }
  | { kind: "reject"; reason: string; substitute?: ProposedState; run?: Partial<RunRecord> }
  | { kind: "abort"; reason: string }
  | { kind: "wait"; reason: string; delaySeconds: number };

export interface Rule {
  name: string;
  apply(transition: Transition): Effect | undefined;
}

const abort = (reason: string): Effect => ({ kind: "abort", reason });
const reject = (reason: string, substitute?: ProposedState, run?: Partial<RunRecord>): Effect => ({
  kind: "reject",
  reason,
  ...(substitute ? { substitute } : {}),
  ...(run ? { run } : {}),
});

/** 2. The same transition sent again. */
export const duplicateTransition: Rule = {
  name: "duplicate transition",
  apply({ run, proposed }) {
    const given = proposed.details.transition_id;
    if (given === undefined || given !== run.state.details.transition_id) return undefined;
    return reject("This run has already made this state transition.");
  },
};

/** 3, and ours: an ended run stays ended, and runs again only when it is scheduled or started anew. */
export const terminalIsFinal: Rule = {
  name: "terminal is final",
  apply({ run, proposed }) {
    const { state } = run;
    if (!isTerminal(state.type)) return undefined;
    if (isTerminal(proposed.type)) {
      if (proposed.type === "CRASHED") return abort(`This run has already ended as ${state.type}.`);
      return reject(`This run has already ended as ${state.type}; a result is never overwritten.`);
    }
    switch (proposed.type) {
      case "CANCELLING":
      case "PAUSED":
        return abort(`This run has already ended as ${state.type}.`);
      case "PENDING":
        return abort(`This run has ended as ${state.type}: schedule it again before it is claimed.`);
      default:
        return undefined;
    }
  },
};

/** 3. A stored result is not lost by running again. */
export const keepResult: Rule = {
  name: "keep result",
  apply({ run, proposed }) {
    if (run.state.type !== "COMPLETED" || !run.state.persisted || isTerminal(proposed.type)) return undefined;
    return reject("This run has completed and has a stored result.");
  },
};

/** 3. Leaving an ended state: only a deployment's run can be scheduled; what belonged to the old attempt is cleared. */
export const startAnew: Rule = {
  name: "start anew",
  apply({ run, proposed }) {
    if (!isTerminal(run.state.type) || isTerminal(proposed.type)) return undefined;
    if (proposed.type === "SCHEDULED" && run.deployment === null) {
      return abort("Only a run of a deployment can be scheduled again.");
    }
    return { kind: "change", run: { resuming: false, pauseKeys: [], retryType: null } };
  },
};

/** 4. Nothing but CANCELLED follows CANCELLING. */
export const cancellingIsSticky: Rule = {
  name: "cancelling is sticky",
  apply({ run, proposed }) {
    if (run.state.type !== "CANCELLING" || proposed.type === "CANCELLED") return undefined;
    return reject("This run is being cancelled; only CANCELLED can follow.");
  },
};

/** 5. Nothing runs, so there is nothing to wait for. For pooled runs the lease tells, never a stale pid (H14). */
export const cancelAtOnce: Rule = {
  name: "cancel at once",
  apply({ run, proposed, infrastructurePid }) {
    if (proposed.type !== "CANCELLING" || isTerminal(run.state.type)) return undefined;
    const suspended = run.state.type === "PAUSED" && run.state.details.pause_reschedule === true;
    const notStarted = run.state.type === "SCHEDULED" &&
      (infrastructurePid === null || run.state.name === "Resuming");
    const nothingRuns = run.pool === null ? suspended || notStarted : !isHeld(run);
    if (!nothingRuns) return undefined;
    const substitute = proposedState("CANCELLED", { message: proposed.message });
    return reject("Nothing of this run is running, so it was cancelled at once.", substitute);
  },
};

const NO_PENDING_FROM: ReadonlySet<StateType> = new Set(["PENDING", "RUNNING", "CANCELLING"]);

/** 6. A run is claimed once. A pending run may be renamed (Submitting), which keeps its scheduled time. */
export const claimOnce: Rule = {
  name: "claim once",
  apply({ run, proposed }) {
    if (proposed.type !== "PENDING" || !NO_PENDING_FROM.has(run.state.type)) return undefined;
    const renames = run.state.type === "PENDING" && proposed.name !== "Pending" &&
      proposed.name !== run.state.name;
    if (!renames) return abort(`This run is ${run.state.type} and cannot become PENDING.`);
    return { kind: "change", proposed: withScheduledTime(proposed, run) };
  },
};

/** 10. Only what waits under its first name becomes late, and once. */
export const lateOnce: Rule = {
  name: "late once",
  apply({ run, proposed }) {
    if (proposed.type !== "SCHEDULED" || proposed.name !== "Late") return undefined;
    if (run.state.type === "SCHEDULED" && run.state.name !== "Late") return undefined;
    return reject("Only a scheduled run that is not late yet can become late.");
  },
};

/** 11. A running run pauses, once under each key. */
export const pause: Rule = {
  name: "pause",
  apply({ run, proposed, pauseKey, parentTaskRunId }) {
    if (proposed.type !== "PAUSED") return undefined;
    if (run.state.type !== "RUNNING") {
      return reject(`Only a RUNNING run can pause; this one is ${run.state.type}.`);
    }
    const key = proposed.details.pause_key ?? pauseKey;
    if (run.pauseKeys.includes(key)) return reject("This pause has already been taken.");
    if (proposed.details.pause_reschedule) {
      if (run.deployment === null) return abort("Only a run of a deployment can be suspended.");
      if (parentTaskRunId !== null) return abort("A subflow cannot be suspended.");
    }
    return {
      kind: "change",
      proposed: { ...proposed, details: { ...proposed.details, pause_key: key } },
      run: { pauseKeys: [...run.pauseKeys, key] },
    };
  },
};

/** 12. A paused run runs on, is scheduled (when suspended), or ends. */
export const resume: Rule = {
  name: "resume",
  apply({ run, proposed, now }) {
    if (run.state.type !== "PAUSED" || isTerminal(proposed.type) || proposed.type === "CANCELLING") {
      return undefined;
    }
    if (proposed.type !== "RUNNING" && proposed.type !== "SCHEDULED") {
      return reject(`A paused run cannot become ${proposed.type}.`);
    }
    const { pause_reschedule: suspended, pause_timeout: timeout } = run.state.details;
    if (suspended && run.deployment === null) return reject("Only a run of a deployment can be rescheduled.");
    if (timeout !== undefined && timeout < now) {
      return reject(
        "The pause has timed out.",
        proposedState("FAILED", { message: "The pause has timed out." }),
      );
    }
    return { kind: "change", run: { resuming: true } };
  },
};

/** 13. The time for which it was planned stays with the pending run. */
export const copyScheduledTime: Rule = {
  name: "copy scheduled time",
  apply({ run, proposed }) {
    if (run.state.type !== "SCHEDULED" || proposed.type !== "PENDING") return undefined;
    return { kind: "change", proposed: withScheduledTime(proposed, run) };
  },
};

/** 14. Nothing starts before its time. */
export const waitForScheduledTime: Rule = {
  name: "wait for scheduled time",
  apply({ run, proposed, now }) {
    if (proposed.type !== "RUNNING") return undefined;
    if (run.state.type !== "SCHEDULED" && run.state.type !== "PENDING") return undefined;
    const due = run.state.details.scheduled_time;
    if (due === undefined || due <= now) return undefined;
    // Whole seconds as the reference answers; 0 in the last second means "ask again at once".
    return {
      kind: "wait",
      reason: "The scheduled time has not come yet.",
      delaySeconds: Math.floor((due - now) / 1e6),
    };
  },
};

/** 15. A failed run is started again inside its process while retries are left. */
export const retry: Rule = {
  name: "retry",
  apply({ run, proposed, now, retries, retryDelaySeconds }) {
    if (run.state.type !== "RUNNING" || proposed.type !== "FAILED") return undefined;
    if (retries === null || run.runCount > retries) return { kind: "change", run: { retryType: null } };
    const substitute = proposedState("SCHEDULED", {
      name: "AwaitingRetry",
      message: proposed.message,
      details: { scheduled_time: now + Math.round(retryDelaySeconds * 1e6) },
    });
    return reject("Retrying", substitute, { retryType: "in_process", resuming: false, pauseKeys: [] });
  },
};

function withScheduledTime(proposed: ProposedState, run: RunRecord): ProposedState {
  const due = run.state.details.scheduled_time;
  return due === undefined
    ? proposed
    : { ...proposed, details: { ...proposed.details, scheduled_time: due } };
}

/** The whole list, for proposals without `force`. */
export const CORE_RULES: readonly Rule[] = [
  duplicateTransition,
  keepResult,
  terminalIsFinal,
  startAnew,
  cancellingIsSticky,
  cancelAtOnce,
  claimOnce,
  lateOnce,
  pause,
  resume,
  copyScheduledTime,
  waitForScheduledTime,
  retry,
];

/** The list for `force`: what even an operator's word must not do. */
export const FORCED_RULES: readonly Rule[] = [keepResult, terminalIsFinal, cancelAtOnce];
