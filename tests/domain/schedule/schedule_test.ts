import { assert, assertEquals, assertThrows } from "@std/assert";
import { instantAt, instantsAt, isRepeated, toWall } from "../../../src/domain/schedule/local_time.ts";
import { parseCron } from "../../../src/domain/schedule/cron_dates.ts";
import { parseRrule } from "../../../src/domain/schedule/rrule_dates.ts";
import { datesOf, firstDates, type Schedule } from "../../../src/domain/schedule/schedule.ts";
import { formatInstant, parseInstant } from "../../../src/schemas/wire.ts";

const at = (text: string): number => parseInstant(text)!;
const interval = (seconds: number, anchor: string, zone = "UTC"): Schedule => (
  { kind: "interval", seconds, anchor: at(anchor), zone }
);
const cron = (expression: string, zone = "UTC", dayOr = true): Schedule => (
  { kind: "cron", cron: expression, dayOr, zone }
);
const rrule = (rule: string, zone = "UTC"): Schedule => ({ kind: "rrule", rrule: rule, zone });

/** [title, schedule, start, dates, whether these are all] */
const CASES: readonly [string, Schedule, string, string[], "all"?][] = [
  ["start is inclusive", cron("0 9 * * *", "Europe/Berlin"), "2026-11-24T08:00:00Z", [
    "2026-11-24T08:00:00Z",
    "2026-11-25T08:00:00Z",
  ]],
  ["a fraction after a date is after it", cron("0 9 * * *"), "2026-11-24T09:00:00.000001Z", [
    "2026-11-25T09:00:00Z",
  ]],
  ["six fields have the seconds last", cron("0 9 * * * 30"), "2026-11-24T09:00:00Z", [
    "2026-11-24T09:00:30Z",
    "2026-11-25T09:00:30Z",
  ]],
  ["day of month or day of week", cron("0 0 1 * 1"), "2026-11-29T00:00:00Z", [
    "2026-11-30T00:00:00Z",
    "2026-12-01T00:00:00Z",
  ]],
  ["day of month and day of week", cron("0 0 1 * 1", "UTC", false), "2026-11-29T00:00:00Z", [
    "2027-02-01T00:00:00Z",
  ]],
  ["a day that never comes", cron("0 0 31 2 *"), "2026-01-01T00:00:00Z", [], "all"],
  [
    "cron: a time in the gap fires right after it",
    cron("30 2 * * *", "Europe/Berlin"),
    "2026-03-29T00:45:00Z",
    [
      "2026-03-29T01:00:00Z",
      "2026-03-30T00:30:00Z",
    ],
  ],
  ["cron: a gap of half an hour", cron("15 2 * * *", "Australia/Lord_Howe"), "2026-10-03T00:00:00Z", [
    "2026-10-03T15:30:00Z",
    "2026-10-04T15:15:00Z",
  ]],
  ["cron: a repeated time fires once a day", cron("30 2 * * *", "Europe/Berlin"), "2026-10-25T00:00:00Z", [
    "2026-10-25T00:30:00Z",
    "2026-10-26T01:30:00Z",
  ]],
  [
    "cron: several times a day each fire once",
    cron("30 2,14 * * *", "Europe/Berlin"),
    "2026-10-25T00:00:00Z",
    [
      "2026-10-25T00:30:00Z",
      "2026-10-25T13:30:00Z",
    ],
  ],
  ["cron: every hour fires in both", cron("0 * * * *", "Europe/Berlin"), "2026-10-25T00:00:00Z", [
    "2026-10-25T00:00:00Z",
    "2026-10-25T01:00:00Z",
    "2026-10-25T02:00:00Z",
  ]],
  [
    "interval of a day keeps the wall clock",
    interval(86_400, "2026-01-01T01:30:00Z", "Europe/Berlin"),
    "2026-03-28T00:00:00Z",
    ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"],
  ],
  [
    "interval of an hour counts absolute time",
    interval(3_600, "2026-01-01T00:10:00Z", "Europe/Berlin"),
    "2026-10-25T00:00:00Z",
    ["2026-10-25T00:10:00Z", "2026-10-25T01:10:00Z", "2026-10-25T02:10:00Z"],
  ],
  [
    "interval keeps the anchor's microseconds",
    interval(60, "2026-11-23T23:08:31.502404Z"),
    "2026-11-24T00:00:00Z",
    ["2026-11-24T00:00:31.502404Z"],
  ],
  [
    "an anchor in the future counts backwards too",
    interval(3_600, "2030-01-01T00:10:00Z"),
    "2026-11-24T00:00:00Z",
    [
      "2026-11-24T00:10:00Z",
    ],
  ],
  [
    "rrule: a time in the gap",
    rrule("DTSTART:20200101T023000\nFREQ=DAILY", "Europe/Berlin"),
    "2026-03-29T00:00:00Z",
    [
      "2026-03-29T01:00:00Z",
      "2026-03-30T00:30:00Z",
    ],
  ],
  [
    "rrule: a repeated time fires once",
    rrule("FREQ=DAILY;BYHOUR=2", "Europe/Berlin"),
    "2026-10-25T00:00:00Z",
    [
      "2026-10-25T00:00:00Z",
      "2026-10-26T01:00:00Z",
    ],
  ],
  ["rrule: every hour fires in both", rrule("FREQ=HOURLY", "Europe/Berlin"), "2026-10-25T00:00:00Z", [
    "2026-10-25T00:00:00Z",
    "2026-10-25T01:00:00Z",
    "2026-10-25T02:00:00Z",
  ]],
  [
    "rrule: every sixth hour keeps its hours",
    rrule("DTSTART:20260101T000000\nFREQ=HOURLY;INTERVAL=6", "Europe/Berlin"),
    "2026-03-28T22:00:00Z",
    ["2026-03-28T23:00:00Z", "2026-03-29T04:00:00Z"],
  ],
  [
    "rrule: count, excluded and added dates",
    rrule(
      "DTSTART:20261124T090000Z\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE:20261125T090000Z\nRDATE:20261124T120000Z",
    ),
    "2026-11-01T00:00:00Z",
    ["2026-11-24T09:00:00Z", "2026-11-24T12:00:00Z", "2026-11-26T09:00:00Z"],
    "all",
  ],
  [
    "rrule: an end in UTC under local times",
    rrule("DTSTART:20261124T090000\nRRULE:FREQ=DAILY;UNTIL=20261125T080000Z", "Europe/Berlin"),
    "2026-11-01T00:00:00Z",
    ["2026-11-24T08:00:00Z", "2026-11-25T08:00:00Z"],
    "all",
  ],
];

