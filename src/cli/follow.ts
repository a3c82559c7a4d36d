import type { Api } from "../client/api.ts";
import { isRetryable } from "../client/retry.ts";
import type { FlowRun } from "../schemas/flow_run.ts";
import { TERMINAL_TYPES } from "../schemas/records.ts";
import type { CommandContext } from "./context.ts";
import type { Input } from "./input.ts";
import { lastLines, LOG_START, logPages, type LogSource, placeBehindLast } from "./log_pages.ts";
import type { LogChoice } from "./log_options.ts";
import { commandLine } from "./screen/created.ts";
import { buildDisplay, type RunDisplay } from "./screen/run_display.ts";

const POLL_MS = 300;

export interface FollowOptions {
  /** Milliseconds between two looks. */
  everyMs: number;
  /** Milliseconds after which the watching is given up. */
  timeoutMs: number;
}

export function followOptions(input: Input): FollowOptions {
  const [interval, timeout] = [input.number("watch-interval"), input.number("watch-timeout")];
  return {
    everyMs: interval === undefined ? POLL_MS : interval * 1_000,
    timeoutMs: timeout === undefined ? Infinity : timeout * 1_000,
  };
}

/**
 * Follows a run on the screen until it has ended. Ctrl-C ends the watching only.
 *
 * @returns 0 if it completed, else 1
 */
export async function follow(
  id: string,
  api: Api,
  context: CommandContext,
  options: FollowOptions,
): Promise<number> {
  using signals = context.world.listenForStop();
  const watch = new Watch({ run: id }, api, context, buildDisplay(context));
  const flowRun = await watch.untilEnded(options, signals.stop);
  if (flowRun !== undefined) return flowRun.state_type === "COMPLETED" ? 0 : 1;
  const why = signals.stop.aborted
    ? "Stopped watching"
    : `Gave up watching after ${options.timeoutMs / 1_000} s`;
  context.screen.note(`${why}; the run goes on. To cancel it:`);
  context.screen.note(`    ${commandLine(context.world.program, ["flow-run", "cancel", id])}`);
  return 1;
}

/** Prints the output of a run until it has ended or Ctrl-C is pressed. */
export async function followLogs(
  id: string,
  api: Api,
  context: CommandContext,
  { count, level }: LogChoice,
): Promise<number> {
  using signals = context.world.listenForStop();
  const watch = new Watch({ run: id, level }, api, context, { ...buildDisplay(context), state: () => {} });
  if (count !== Infinity) await watch.showLast(count);
  await watch.untilEnded({ everyMs: POLL_MS, timeoutMs: Infinity }, signals.stop);
  return 0;
}

class Watch {
  readonly #source: LogSource;
  readonly #api: Api;
  readonly #context: CommandContext;
  readonly #show: RunDisplay;
  #place = LOG_START;

  constructor(source: LogSource, api: Api, context: CommandContext, show: RunDisplay) {
    this.#source = source;
    this.#api = api;
    this.#context = context;
    this.#show = show;
  }

  /** Shows the last `count` lines that are there now; following goes on behind them. */
  async showLast(count: number): Promise<void> {
    const lines = await lastLines(this.#api, this.#source, count);
    this.#place = await placeBehindLast(this.#api, this.#source, lines);
    lines.forEach(this.#show.log);
  }

  /** Prints states and output until the run has ended; undefined when `stop` or the timeout came before. */
  async untilEnded({ everyMs, timeoutMs }: FollowOptions, stop: AbortSignal): Promise<FlowRun | undefined> {
    const { clock } = this.#context.world.deps;
    const deadline = clock.monotonic() + timeoutMs;
    let isAway = false;
    while (!stop.aborted && clock.monotonic() < deadline) {
      try {
        const flowRun = await this.#look();
        if (flowRun !== undefined) return flowRun;
        isAway = false;
      } catch (error) {
        if (!isRetryable(error)) throw error;
        if (!isAway) {
          this.#context.screen.note(`The server at ${this.#context.apiUrl} does not answer; waiting for it.`);
        }
        isAway = true;
      }
      await clock.sleep(everyMs, stop);
    }
    return undefined;
  }

  /** Prints what is new; the run once it has ended. */
  async #look(): Promise<FlowRun | undefined> {
    // The state first: output that belongs to an end was delivered before that end.
    const flowRun = await this.#api.flowRuns.get(this.#source.run);
    const isEnded = flowRun.state_type !== null && TERMINAL_TYPES.has(flowRun.state_type);
    if (!isEnded) this.#show.state(flowRun);
    for await (const { page, next } of logPages(this.#api, this.#source, this.#place)) {
      page.forEach(this.#show.log);
      this.#place = next;
    }
    if (isEnded) this.#show.state(flowRun);
    return isEnded ? flowRun : undefined;
  }
}
