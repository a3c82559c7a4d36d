/**
 * The life of one held run: prepare, wait until it is due, report the start, start, send its output, report the end.
 * A process is started only after the start was acknowledged; the end is reported only after the output was delivered
 * and the whole process tree is gone.
 */
import { CommandError } from "../schemas/command.ts";
import type { AgentContext } from "./context.ts";
import { childEnvironment } from "./environment.ts";
import type { Grant } from "./grant.ts";
import type { HeldRun } from "./held_run.ts";
import { buildJob, type Job } from "./job.ts";
import { shipOutput } from "./log_shipper.ts";
import { describeExit, finalState } from "./outcome.ts";
import { readLastLines } from "./output_tail.ts";
import { fetchReferences } from "./references.ts";
import { giveBack, proposeStart, reportEnd } from "./reports.ts";
import type { PreparedRun, RunOrder } from "./runner.ts";
import { supervise } from "./supervision.ts";

/** Carries the run to its end. Resolves when the run is no longer held; never rejects. */
export async function execute(run: HeldRun, context: AgentContext): Promise<void> {
  const { clock, log } = context.deps;
  try {
    for (let dueAt: number | undefined = run.grant.dueAt; dueAt !== undefined;) {
      const again = await attempt(run, dueAt, context);
      dueAt = again === undefined ? undefined : clock.monotonic() + again;
    }
  } catch (error) {
    log.error(`${run.title} cannot be carried on.`, { error });
    await reportEnd(run, { type: "CRASHED", message: `The agent failed: ${error}` }, context).catch(() => {});
  }
}

/** One start of the run. Returns in how many milliseconds it is to be started again, if it is. */
async function attempt(run: HeldRun, dueAt: number, context: AgentContext): Promise<number | undefined> {
  try {
    const job = await prepareJob(run, context);
    if (!job) return await settleUnstarted(run, context);
    await using prepared = await context.runner.prepare(orderOf(run.grant, job, context));
    await untilDue(dueAt, run, context);
    run.isStarting = !run.ending.aborted;
    const isStarted = run.isStarting && await proposeStart(run, job, context);
    return isStarted ? await runProcess(run, prepared, job, context) : await settleUnstarted(run, context);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    context.deps.log.warn(`${run.title} FAILED: ${error.message}`);
    return await reportEnd(run, { type: "FAILED", message: error.message }, context);
  } finally {
    run.isStarting = false;
  }
}

/** Undefined when the run is to end before the server has answered. */
async function prepareJob(run: HeldRun, { connection }: AgentContext): Promise<Job | undefined> {
  const source = run.grant.job;
  try {
    return buildJob({ ...source, references: await fetchReferences(source, connection, run.ending) });
  } catch (error) {
    if (run.ending.aborted) return undefined;
    throw error;
  }
}

function orderOf(grant: Grant, job: Job, context: AgentContext): RunOrder {
  const { runId: flowRunId, runName: flowRunName, deployment, token, job: { parameters } } = grant;
  const api = context.connection.api.http.url;
  return {
    job,
    runId: flowRunId,
    environment: (workFolder) =>
      childEnvironment(context.env, {
        job: job.env,
        run: { flowRunId, flowRunName, deployment, parameters, token },
        api,
        workFolder,
      }),
    record: {
      flow_run_id: flowRunId,
      flow_run_name: flowRunName,
      token,
      api,
      name: job.name,
      labels: job.labels,
    },
  };
}

/** Timers may fire a little early, so the clock has the last word. */
async function untilDue(dueAt: number, run: HeldRun, { deps: { clock } }: AgentContext): Promise<void> {
  for (let left = dueAt - clock.monotonic(); left > 0 && !run.ending.aborted;) {
    await clock.sleep(left, run.ending);
    left = dueAt - clock.monotonic();
  }
}

async function settleUnstarted(run: HeldRun, context: AgentContext): Promise<number | undefined> {
  if (run.reason === "cancel") {
    context.deps.log.info(`${run.title} was cancelled before it started`);
    return await reportEnd(run, { type: "CANCELLED", message: "Cancelled before it started." }, context);
  }
  if (run.reason === "agent_stop") await giveBack(run, context);
  return undefined;
}

async function runProcess(
  run: HeldRun,
  prepared: PreparedRun,
  { timeoutSeconds, streamOutput }: Job,
  context: AgentContext,
): Promise<number | undefined> {
  const { deps, connection } = context;
  const handle = prepared.start();
  deps.log.info(`${run.title} started`, { pid: handle.pid });
  const ended = new AbortController();
  if (context.streamOutput ?? streamOutput) {
    context.terminal.show(run.grant.runName, prepared.outputFile, ended.signal);
  }
  const shipped = shipOutput({
    connection,
    deps,
    runId: run.grant.runId,
    turns: context.deliveries,
    outputFile: prepared.outputFile,
    ended: ended.signal,
    abandoned: run.abandoned,
  });
  shipped.catch(() => {}); // awaited below; until then a failure must not end the agent
  const { exit, reason } = await supervise(handle, run, timeoutSeconds, context);
  ended.abort();
  await shipped;
  if (run.abandoned.aborted || reason === "forget") {
    deps.log.info(`${run.title} is not ours any more; its process has ended`, { exit: describeExit(exit) });
    return undefined;
  }
  const lastLines = await readLastLines(prepared.outputFile);
  const state = finalState({ exit, reason, lastLines, timeoutSeconds });
  deps.log.info(`${run.title} ended: ${state.name ?? state.type} (${describeExit(exit)})`);
  return await reportEnd(run, state, context);
}
