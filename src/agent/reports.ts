/** What the agent tells the server about a run that it holds, and what it makes of the answers. */
import { ApiError } from "../client/http.ts";
import { TERMINAL_TYPES } from "../schemas/records.ts";
import type { OrchestrationResult, StateCreate } from "../schemas/state.ts";
import { parseInstant } from "../schemas/wire.ts";
import type { AgentContext } from "./context.ts";
import type { HeldRun } from "./held_run.ts";
import type { FinalState } from "./outcome.ts";

/** The server counts whole seconds, and none in the last one: then it is asked again soon. */
const SHORTEST_WAIT_MS = 20;

/**
 * Reports the start until it is acknowledged. Only after `true` may a process be started. Otherwise the run has a
 * reason to end: it was cancelled, or is not ours any more.
 *
 * A process that will say RUNNING itself is only announced, so that its run is not counted twice.
 */
export async function proposeStart(
  run: HeldRun,
  { reportsRunning }: { reportsRunning: boolean },
  context: AgentContext,
): Promise<boolean> {
  const start = reportsRunning
    ? { type: "PENDING", name: "Submitting" } as const
    : { type: "RUNNING" } as const;
  for (;;) {
    const answer = await propose(run, start, context, run.ending);
    if (answer === undefined) return false;
    if (answer.isApplied) return !run.ending.aborted;
    const { status, state, details } = answer.result;
    if (status !== "WAIT") {
      run.end(state?.type === "CANCELLING" ? "cancel" : "forget");
      return false;
    }
    await context.deps.clock.sleep(
      Math.max(SHORTEST_WAIT_MS, (details.delay_seconds ?? 0) * 1000),
      run.ending,
    );
    if (run.ending.aborted) return false;
  }
}

/**
 * Reports how the run ended, until it is answered. The answer may be that it is to be tried again.
 *
 * @returns in how many milliseconds to start it again; undefined when the run is over
 */
export async function reportEnd(
  run: HeldRun,
  state: FinalState,
  context: AgentContext,
): Promise<number | undefined> {
  const answer = await propose(run, state, context, run.abandoned);
  if (answer === undefined || answer.isApplied) return undefined;
  const now = answer.result.state;
  // Ended otherwise already, by the run itself or by a user: its own word stands.
  if (now === null || TERMINAL_TYPES.has(now.type)) return undefined;
  if (now.type === "CANCELLING") {
    return state.type === "CANCELLED"
      ? undefined
      : await reportEnd(run, { type: "CANCELLED", message: state.message }, context);
  }
  const again = now.type === "SCHEDULED" ? now.state_details.scheduled_time : null;
  if (again !== null) return ((parseInstant(again) ?? 0) - (parseInstant(now.timestamp) ?? 0)) / 1000;
  context.deps.log.warn(`${run.title} ended as ${state.type}, but the server keeps it as ${now.name}.`);
  return undefined;
}

/** Gives a run back that was not started, for another agent to take. */
export async function giveBack(run: HeldRun, context: AgentContext): Promise<void> {
  const scheduled_time = run.grant.scheduledTime;
  await propose(run, { type: "SCHEDULED", state_details: { scheduled_time } }, context, run.abandoned);
}

interface Proposed {
  result: OrchestrationResult;
  /** Whether the proposed state was written, now or by an earlier try whose answer was lost. */
  isApplied: boolean;
}

/** Undefined when there is nothing more to say about the run: its token is not current, or `signal` aborted. */
async function propose(
  run: HeldRun,
  state: Pick<StateCreate, "type" | "name" | "message"> & {
    state_details?: { scheduled_time: string | null };
  },
  context: AgentContext,
  signal: AbortSignal,
): Promise<Proposed | undefined> {
  const { connection, deps } = context;
  const { runId, token } = run.grant;
  const transitionId = deps.ids.uuid();
  const body = {
    state: { ...state, state_details: { ...state.state_details, transition_id: transitionId } },
  };
  try {
    const result = await connection.call(
      (signal) => connection.api.flowRuns.setState(runId, body, token, { signal }),
      signal,
    );
    const isOurs = result.state?.state_details.transition_id === transitionId;
    return { result, isApplied: result.status === "ACCEPT" || isOurs };
  } catch (error) {
    if (signal.aborted) return undefined;
    if (!(error instanceof ApiError)) throw error;
    const says = error.status === 409
      ? "is not held by this agent any more"
      : `was refused: ${error.message}`;
    deps.log.warn(`${run.title} ${says}; forgetting it.`);
    run.end("forget");
    return undefined;
  }
}
