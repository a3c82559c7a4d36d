import type { Api } from "../client/api.ts";
import { isRetryable } from "../client/retry.ts";
import type { FlowRun } from "../schemas/flow_run.ts";
import type { Log } from "../schemas/log.ts";
import { TERMINAL_TYPES } from "../schemas/records.ts";
import type { CommandContext } from "./context.ts";
import { LOG_START, logPages } from "./log_pages.ts";
import { commandLine } from "./screen/created.ts";
import type { StyleName } from "./screen/style.ts";
import { clockTime, duration } from "./screen/times.ts";
import { stateCell } from "./screen/values.ts";

const POLL_MS = 300;

/**
 * Follows a run on the screen until it has ended. Ctrl-C ends the watching only.
 *
 * @returns 0 if it completed, else 1
 */
export async function follow(id: string, api: Api, context: CommandContext): Promise<number> {
  using signals = context.world.listenForStop();
  const flowRun = await watchRun(id, api, context, signals.stop);
  if (flowRun !== undefined) return flowRun.state_type === "COMPLETED" ? 0 : 1;
  context.screen.note("Stopped watching; the run goes on. To cancel it:");
  context.screen.note(`    ${commandLine(context.world.program, ["flow-run", "cancel", id])}`);
  return 1;
}

/** Prints states and output until the run has ended; undefined when `stop` aborted before. */
export async function watchRun(
  id: string,
  api: Api,
  context: CommandContext,
  stop: AbortSignal,
): Promise<FlowRun | undefined> {
  const { clock } = context.world.deps;
  const show = buildDisplay(context);
  let place = LOG_START;
  let isAway = false;
  while (!stop.aborted) {
    try {
      // The state first: output that belongs to an end was delivered before that end.
      const flowRun = await api.flowRuns.get(id);
      const isEnded = flowRun.state_type !== null && TERMINAL_TYPES.has(flowRun.state_type);
      if (!isEnded) show.state(flowRun);
      for await (const { page, next } of logPages(api, id, place)) {
        page.forEach(show.log);
        place = next;
      }
      if (isEnded) {
        show.state(flowRun);
        return flowRun;
      }
      isAway = false;
    } catch (error) {
      if (!isRetryable(error)) throw error;
      if (!isAway) context.screen.note(`The server at ${context.apiUrl} does not answer; waiting for it.`);
      isAway = true;
    }
    await clock.sleep(POLL_MS, stop);
  }
  return undefined;
}

function buildDisplay({ screen, isJson }: CommandContext) {
  const { style } = screen;
  // With JSON on standard output, what is followed goes beside it.
  const line = isJson ? screen.note : screen.line;
  let last = "";
  return {
    state(flowRun: FlowRun): void {
      const { state } = flowRun;
      if (state === null || state.id === last) return;
      last = state.id;
      line(`${style.dim(clockTime(state.timestamp))} ${describeState(flowRun, style)}`);
    },
    log({ timestamp, message }: Log): void {
      line(`${style.dim(`${clockTime(timestamp)} │`)} ${message}`);
    },
  };
}

function describeState(
  { state, total_run_time: seconds, start_time: started }: FlowRun,
  style: Record<StyleName, (text: string) => string>,
): string {
  if (state === null) return "";
  const cell = stateCell(state.name, state.type);
  const name = typeof cell === "string" ? cell : style[cell.style](cell.text);
  if (!TERMINAL_TYPES.has(state.type)) return name;
  const took = started === null ? "" : ` after ${duration(seconds)}`;
  const why = state.type === "COMPLETED" ? "" : firstLine(state.message);
  return `${name}${took}${why === "" ? "" : `: ${why}`}`;
}

const firstLine = (text: string | null): string => (text ?? "").split("\n", 1)[0] ?? "";
