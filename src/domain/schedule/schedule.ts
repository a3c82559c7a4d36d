/** A schedule, and the instants at which it fires. The rule about clock changes is in docs/time.md. */
import type { Instant } from "../../schemas/records.ts";
import { cronDates } from "./cron_dates.ts";
import { intervalDates } from "./interval_dates.ts";
import { rruleDates } from "./rrule_dates.ts";

export type Schedule =
  /** Every so many seconds, counted from the anchor. */
  | { kind: "interval"; seconds: number; anchor: Instant; zone: string }
  /** Five fields, or six with the seconds last. `dayOr`: day of month *or* day of week has to fit, if both are given. */
  | { kind: "cron"; cron: string; dayOr: boolean; zone: string }
  /** RFC 5545. */
  | { kind: "rrule"; rrule: string; zone: string };

/** The instants from `start` on (inclusive), each later than the one before; endless for most schedules. */
export function datesOf(schedule: Schedule, start: Instant): Iterable<Instant> {
  switch (schedule.kind) {
    case "interval":
      return intervalDates(schedule, start);
    case "cron":
      return cronDates(schedule, start);
    case "rrule":
      return rruleDates(schedule, start);
  }
}

/** The first `count` instants from `start` on; fewer when the schedule ends. */
export function firstDates(schedule: Schedule, start: Instant, count: number): Instant[] {
  const dates: Instant[] = [];
  if (count <= 0) return dates;
  for (const date of datesOf(schedule, start)) {
    dates.push(date);
    if (dates.length === count) break;
  }
  return dates;
}
