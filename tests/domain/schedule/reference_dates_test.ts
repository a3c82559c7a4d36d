/** Holds the dates of 200 schedules against those that the reference makes (tools/derive_schedule_dates.py). */
import { assertEquals } from "@std/assert";
import { toWall } from "../../../src/domain/schedule/local_time.ts";
import { firstDates, type Schedule } from "../../../src/domain/schedule/schedule.ts";
import { parseInstant } from "../../../src/schemas/wire.ts";

interface Recorded {
  title: string;
  schedule: Schedule;
  zone: string;
  start: number;
  /** Seconds since the epoch. */
  dates: number[];
}

function readRecorded(): Recorded[] {
  const text = Deno.readTextFileSync(new URL("../../data/schedule_dates.txt", import.meta.url));
  return text.trimEnd().split("\n").map((line) => {
    const [json = "", start = "", ...dates] = line.split("\t");
    const given = JSON.parse(json);
    return {
      title: `${json} from ${start}`,
      schedule: toSchedule(given),
      zone: given.timezone,
      start: Number(start) * 1e6,
      dates: dates.map(Number),
    };
  });
}

function toSchedule(
  { timezone: zone, cron, day_or: dayOr, interval: seconds, anchor_date: anchor, rrule }: {
    timezone: string;
    cron?: string;
    day_or: boolean;
    interval: number;
    anchor_date: string;
    rrule: string;
  },
): Schedule {
  if (cron !== undefined) return { kind: "cron", cron, dayOr, zone };
  if (rrule !== undefined) return { kind: "rrule", rrule, zone };
  return { kind: "interval", seconds, anchor: parseInstant(anchor)!, zone };
}

const NEAR_SECONDS = 25 * 3600;

/** Whether clocks of the zone change within 25 hours. */
function isNearTransition(second: number, zone: string): boolean {
  const offset = (at: number) => toWall(at * 1e6, zone) - at * 1e6;
  return offset(second - NEAR_SECONDS) !== offset(second) || offset(second + NEAR_SECONDS) !== offset(second);
}

function differences({ schedule, zone, start, dates }: Recorded) {
  const last = dates.at(-1)!;
  const ours = firstDates(schedule, start, 60).map((date) => date / 1e6).filter((date) => date <= last);
  const differing = [
    ...dates.filter((date) => !ours.includes(date)),
    ...ours.filter((date) => !dates.includes(date)),
  ];
  return {
    far: differing.filter((date) => !isNearTransition(date, zone)),
    near: differing.filter((date) => isNearTransition(date, zone)),
  };
}

Deno.test("datesOf() gives the dates of the reference wherever clocks do not change within 25 hours", () => {
  const recorded = readRecorded();
  assertEquals(recorded.length, 200);
  const found = recorded.map((one) => ({ title: one.title, ...differences(one) }));
  assertEquals(found.filter(({ far }) => far.length > 0), []);
});

/** In seconds since the epoch; docs/time.md tells the rule. */
const NEAR_DIFFERENCES = [
  {
    title: '{"cron": "30 2 * * *", "timezone": "Europe/Berlin", "day_or": true} from 1774520430',
    theirs: [Date.UTC(2026, 2, 29, 1, 30) / 1000],
    ours: [Date.UTC(2026, 2, 29, 1, 0) / 1000],
    reason: "half past two does not exist that day: ours is the first instant after the gap",
  },
];

Deno.test("datesOf() differs from the reference where clocks change in the listed dates only", () => {
  const found = readRecorded().flatMap((one) => {
    const { near } = differences(one);
    if (near.length === 0) return [];
    const theirs = near.filter((date) => one.dates.includes(date));
    return [{ title: one.title, theirs, ours: near.filter((date) => !theirs.includes(date)) }];
  });
  assertEquals(found, NEAR_DIFFERENCES.map(({ title, theirs, ours }) => ({ title, theirs, ours })));
});
