import { claimDue, claimForever, type Claiming } from "./claim_loop.ts";
import type { AgentContext } from "./context.ts";
import { Holdings } from "./holdings.ts";
import { whenAborted } from "./linked_signal.ts";
import type { AgentOptions } from "./options.ts";
import { type AgentIdentity, Sessions } from "./sessions.ts";

/** How long the last reports may take once every process of a stopping agent has ended. */
const REPORT_MS = 10_000;

/**
 * An agent from registration to its last report. Resolves after `stop` has aborted and nothing that it started runs
 * any more; with `runOnce` as soon as what it claimed has ended.
 *
 * @throws TargetError or ApiError when it cannot start
 */
export async function runAgent(
  identity: AgentIdentity,
  options: AgentOptions,
  context: AgentContext,
  stop: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  const holdings = new Holdings(options.limit, options.pools.length);
  const sessions = new Sessions(identity, options, context, { stop, over: over.signal });
  try {
    await sessions.open();
    context.say(startedLine(options));
    await claimAll({ options, context, sessions, holdings, stop });
    if (stop.aborted) await drain(holdings, options, context);
  } finally {
    over.abort();
    await sessions.closed();
    await sessions.leave();
    await context.terminal.close();
  }
}

async function claimAll(claiming: Claiming): Promise<void> {
  const { options: { pools, runOnce }, holdings, stop } = claiming;
  await Promise.all(pools.map((pool) => runOnce ? claimDue(pool, claiming) : claimForever(pool, claiming)));
  if (runOnce) await Promise.race([allDone(holdings), whenAborted(stop)]);
}

/** Gives back what was not started, lets the rest finish within the grace, then ends it and reports that. */
async function drain(holdings: Holdings, options: AgentOptions, context: AgentContext): Promise<void> {
  const { deps: { clock, log }, hasten, cancelGraceMs } = context;
  for (const run of holdings.runs) if (!run.isStarting) run.end("agent_stop");
  const running = holdings.runs.filter(({ isStarting }) => isStarting).length;
  if (running > 0) log.info(`Stopping; ${running} running may go on for ${options.graceSeconds} s.`);
  await within(options.graceSeconds * 1000, hasten);
  for (const run of holdings.runs) run.end("agent_stop");
  await within(cancelGraceMs + REPORT_MS);
  for (const run of holdings.runs) {
    log.warn(`${run.title}: its last report could not be delivered.`);
    run.end("forget");
  }
  await allDone(holdings);

  async function within(ms: number, sooner?: AbortSignal): Promise<void> {
    const enough = new AbortController();
    const wait = Promise.race([allDone(holdings), ...(sooner ? [whenAborted(sooner)] : [])]);
    await Promise.race([wait, clock.sleep(ms, enough.signal)]);
    enough.abort();
  }
}

async function allDone(holdings: Holdings): Promise<void> {
  await Promise.all(holdings.runs.map(({ done }) => done));
}

function startedLine({ pools, queues, prefixes }: AgentOptions): string {
  const quoted = (names: string[]) => names.map((name) => `'${name}'`).join(", ");
  const from = [
    ...(queues.length > 0 ? [`work queue ${quoted(queues)}`] : []),
    ...(prefixes.length > 0 ? [`queues that start with ${quoted(prefixes)}`] : []),
  ];
  const pool = `work pool ${quoted(pools)}`;
  return `Agent started! Looking for work from ${
    from.length > 0 ? `${from.join(" and ")} in ${pool}` : pool
  }...`;
}
