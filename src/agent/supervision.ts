import type { AgentContext } from "./context.ts";
import type { HeldRun } from "./held_run.ts";
import { LinkedSignal, whenAborted } from "./linked_signal.ts";
import type { EndReason } from "./outcome.ts";
import type { Exit, RunHandle } from "./runner.ts";

/** What a process may take to clean up when the agent is told to stop at once. */
const HASTENED_GRACE_MS = 1000;

/** How a process ended, and why the agent ended it; no reason when it ended by itself. */
export interface Supervised {
  exit: Exit;
  reason: EndReason | undefined;
}

/** Waits for the end of the process; ends it when the run is to end before, or has run for too long. */
export async function supervise(
  handle: RunHandle,
  run: HeldRun,
  timeoutSeconds: number | undefined,
  context: AgentContext,
): Promise<Supervised> {
  const over = new AbortController();
  if (timeoutSeconds !== undefined) void endAfter(timeoutSeconds * 1000, run, over.signal, context);
  const exit = await Promise.race([handle.done, whenAborted(run.ending)]);
  over.abort();
  if (exit !== undefined) return { exit, reason: undefined };
  return { exit: await terminate(handle, context), reason: run.reason };
}

async function endAfter(ms: number, run: HeldRun, over: AbortSignal, context: AgentContext): Promise<void> {
  await context.deps.clock.sleep(ms, over);
  if (!over.aborted) run.end("timeout");
}

/** SIGTERM to the whole process tree, a grace, SIGKILL. */
async function terminate(handle: RunHandle, context: AgentContext): Promise<Exit> {
  const { hasten, deps: { clock }, cancelGraceMs } = context;
  const graceMs = hasten.aborted ? Math.min(HASTENED_GRACE_MS, cancelGraceMs) : cancelGraceMs;
  const ended = new AbortController();
  using waiting = hasten.aborted ? new LinkedSignal(ended.signal) : new LinkedSignal(ended.signal, hasten);
  handle.signal("SIGTERM");
  await Promise.race([handle.done, clock.sleep(graceMs, waiting.signal)]);
  ended.abort(); // stops the timer
  handle.signal("SIGKILL");
  return await handle.done;
}
