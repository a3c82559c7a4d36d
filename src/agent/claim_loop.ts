import { ApiError } from "../client/http.ts";
import type { AgentContext } from "./context.ts";
import { execute } from "./execution.ts";
import { type Grant, readGrants } from "./grant.ts";
import { HeldRun } from "./held_run.ts";
import type { Asking, Holdings } from "./holdings.ts";
import type { AgentOptions } from "./options.ts";
import type { Registration } from "./registration.ts";
import type { Sessions } from "./sessions.ts";

/** How long a claim waits at the server for a run. */
const WAIT_SECONDS = 20;
/** The same when other pools wait for the room that this claim keeps free. */
const CROWDED_WAIT_SECONDS = 2;
/** How much longer than the wait an answer may take. */
const ANSWER_SLACK_MS = 10_000;
/** Pause after an empty answer that came at once, and after a refusal. */
const EMPTY_PAUSE_MS = 1000;
const REFUSED_PAUSE_MS = 5000;

/** What the claims of all pools share. */
export interface Claiming {
  options: AgentOptions;
  context: AgentContext;
  sessions: Sessions;
  holdings: Holdings;
  /** Aborts when nothing more is to be claimed. */
  stop: AbortSignal;
}

/** Claims runs from one pool, one long poll after the other, as far as there is room, until `stop` aborts. */
export async function claimForever(pool: string, claiming: Claiming): Promise<void> {
  const { clock } = claiming.context.deps;
  while (!claiming.stop.aborted) {
    const asking = await claiming.holdings.ask(claiming.stop);
    if (asking === undefined) return;
    const began = clock.monotonic();
    const wait = asking.isCrowded ? CROWDED_WAIT_SECONDS : WAIT_SECONDS;
    const granted = await claim(pool, asking, { prefetch: claiming.options.prefetchSeconds, wait }, claiming);
    const pause = EMPTY_PAUSE_MS - (clock.monotonic() - began);
    if (granted === 0 && pause > 0) await clock.sleep(pause, claiming.stop);
  }
}

/** Claims once what is due now, without waiting. */
export async function claimDue(pool: string, claiming: Claiming): Promise<void> {
  const asking = await claiming.holdings.ask(claiming.stop);
  if (asking !== undefined) await claim(pool, asking, { prefetch: 0, wait: 0 }, claiming);
}

/**
 * One claim: asked with the same id until it is answered, so that a grant whose answer was lost comes again. What is
 * granted is held at once. Returns how many runs were granted; never rejects.
 */
async function claim(
  pool: string,
  asking: Asking,
  times: { prefetch: number; wait: number },
  claiming: Claiming,
): Promise<number> {
  const { sessions, holdings, stop } = claiming;
  const registration = sessions.current;
  let runs: HeldRun[] = [];
  try {
    if (registration !== undefined) runs = await askFor(pool, asking, times, registration, claiming);
  } catch (error) {
    if (!stop.aborted) await recover(error, pool, registration, claiming);
  } finally {
    holdings.answered(asking, runs);
    registration?.hold(runs);
  }
  return runs.length;
}

async function askFor(
  pool: string,
  asking: Asking,
  times: { prefetch: number; wait: number },
  registration: Registration,
  { options, context, holdings, stop }: Claiming,
): Promise<HeldRun[]> {
  const { connection, deps: { clock, ids } } = context;
  const body = {
    session: registration.sessions.get(pool) ?? "",
    claim_id: ids.uuid(),
    queues: options.queues,
    prefixes: options.prefixes,
    n: asking.runs,
    ...times,
  };
  const deadlineMs = times.wait * 1000 + ANSWER_SLACK_MS;
  const answer = await connection.call(
    (signal) => connection.api.workPools.claim(pool, body, { signal, deadlineMs }),
    stop,
  );
  const held = holdings.runs;
  return readGrants(answer, clock.monotonic())
    .filter(({ token }) => !held.some(({ grant }) => grant.token === token))
    .map((grant) => hold(grant, held, context));
}

/** A run that comes back under a new token is not ours under the old one: that process has to be gone first. */
function hold(grant: Grant, held: readonly HeldRun[], context: AgentContext): HeldRun {
  const older = held.filter((run) => run.grant.runId === grant.runId);
  for (const run of older) run.end("forget");
  return new HeldRun(grant, async (run) => {
    await Promise.all(older.map(({ done }) => done));
    await execute(run, context);
  });
}

async function recover(
  error: unknown,
  pool: string,
  registration: Registration | undefined,
  { context: { deps }, sessions, stop }: Claiming,
): Promise<void> {
  const isEnded = error instanceof ApiError && [404, 409, 410].includes(error.status);
  if (isEnded && registration !== undefined) {
    await sessions.renew(registration);
    return;
  }
  deps.log.error(`Claiming from work pool '${pool}' failed; trying again.`, { error });
  await deps.clock.sleep(REFUSED_PAUSE_MS, stop);
}
