import type { Api } from "../../client/api.ts";
import type { Log } from "../../schemas/log.ts";
import type { Run } from "../command.ts";
import { type CommandContext, connect } from "../context.ts";
import { followLogs } from "../follow.ts";
import { type LogChoice, logChoice } from "../log_options.ts";
import { lastLines, logPages, type LogSource } from "../log_pages.ts";
import { printJson } from "../screen/json.ts";
import { Progress } from "../screen/progress.ts";
import { clockTime } from "../screen/times.ts";
import { requireFlowRun } from "../targets.ts";

export const run: Run = async (input, context) => {
  const choice = logChoice(input);
  const api = connect(context);
  const { id } = await requireFlowRun(api, input.argument("RUN"));
  if (choice.follows) return await followLogs(id, api, context, choice);
  if (isStream(choice, context)) return await streamLogs(id, api, choice, context);
  const logs = await readLogs(id, api, choice, context);
  if (context.isJson) return printJson(logs, context);
  await context.screen.page(logs.map((log) => lineOf(log, context)));
};

/** A whole log into a file or pipe goes there page by page: it may be larger than memory. */
const isStream = ({ count, isReversed }: LogChoice, { isJson, world }: CommandContext): boolean =>
  count === Infinity && !isReversed && !isJson && !world.isTerminal;

async function streamLogs(
  run: string,
  api: Api,
  { level }: LogChoice,
  context: CommandContext,
): Promise<void> {
  for await (const { page } of logPages(api, { run, level })) {
    for (const log of page) context.screen.line(lineOf(log, context));
  }
}

async function readLogs(
  run: string,
  api: Api,
  { count, isFromEnd, isReversed, level }: LogChoice,
  context: CommandContext,
): Promise<Log[]> {
  const source = { run, level };
  const lines = isFromEnd && count !== Infinity
    ? await lastLines(api, source, count)
    : await firstLines(api, source, count, context);
  return isReversed ? lines.reverse() : lines;
}

async function firstLines(
  api: Api,
  source: LogSource,
  count: number,
  context: CommandContext,
): Promise<Log[]> {
  using progress = new Progress("Reading log lines", count === Infinity ? undefined : count, context);
  const lines: Log[] = [];
  for await (const { page } of logPages(api, source)) {
    lines.push(...page);
    progress.step(page.length);
    if (lines.length >= count) break;
  }
  return lines.slice(0, count);
}

const lineOf = ({ timestamp, message }: Log, { screen, isVerbose }: CommandContext): string =>
  `${screen.style.dim(isVerbose ? timestamp : clockTime(timestamp))} ${message}`;
