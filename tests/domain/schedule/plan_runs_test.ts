import { assert, assertEquals } from "@std/assert";
import { planRuns, type RunsPlan } from "../../../src/domain/schedule/plan_runs.ts";
import type { Schedule } from "../../../src/domain/schedule/schedule.ts";
import { parseInstant } from "../../../src/schemas/wire.ts";

const NOW = parseInstant("2026-11-24T00:30:00Z")!;
const MINUTE = 60e6;
const HOUR = 60 * MINUTE;
const every = (seconds: number): Schedule => (
  { kind: "interval", seconds, anchor: parseInstant("2026-01-01T00:00:00Z")!, zone: "UTC" }
);
const plan = (schedule: Schedule, now = NOW, generatedUntil: number | null = null): RunsPlan =>
  planRuns(schedule, { now, from: now, generatedUntil });

Deno.test("planRuns() makes as many runs as the reference: three, and an hour ahead", () => {
  const cron = (text: string): Schedule => ({ kind: "cron", cron: text, dayOr: true, zone: "UTC" });
  const counts = [every(3600), every(86_400), every(60), cron("0 0 1 * *")].map((schedule) =>
    plan(schedule, NOW + 1).dates.length
  );
  assertEquals(counts, [3, 3, 61, 3]);
});

Deno.test("planRuns() makes a run that is due just now", () => {
  assertEquals(plan(every(60)).dates[0], NOW);
});

Deno.test("planRuns() makes at most 100, and none beyond 100 days", () => {
  assertEquals(plan(every(1)).dates.length, 101, "the one that is due now, and 100 ahead");
  const quarterly = plan(every(90 * 86_400));
  assert(quarterly.dates.every((date) => date <= NOW + 100 * 24 * HOUR));
  assertEquals(quarterly.lookAgain, NOW + 24 * HOUR);
});

Deno.test("planRuns() looks again when what is ahead is not enough any more, and goes on from there", () => {
  for (const seconds of [60, 1_700, 3_600, 86_400, 86_400 * 40]) {
    let now = NOW + 1;
    let generatedUntil: number | null = null;
    const made: number[] = [];
    for (let look = 0; look < 50; look++) {
      const next: RunsPlan = plan(every(seconds), now, generatedUntil);
      made.push(...next.dates);
      ({ generatedUntil } = next);
      assert(next.lookAgain !== null && next.lookAgain > now, `every ${seconds} s, look ${look}`);
      const ahead = made.filter((date) => date > now);
      const isEnough = ahead.length >= 3 && ahead.at(-1)! >= now + HOUR;
      assert(isEnough || ahead.length < 3 && seconds > 86_400, `every ${seconds} s, look ${look}`);
      // Until the next look it stays enough.
      const then = next.lookAgain - 1;
      const left = made.filter((date) => date > then);
      assert(
        left.length >= 3 && left.at(-1)! >= then + HOUR || seconds > 86_400,
        `every ${seconds} s, look ${look}`,
      );
      now = next.lookAgain + 1;
    }
    const steps = new Set(made.slice(1).map((date, i) => date - made[i]!));
    assertEquals([...steps], [seconds * 1e6], "each date once, none left out");
  }
});

Deno.test("planRuns() keeps up with a schedule that is faster than its horizon", () => {
  let now = NOW + 1;
  let generatedUntil: number | null = null;
  const made: number[] = [];
  for (let look = 0; look < 300; look++) {
    const next: RunsPlan = plan(every(1), now, generatedUntil);
    made.push(...next.dates);
    ({ generatedUntil } = next);
    now = Math.max(next.lookAgain!, now) + 1;
  }
  assertEquals([...new Set(made.slice(1).map((date, i) => date - made[i]!))], [1e6]);
  assert(made.length >= 350, `${made.length}`);
});

Deno.test("planRuns() ends with its schedule", () => {
  const rule: Schedule = {
    kind: "rrule",
    rrule: "DTSTART:20261124T010000Z\nRRULE:FREQ=DAILY;COUNT=2",
    zone: "UTC",
  };
  const { dates, lookAgain } = plan(rule);
  assertEquals([dates.length, lookAgain], [2, null]);
  assertEquals(plan({ ...rule, rrule: "DTSTART:20200101T000000Z\nRRULE:FREQ=DAILY;COUNT=1" }), {
    dates: [],
    generatedUntil: null,
    lookAgain: null,
  });
});

Deno.test("planRuns() makes what was missed in portions", () => {
  const from = NOW - 1_000 * MINUTE;
  const first = planRuns(every(60), { now: NOW, from, generatedUntil: from - MINUTE });
  assertEquals([first.dates.length, first.dates[0], first.lookAgain], [500, from, NOW]);
  const rest = planRuns(every(60), { now: NOW, from, generatedUntil: first.generatedUntil });
  assertEquals(rest.dates[0], first.dates.at(-1)! + MINUTE);
});
