import {
  type CollisionStrategy,
  type Instant,
  type RunRecord,
  type RunState,
  type StateDetails,
  type StateType,
  TERMINAL_TYPES,
  THIRD_PARTY,
} from "../schemas/records.ts";

/** A state before the server gave it an id and a time. */
export interface ProposedState {
  type: StateType;
  name: string;
  message: string | null;
  hasData: boolean;
  persisted: boolean;
  details: StateDetails;
}

export const isTerminal = (type: StateType): boolean => TERMINAL_TYPES.has(type);

/** The name of a state that was given none. */
export const defaultName = (type: StateType): string => type.charAt(0) + type.slice(1).toLowerCase();

/** A state of the server's own making, without data. */
export function proposedState(
  type: StateType,
  options: { name?: string; message?: string | null; details?: StateDetails } = {},
): ProposedState {
  return {
    type,
    name: options.name ?? defaultName(type),
    message: options.message ?? null,
    hasData: false,
    persisted: false,
    details: options.details ?? {},
  };
}

/** Whether a slot is taken by the run. True exactly while it has a lease. */
export const isHeld = (run: RunRecord): boolean => run.session !== null;

/** Whether the holder is one of our agents, which proves itself by a token. */
export const isHeldByAgent = (run: RunRecord): boolean => isHeld(run) && run.session !== THIRD_PARTY;

/** Where a pooled run stands: under a lease, in the index of waiting runs, or nowhere. */
export type Place = "lease" | "wait" | "none";

export function placeOf(run: RunRecord): Place {
  if (run.pool === null) return "none";
  if (isHeld(run)) return "lease";
  return run.state.type === "SCHEDULED" ? "wait" : "none";
}

/**
 * Whether the run needs a slot in state `proposed`, given whether it has one now. A slot is held exactly while a
 * process of the run may exist: a blocking pause and a retry inside the engine keep it (docs/gate.md, H13), since
 * otherwise nothing would find the run when its process dies.
 */
export function needsSlot(
  proposed: ProposedState,
  retryType: RunRecord["retryType"],
  held: boolean,
): boolean {
  switch (proposed.type) {
    case "PENDING":
    case "RUNNING":
      return true;
    case "CANCELLING":
      return held;
    case "PAUSED":
      return held && !proposed.details.pause_reschedule;
    case "SCHEDULED":
      return held && retryType === "in_process";
    default:
      return false;
  }
}

/** The run after it entered `state`: times and counters as docs/api.md, "Bookkeeping". The place is not decided here. */
export function enterState(run: RunRecord, state: RunState): RunRecord {
  const from = run.state.type;
  const to = state.type;
  const next: RunRecord = { ...run, state, updated: state.timestamp };
  if (from === "RUNNING" && run.startTime !== null) {
    next.totalRunTime += state.timestamp - run.state.timestamp;
  }
  if (to === "RUNNING") {
    next.startTime ??= state.timestamp;
    if (!run.resuming) next.runCount++;
    next.resuming = false;
  }
  if (isTerminal(to)) {
    next.startTime ??= state.timestamp;
    next.endTime = state.timestamp;
  } else if (isTerminal(from)) {
    next.endTime = null;
  }
  next.nextStart = to === "SCHEDULED" ? state.details.scheduled_time ?? state.timestamp : null;
  if (next.nextStart !== null) next.expectedStart = next.nextStart;
  next.expectedStart ??= state.timestamp;
  return next;
}

/** The reference's: a run that finds no room shows that it will be tried again after so long. */
const COLLISION_DELAY = 30e6;

/**
 * The run after its deployment had no room for it. One that waits shows a later time, but keeps its place in the
 * order: it starts as soon as a slot comes free.
 */
export function afterCollision(
  run: RunRecord,
  { strategy, stateId, now }: { strategy: CollisionStrategy; stateId: string; now: Instant },
): RunRecord {
  const proposed = strategy === "CANCEL_NEW"
    ? proposedState("CANCELLED", { message: "Deployment concurrency limit reached." })
    : proposedState("SCHEDULED", {
      name: "AwaitingConcurrencySlot",
      details: { scheduled_time: now + COLLISION_DELAY },
    });
  const state = { ...proposed, id: stateId, timestamp: nextTimestamp(run.state, now) };
  return { ...enterState(run, state), session: null, token: null, started: false };
}

/** Times of successive states of one run strictly increase. */
export const nextTimestamp = (previous: RunState, now: Instant): Instant =>
  Math.max(now, previous.timestamp + 1);
