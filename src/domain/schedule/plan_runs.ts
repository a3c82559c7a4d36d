/** How far ahead the runs of a schedule are made, and when to look again. Pure. */
import type { Instant } from "../../schemas/records.ts";
import { datesOf, type Schedule } from "./schedule.ts";

/** How far ahead runs are made. Both minimums have to be met; both maximums are never passed. */
export interface Horizon {
  minRuns: number;
  maxRuns: number;
  /** Microseconds. */
  minTime: number;
  maxTime: number;
}

/** The reference's settings: three runs and an hour ahead, at most 100 runs and 100 days. */
export const HORIZON: Horizon = { minRuns: 3, maxRuns: 100, minTime: 3_600e6, maxTime: 100 * 86_400e6 };

export interface RunsPlan {
  /** Dates of the runs to make now, in order. */
  dates: Instant[];
  /** The last date for which a run exists or is planned; null when there has been none. */
  generatedUntil: Instant | null;
  /** When more have to be made; null when the schedule has ended. */
  lookAgain: Instant | null;
}

/**
 * What to make at `now`.
 *
 * @param from dates before this instant are passed over: what was missed, or the present
 * @param generatedUntil the last date for which a run was made before
 */
export function planRuns(
  schedule: Schedule,
  { now, from, generatedUntil, horizon = HORIZON }: {
    now: Instant;
    from: Instant;
    generatedUntil: Instant | null;
    horizon?: Horizon;
  },
): RunsPlan {
  const dates: Instant[] = [];
  const ahead: Instant[] = [];
  let isBeyond = false;
  let hasEnded = true;
  for (const date of datesOf(schedule, from)) {
    isBeyond = date > now + horizon.maxTime;
    if (isBeyond || ahead.length >= horizon.maxRuns || isEnough(ahead, now, horizon)) {
      hasEnded = false;
      break;
    }
    if (generatedUntil === null || date > generatedUntil) dates.push(date);
    if (date > now) ahead.push(date);
    if (dates.length >= MOST_AT_ONCE) {
      return { dates, generatedUntil: date, lookAgain: now };
    }
  }
  const last = ahead.at(-1) ?? dates.at(-1);
  const until = Math.max(generatedUntil ?? -Infinity, last ?? -Infinity);
  return {
    dates,
    generatedUntil: until === -Infinity ? null : until,
    lookAgain: hasEnded ? null : nextLook(ahead, isBeyond, now, horizon),
  };
}

/** Runs of a time that was missed are made in portions. */
const MOST_AT_ONCE = 500;

const isEnough = (ahead: readonly Instant[], now: Instant, { minRuns, minTime }: Horizon): boolean =>
  ahead.length >= minRuns && ahead.at(-1)! >= now + minTime;

/** The first moment at which what is ahead is not enough any more. */
function nextLook(ahead: readonly Instant[], isBeyond: boolean, now: Instant, horizon: Horizon): Instant {
  const { minRuns, minTime } = horizon;
  const few = ahead.length >= minRuns ? ahead[ahead.length - minRuns]! : undefined;
  const near = ahead.length > 0 ? ahead.at(-1)! - minTime : undefined;
  // What lies beyond the horizon comes nearer by itself: look once a day.
  if (isBeyond || few === undefined || near === undefined) return now + DAY;
  // With the most runs that may be made the minimum time is out of reach: go on as soon as one has started.
  if (ahead.length >= horizon.maxRuns && near <= now) return ahead[0]!;
  return Math.max(now, Math.min(few, near));
}
const DAY = 86_400e6;
