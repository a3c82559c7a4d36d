import { ApiError } from "../client/http.ts";
import type { HeartbeatAnswer } from "../schemas/agent.ts";
import type { AgentContext } from "./context.ts";
import type { HeldRun } from "./held_run.ts";
import { LinkedSignal } from "./linked_signal.ts";
import type { Registration } from "./registration.ts";
import type { Sessions } from "./sessions.ts";

/** Pause between two heartbeats when the server answers early, as it does while a cancelled run is still ending. */
const SHORTEST_INTERVAL_MS = 500;
/** How much longer than the wait that was asked for an answer may take. */
const ANSWER_SLACK_MS = 10_000;

/**
 * Keeps a registration alive and carries out what the server says about its runs, until `over` aborts, or until
 * another registration has taken its place and none of its runs is left.
 */
export async function keepAlive(
  registration: Registration,
  sessions: Sessions,
  context: AgentContext,
  over: AbortSignal,
): Promise<void> {
  const { clock } = context.deps;
  const interval = Math.min(SHORTEST_INTERVAL_MS, registration.heartbeatSeconds * 1000);
  while (!over.aborted && (sessions.current === registration || registration.runs.length > 0)) {
    const began = clock.monotonic();
    try {
      await beat(registration, sessions, context, over);
    } catch (error) {
      if (isUnknown(error)) return await giveUp(registration, sessions);
      if (!over.aborted) context.deps.log.warn(`The server refuses heartbeats: ${error}`);
    }
    await clock.sleep(interval - (clock.monotonic() - began), over);
  }
}

/** One heartbeat. Ends without an answer when runs are added meanwhile: the next one speaks for them too. */
async function beat(
  registration: Registration,
  sessions: Sessions,
  { connection }: AgentContext,
  over: AbortSignal,
): Promise<void> {
  const { agentId, heartbeatSeconds, grown } = registration;
  using either = new LinkedSignal(over, grown);
  let listed: readonly HeldRun[] = [];
  try {
    const answer = await connection.call((signal) => {
      listed = registration.runs;
      const body = {
        sessions: [...registration.sessions.values()],
        runs: listed.map(({ grant }) => ({ id: grant.runId, token: grant.token })),
        wait: heartbeatSeconds,
      };
      const deadlineMs = heartbeatSeconds * 1000 + ANSWER_SLACK_MS;
      return connection.api.agents.heartbeat(agentId, body, { signal, deadlineMs });
    }, either.signal);
    obey(answer, listed, registration);
    if (answer.sessions.some(({ state }) => state === "ended")) void sessions.renew(registration);
  } catch (error) {
    if (!either.signal.aborted) throw error;
  }
}

/**
 * A stop is meant for the token that was listed, so it never hits a run that was granted again meanwhile. A cancel is
 * meant for whoever holds the run, also when the grant was too fresh to be listed.
 */
function obey(answer: HeartbeatAnswer, listed: readonly HeldRun[], registration: Registration): void {
  for (const { id, action } of answer.runs) {
    if (action === "keep") continue;
    const candidates = action === "cancel" ? registration.runs : listed;
    for (const run of candidates.filter(({ grant }) => grant.runId === id)) {
      run.end(action === "cancel" ? "cancel" : "forget");
    }
  }
}

const isUnknown = (error: unknown): boolean =>
  error instanceof ApiError && [404, 409, 410].includes(error.status);

/**
 * The server does not know this agent any more, so somebody else may already run what it holds. That is believed once
 * the server has taken a new registration: a proxy that answers 404 for it must not end healthy runs.
 */
async function giveUp(registration: Registration, sessions: Sessions): Promise<void> {
  if (!await sessions.renew(registration)) return;
  for (const run of registration.runs) run.end("forget");
}
