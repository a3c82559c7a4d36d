import type { Api } from "../client/api.ts";
import type { Log } from "../schemas/log.ts";
import { PAGE_SIZE } from "./all_pages.ts";

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
  run: string,
  place: LogPlace = LOG_START,
): AsyncGenerator<{ page: readonly Log[]; next: LogPlace }> {
  for (let next = place;;) {
    const { time } = next;
    const logs = {
      flow_run_id: { any_: [run] },
      ...(time === undefined ? {} : { timestamp: { after_: time } }),
    };
    const page = await api.logs.list({ logs, limit: PAGE_SIZE, offset: next.lines });
    next = placeBehind(page, next);
    if (page.length > 0) yield { page, next };
    if (page.length < PAGE_SIZE) return;
  }
}

function placeBehind(page: readonly Log[], before: LogPlace): LogPlace {
  const time = page.at(-1)?.timestamp;
  if (time === undefined) return before;
  const lines = page.filter(({ timestamp }) => timestamp === time).length;
  return { time, lines: time === before.time ? before.lines + lines : lines };
}
