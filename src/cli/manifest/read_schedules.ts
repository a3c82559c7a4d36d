import type { z } from "zod";
import type { DeploymentScheduleCreate } from "../../schemas/schedule.ts";
import { checkShape } from "./check_shape.ts";
import type { Reading } from "./manifest.ts";
import { type DeploymentShape, ScheduleShape } from "./shape.ts";
import type { Path } from "./source.ts";

type Schedule = z.input<typeof DeploymentScheduleCreate>;

/** `schedule` (one, or several) and `schedules` as they are sent. */
export function readSchedules(shape: DeploymentShape, path: Path, reading: Reading): Schedule[] {
  const { schedule, schedules } = shape;
  const listed = (schedules ?? []).map((item, index) => [item, [...path, "schedules", index]] as const);
  const single: (readonly [unknown, Path])[] = Array.isArray(schedule)
    ? schedule.map((item, index) => [item, [...path, "schedule", index]])
    : schedule === undefined || schedule === null
    ? []
    : [[schedule, [...path, "schedule"]]];
  return [...single, ...listed].flatMap(([item, at]) => readSchedule(item, at, reading) ?? []);
}

function readSchedule(item: unknown, path: Path, reading: Reading): Schedule | undefined {
  const { source, problems } = reading;
  const shape = checkShape(ScheduleShape, item, { path, source, problems });
  if (shape === undefined) return undefined;
  const schedule = timesOf(shape);
  if (schedule === undefined) {
    const message = "A schedule has exactly one of 'cron', 'interval' and 'rrule'.";
    problems.push({ line: source.lineOf(path), message });
    return undefined;
  }
  const { active, max_scheduled_runs, max_active_runs, catchup, parameters, slug } = shape;
  const rest = { active, max_scheduled_runs, max_active_runs, catchup, parameters, slug };
  return { schedule, ...withoutNull(rest) };
}

/** The part that says when. */
function timesOf(shape: ScheduleShape): Schedule["schedule"] | undefined {
  const { cron, interval, rrule, timezone, day_or, anchor_date } = shape;
  const given = [cron, interval, rrule].filter((value) => value !== null && value !== undefined);
  if (given.length !== 1) return undefined;
  const zone = withoutNull({ timezone });
  if (cron) return { cron, ...zone, ...withoutNull({ day_or }) };
  if (interval) return { interval, ...zone, ...withoutNull({ anchor_date }) };
  return rrule ? { rrule, ...zone } : undefined;
}

function withoutNull<T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const entries = Object.entries(values).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: NonNullable<T[K]> };
}
