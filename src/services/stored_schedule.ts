/** Schedules as they are stored, made what the rule about dates takes, and what their runs are called. */
import type { Schedule } from "../domain/schedule/schedule.ts";
import { zonedText } from "../domain/schedule/zoned_text.ts";
import type { Instant, JsonText, ScheduleRecord } from "../schemas/records.ts";
import { parseInstant } from "../schemas/wire.ts";

/** What `storedSchedule` writes. */
type StoredSchedule =
  & { timezone: string | null }
  & (
    | { interval: number; anchor_date: string }
    | { cron: string; day_or: boolean }
    | { rrule: string }
  );

/** The reference's names of the kinds, under which a schedule without a slug is shown as a run's creator. */
const CLASS_NAMES: Readonly<Record<Schedule["kind"], string>> = {
  interval: "IntervalSchedule",
  cron: "CronSchedule",
  rrule: "RRuleSchedule",
};

export function toSchedule(text: JsonText): Schedule {
  const stored = JSON.parse(text) as StoredSchedule;
  const zone = stored.timezone ?? "UTC";
  if ("interval" in stored) {
    return {
      kind: "interval",
      seconds: stored.interval,
      anchor: parseInstant(stored.anchor_date) ?? 0,
      zone,
    };
  }
  if ("cron" in stored) return { kind: "cron", cron: stored.cron, dayOr: stored.day_or, zone };
  return { kind: "rrule", rrule: stored.rrule, zone };
}

/** Names a run of the schedule, so that nobody makes it twice. The reference's form, in the schedule's time zone. */
export function autoRunIdempotencyKey(
  deployment: string,
  { id, schedule }: ScheduleRecord,
  date: Instant,
): string {
  return `scheduled ${deployment} ${id} ${zonedText(date, toSchedule(schedule).zone)}`;
}

/** Who made the runs of the schedule. */
export const creatorOf = ({ id, slug, schedule }: ScheduleRecord): JsonText =>
  JSON.stringify({ id, type: "SCHEDULE", display_value: slug || CLASS_NAMES[toSchedule(schedule).kind] });
