import { assertEquals } from "@std/assert";
import { isCron, toCronerPattern } from "../../src/schemas/cron.ts";
import { rruleFault, withStart } from "../../src/schemas/rrule.ts";
import { DeploymentScheduleCreate, DeploymentScheduleUpdate, Schedule } from "../../src/schemas/schedule.ts";
import { parseInstant } from "../../src/schemas/wire.ts";

Deno.test("isCron() takes five or six fields and aliases", () => {
  const good = [
    "0 9 * * *",
    " 0  9 * * * ",
    "*/5 1-5/2 * JAN MON-FRI",
    "5/10 * * * *",
    "0 0 L * 5#2",
    "0 0 31 2 *",
    "0 9 * * 7",
    "0 9 * * * 30",
    "@daily",
    "@annually",
  ];
  const bad = [
    "",
    "bad",
    "* * * *",
    "* * * * * * *",
    "H * * * *",
    "R R * * *",
    "60 * * * *",
    "0 0 * * 8",
    "@reboot",
    "@never",
    "2026-01-01T00:00:00",
  ];
  for (const text of good) assertEquals(isCron(text), true, text);
  for (const text of bad) assertEquals(isCron(text), false, text);
});

Deno.test("toCronerPattern() puts the seconds first, which stand last on the wire", () => {
  assertEquals(toCronerPattern("1 2 3 4 5 6"), "6 1 2 3 4 5");
  assertEquals(toCronerPattern("1 2 3 4 5"), "1 2 3 4 5");
});

Deno.test("rruleFault() takes rules and sets, with and without a start", () => {
  const good = [
    "FREQ=DAILY",
    "RRULE:FREQ=DAILY;INTERVAL=2",
    "FREQ=WEEKLY;BYDAY=MO,-1FR;",
    "freq=daily",
    "DTSTART:20200101T000000\nFREQ=WEEKLY;BYDAY=MO",
    "DTSTART;TZID=Europe/Berlin:20200101T000000\nRRULE:FREQ=DAILY\nEXDATE:20200102T000000",
    "DTSTART:20200101T000000\nRRULE:FREQ=DAILY\nRDATE:20200103T000000",
    "FREQ=MONTHLY;BYMONTHDAY=-1;BYHOUR=3,4;UNTIL=20300101T000000Z",
  ];
  for (const text of good) assertEquals(rruleFault(text), undefined, text);
  const bad = [
    "",
    "nope",
    "INTERVAL=2",
    "FREQ=NOPE",
    "FREQ=DAILY;FOO=1",
    "FREQ=DAILY;BYWEEKDAY=MO",
    "FREQ=DAILY;INTERVAL=0",
    "FREQ=DAILY;INTERVAL=x",
    "FREQ=DAILY;BYHOUR=24",
    "FREQ=DAILY;COUNT=-1",
    "FREQ=DAILY;BYDAY=XX",
    "FREQ=DAILY;UNTIL=soon",
    "RRULE:FREQ=DAILY\nRRULE:FREQ=WEEKLY",
    "FREQ=DAILY\nEXRULE:FREQ=WEEKLY",
    "DTSTART:bad\nFREQ=DAILY",
    "EXDATE:20200102T000000",
    "DTSTART:20200101T000000\nRDATE:20200103T000000",
  ];
  for (const text of bad) assertEquals(typeof rruleFault(text), "string", text);
});

Deno.test("withStart() puts the reference's start in front, or a recent one in the same step", () => {
  const now = parseInstant("2026-11-24T12:00:30Z")!;
  const start = (rule: string) => withStart(rule, now).split("\n")[0];
  assertEquals(withStart("FREQ=DAILY", now), "DTSTART:20200101T000000\nFREQ=DAILY");
  assertEquals(start("FREQ=MINUTELY;COUNT=5"), "DTSTART:20200101T000000");
  assertEquals(start("FREQ=SECONDLY"), "DTSTART:20261123T120030");
  const minutes = (parseInstant("2026-11-23T11:57:00Z")! - parseInstant("2020-01-01T00:00:00Z")!) / 60e6;
  assertEquals([minutes % 7, start("FREQ=MINUTELY;INTERVAL=7")], [0, "DTSTART:20261123T115700"]);
  const given = "DTSTART:20210101T000000\nFREQ=SECONDLY";
  assertEquals(withStart(given, now), given);
});

Deno.test("Schedule refuses zones that there are not, and schedules of no time", () => {
  const good = [
    { interval: 0.5, timezone: "Europe/Berlin" },
    { interval: "3600", anchor_date: "2024-01-01 00:00:00+00:00", timezone: null },
    { cron: "@daily", timezone: "UTC", day_or: false },
    { rrule: "FREQ=DAILY", timezone: "America/New_York" },
  ];
  const bad = [
    {},
    null,
    { interval: 0 },
    { interval: -1 },
    { interval: 1e300 },
    { interval: 60, timezone: "Nowhere" },
    { interval: 60, timezone: "+01:00" },
    { cron: "@daily", timezone: "" },
    { cron: "@daily", interval: 60 },
    { rrule: "FREQ=DAILY", day_or: true },
    { rrule: "FREQ=DAILY", timezone: "Nowhere" },
    { rrule: `FREQ=DAILY;BYHOUR=${"1,".repeat(3_300)}1` },
  ];
  for (const schedule of good) {
    assertEquals(Schedule.safeParse(schedule).success, true, JSON.stringify(schedule));
  }
  for (const schedule of bad) {
    assertEquals(Schedule.safeParse(schedule).success, false, JSON.stringify(schedule));
  }
});

Deno.test("DeploymentScheduleCreate needs a schedule and DeploymentScheduleUpdate none; both allow 50 runs at most", () => {
  const schedule = { interval: 60 };
  assertEquals(DeploymentScheduleCreate.safeParse({ slug: "a" }).success, false);
  assertEquals(DeploymentScheduleUpdate.safeParse({ slug: "a", schedule: null }).success, true);
  for (const [max_scheduled_runs, expected] of [[50, true], [51, false], [0, false]] as const) {
    for (const schema of [DeploymentScheduleCreate, DeploymentScheduleUpdate]) {
      assertEquals(schema.safeParse({ schedule, max_scheduled_runs }).success, expected);
    }
  }
  assertEquals(DeploymentScheduleCreate.parse({ schedule }).active, true);
});