for (const [title, schedule, start, dates, isAll] of CASES) {
  Deno.test(`datesOf() ${title}`, () => {
    const found = firstDates(schedule, at(start), isAll ? 9 : dates.length).map(formatInstant);
    assertEquals(found, dates);
  });
}

const ZONES = [
  "Europe/Berlin",
  "America/New_York",
  "Australia/Lord_Howe",
  "Asia/Kolkata",
  "America/Sao_Paulo",
  "UTC",
];
const DAY = 86_400e6;

/** Ten years that hold Sao Paulo's last clock changes. */
const FROM = at("2014-01-01T00:00:00Z");
const TO = at("2024-01-01T00:00:00Z");

for (const zone of ZONES) {
  const daily: readonly Schedule[] = [
    interval(86_400, "2014-01-01T02:15:00Z", zone),
    cron("30 2 * * *", zone),
    cron("0 0 * * *", zone),
    rrule("DTSTART:20140101T021500\nFREQ=DAILY", zone),
  ];
  Deno.test(`datesOf() skips no day and fires once on each, for ten years in ${zone}`, () => {
    for (const schedule of daily) {
      const days: number[] = [];
      for (const date of datesOf(schedule, FROM)) {
        if (date >= TO) break;
        days.push(Math.floor(toWall(date, zone) / DAY));
      }
      const first = days[0]!;
      assert(days.length > 3_640, `${days.length} days`);
      assertEquals(days, days.map((_, i) => first + i), JSON.stringify(schedule));
    }
  });

  const hourly: readonly Schedule[] = [
    interval(3_600, "2014-01-01T00:30:00Z", zone),
    cron("0 * * * *", zone),
    rrule("FREQ=HOURLY", zone),
  ];
  Deno.test(`datesOf() fires every hour, each instant once, around ten years of clock changes in ${zone}`, () => {
    for (const schedule of hourly) {
      for (const day of daysOfChange(zone)) {
        const dates = firstDates(schedule, day - DAY, 72);
        for (const [i, date] of dates.slice(1).entries()) {
          const minutes = (date - dates[i]!) / 60e6;
          // Where clocks turn by half an hour, full hours on them are half an hour nearer or further once.
          const isHour = minutes === 60 || (zone === "Australia/Lord_Howe" && [30, 90].includes(minutes));
          assert(isHour, `${formatInstant(date)} after ${minutes} min: ${JSON.stringify(schedule)}`);
        }
      }
    }
  });
}

/** The days on which clocks change, and the last one. */
function daysOfChange(zone: string): number[] {
  const offset = (instant: number) => toWall(instant, zone) - instant;
  const days = Array.from({ length: (TO - FROM) / DAY }, (_, i) => FROM + i * DAY);
  return days.filter((day) => offset(day) !== offset(day + DAY) || day + DAY >= TO);
}

Deno.test("instantsAt() and instantAt() know gaps and repeated hours", () => {
  const berlin = "Europe/Berlin";
  assertEquals(instantsAt(at("2026-03-29T02:30:00Z"), berlin), []);
  assertEquals(instantAt(at("2026-03-29T02:30:00Z"), berlin), at("2026-03-29T01:00:00Z"));
  assertEquals(instantsAt(at("2026-10-25T02:30:00Z"), berlin).map(formatInstant), [
    "2026-10-25T00:30:00Z",
    "2026-10-25T01:30:00Z",
  ]);
  assertEquals(
    [at("2026-10-25T00:30:00Z"), at("2026-10-25T01:30:00Z")].map((one) => isRepeated(one, berlin)),
    [
      false,
      true,
    ],
  );
  // A whole day that never was.
  assertEquals(instantAt(at("2011-12-30T09:00:00Z"), "Pacific/Apia"), at("2011-12-30T10:00:00Z"));
});

function isAccepted(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch {
    return false;
  }
}

Deno.test("parseCron() and parseRrule() throw on what is no rule", () => {
  for (
    const bad of ["bad", "* * * *", "0 9 * * 8", "H * * * *", "60 * * * *", "0 0 0 0 0 0 0", "", "@never"]
  ) {
    const accepted = [bad].filter((cron) => isAccepted(() => parseCron({ cron, dayOr: true, zone: "UTC" })));
    assertEquals(accepted, []);
  }
  assertThrows(() => parseRrule("nope", "UTC"));
});
