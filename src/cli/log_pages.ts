import type { Api } from "../client/api.ts";
import type { Log } from "../schemas/log.ts";
import { allPages, firstOf, PAGE_SIZE } from "./all_pages.ts";

/** Which lines are meant. */
export interface LogSource {
  run: string;
  /** Only lines of this level or above; all when undefined. */
  level?: number | undefined;
}

export const logFilter = ({ run, level }: LogSource) => ({
  flow_run_id: { any_: [run] },
  ...(level === undefined ? {} : { level: { ge_: level } }),
});

/** Where reading a run's log has come to: the time of the last line, and how many lines of that time were read. */
export interface LogPlace {
  time: string | undefined;
  lines: number;
}

export const LOG_START: LogPlace = { time: undefined, lines: 0 };

/**
 * The lines behind a place, page by page, each with the place behind it. Going on by time costs the server the same
 * wherever the place is, and next to nothing when there is nothing new.
 */
export async function* logPages(
  api: Api,
  { run, level }: LogSource,
  place: LogPlace = LOG_START,
): AsyncGenerator<{ page: readonly Log[]; next: LogPlace }> {
  for (let next = place;;) {
    const { time } = next;
    const logs = {
      ...logFilter({ run, level }),
      ...(time === undefined ? {} : { timestamp: { after_: time } }),
    };
    const page = await api.logs.list({ logs, limit: PAGE_SIZE, offset: next.lines });
    next = placeBehind(page, next);
    if (page.length > 0) yield { page, next };
    if (page.length < PAGE_SIZE) return;
  }
}

/** The last `count` lines, the oldest first. They are read from the end: the many before them never travel. */
export async function lastLines(api: Api, source: LogSource, count: number): Promise<Log[]> {
  const logs = logFilter(source);
  return (await firstOf(count, (page) => api.logs.list({ logs, sort: "TIMESTAMP_DESC", ...page }))).reverse();
}

/** The place behind the lines that {@link lastLines} gave: it counts those of the same time before them, too. */
export async function placeBehindLast(api: Api, source: LogSource, lines: readonly Log[]): Promise<LogPlace> {
  const behind = placeBehind(lines, LOG_START);
  if (lines[0]?.timestamp !== behind.time || behind.time === undefined) return behind;
  const timestamp = { after_: behind.time, before_: behind.time };
  const all = await allPages((page) => api.logs.list({ logs: { ...logFilter(source), timestamp }, ...page }));
  return placeBehind(all, LOG_START);
}

function placeBehind(page: readonly Log[], before: LogPlace): LogPlace {
  const time = page.at(-1)?.timestamp;
  if (time === undefined) return before;
  const lines = page.filter(({ timestamp }) => timestamp === time).length;
  return { time, lines: time === before.time ? before.lines + lines : lines };
}
