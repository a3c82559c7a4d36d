import type { Instant } from "../../schemas/records.ts";
import { instantAt, toWall } from "./local_time.ts";

const DAY_SECONDS = 86_400;

interface Interval {
  seconds: number;
  anchor: Instant;
  zone: string;
}

/** Steps of a day or longer keep the wall clock, shorter ones count absolute time. */
export function* intervalDates({ seconds, anchor, zone }: Interval, start: Instant): Generator<Instant> {
  const step = seconds * 1e6;
  const keepsWall = seconds >= DAY_SECONDS;
  const origin = keepsWall ? toWall(anchor, zone) : anchor;
  const from = keepsWall ? toWall(start, zone) : start;
  let last = -Infinity;
  // One step earlier, since what clocks show around `start` may lie behind it.
  for (let n = Math.ceil((from - origin) / step) - 1;; n++) {
    const at = origin + Math.round(n * step);
    const date = keepsWall ? instantAt(at, zone) : at;
    if (date < start || date <= last) continue;
    yield last = date;
  }
}
