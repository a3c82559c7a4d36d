/** Runs and states for tests of the domain: everything has a plain value, a test names what matters. */
import { defaultName } from "../../src/domain/run_state.ts";
import type { RunRecord, RunState, StateType } from "../../src/schemas/records.ts";
import { THIRD_PARTY } from "../../src/schemas/records.ts";

export const NOW = 1_795_435_200_000_000;
export const SECOND = 1_000_000;
/** Of a run and of no claim: fixed, so that failures read well. */
export const TOKEN = "current-token";

export const TERMINAL: readonly StateType[] = ["COMPLETED", "FAILED", "CANCELLED", "CRASHED"];

export function aState(type: StateType, changes: Partial<RunState> = {}): RunState {
  return {
    id: `state-${type}`,
    type,
    name: defaultName(type),
    timestamp: NOW - 10 * SECOND,
    message: null,
    hasData: false,
    persisted: false,
    details: type === "SCHEDULED" ? { scheduled_time: NOW - 10 * SECOND } : {},
    ...changes,
  };
}

/** A run of a deployment in a pool, in the given state, held by nobody. */
export function aRun(type: StateType = "SCHEDULED", changes: Partial<RunRecord> = {}): RunRecord {
  return {
    id: "run",
    flow: "flow",
    deployment: "deployment",
    pool: "pool",
    queue: "queue",
    queueNo: 0,
    t: NOW - 10 * SECOND,
    state: aState(type),
    attempt: 0,
    token: null,
    session: null,
    started: false,
    pauseKeys: [],
    retryType: null,
    resuming: false,
    runCount: 0,
    expectedStart: NOW - 10 * SECOND,
    nextStart: type === "SCHEDULED" ? NOW - 10 * SECOND : null,
    startTime: null,
    endTime: null,
    totalRunTime: 0,
    created: NOW - 20 * SECOND,
    updated: NOW - 10 * SECOND,
    ...changes,
  };
}

/** The same, held by an agent of ours under {@link TOKEN}. */
export const heldByAgent = (type: StateType, changes: Partial<RunRecord> = {}): RunRecord =>
  aRun(type, { session: "session", token: TOKEN, attempt: 1, ...changes });

/** The same, held by somebody without a token. */
export const heldByThirdParty = (type: StateType, changes: Partial<RunRecord> = {}): RunRecord =>
  aRun(type, { session: THIRD_PARTY, attempt: 1, ...changes });
