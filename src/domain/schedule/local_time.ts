/**
 * Wall clocks. A *wall time* is what the clocks of a zone show, as microseconds of a day that has 24 hours everywhere
 * (as if the zone were UTC). Most wall times are one instant; when clocks go forward some are none, when they go back
 * some are two.
 */
import type { Instant } from "../../schemas/records.ts";

/** No transition is further away than this from a wall time that it makes ambiguous: the widest offset is 14 hours. */
const AROUND_SECONDS = 36 * 3600;

const clocks = new Map<string, Intl.DateTimeFormat>();

function clockOf(zone: string): Intl.DateTimeFormat {
  let clock = clocks.get(zone);
  if (!clock) {
    clock = new Intl.DateTimeFormat("en-u-ca-iso8601-nu-latn", {
      timeZone: zone,
      hourCycle: "h23",
      era: "short",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    clocks.set(zone, clock);
  }
  return clock;
}

/** Seconds by which clocks in `zone` are ahead of UTC at that second since the epoch. */
function offsetAt(zone: string, second: number): number {
  if (zone === "UTC") return 0;
  const part: Record<string, number> = {};
  for (const { type, value } of clockOf(zone).formatToParts(second * 1000)) part[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second: s = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, s) / 1000 - second;
}

const secondOf = (micros: number): number => Math.floor(micros / 1e6);

/** What the clocks of `zone` show. */
export const toWall = (instant: Instant, zone: string): number =>
  instant + offsetAt(zone, secondOf(instant)) * 1e6;

/** The instants at which clocks in `zone` show that: one as a rule, none or two around a transition; in order. */
export function instantsAt(wall: number, zone: string): Instant[] {
  const second = secondOf(wall);
  const offsets = new Set([
    offsetAt(zone, second - AROUND_SECONDS),
    offsetAt(zone, second + AROUND_SECONDS),
  ]);
  return [...offsets].map((offset) => wall - offset * 1e6).filter((instant) => toWall(instant, zone) === wall)
    .sort((a, b) => a - b);
}

/** The instant of a wall time: the first of two; for one that is skipped, the first instant after the gap. */
export function instantAt(wall: number, zone: string): Instant {
  return instantsAt(wall, zone)[0] ?? endOfGap(wall, zone);
}

/** The transition that skips the wall time, found by halving. */
function endOfGap(wall: number, zone: string): Instant {
  const second = secondOf(wall);
  const before = offsetAt(zone, second - AROUND_SECONDS);
  let low = second - offsetAt(zone, second + AROUND_SECONDS);
  let high = second - before;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(zone, middle) === before) low = middle;
    else high = middle;
  }
  return high * 1e6;
}

/** Whether clocks in `zone` showed the same wall time a while before, since they went back in between. */
export function isRepeated(instant: Instant, zone: string): boolean {
  const [first] = instantsAt(toWall(instant, zone), zone);
  return first !== undefined && first < instant;
}
