import { assertEquals } from "@std/assert";
import { type Figures, Lateness, MOST_BARS, RunHistory } from "../../src/domain/run_history.ts";
import { SECOND } from "./factories.ts";

const figures = (expected: number | null, changes: Partial<Figures> = {}): Figures => ({
  flow: "flow",
  deployment: null,
  type: "COMPLETED",
  stateName: "Completed",
  expected: expected === null ? null : expected * SECOND,
  start: expected === null ? null : (expected + 2) * SECOND,
  runningSince: null,
  totalRunTime: 3 * SECOND,
  ...changes,
});

Deno.test("RunHistory counts runs by interval and state, with their times up to now", () => {
  const history = new RunHistory({ start: 0, end: 30 * SECOND, interval: 10 * SECOND, now: 100 * SECOND });
  for (const expected of [0, 9.999999, 10, 29, 30, -1, null]) history.add(figures(expected));
  history.add(
    figures(12, { type: "RUNNING", stateName: "Running", runningSince: 90 * SECOND, totalRunTime: 0 }),
  );
  history.add(figures(12, { type: "SCHEDULED", stateName: "Late", start: null, totalRunTime: 0 }));
  history.add(figures(13, { type: "CANCELLED", stateName: "Cancelled", start: null, totalRunTime: 0 }));
  const completed = (runs: number) => ({
    type: "COMPLETED",
    name: "Completed",
    runs,
    runTime: 3 * runs,
    lateness: 2 * runs,
  });
  assertEquals(history.bars(), [
    { start: 0, end: 10 * SECOND, states: [completed(2)] },
    {
      start: 10 * SECOND,
      end: 20 * SECOND,
      states: [
        { type: "SCHEDULED", name: "Late", runs: 1, runTime: 0, lateness: 88 },
        { type: "RUNNING", name: "Running", runs: 1, runTime: 10, lateness: 2 },
        completed(1),
        { type: "CANCELLED", name: "Cancelled", runs: 1, runTime: 0, lateness: 0 },
      ],
    },
    { start: 20 * SECOND, end: 30 * SECOND, states: [completed(1)] },
  ] as unknown);
});

Deno.test("RunHistory has at most 500 bars, and none for a period that ends before it starts", () => {
  const bars = (end: number) => new RunHistory({ start: 0, end, interval: SECOND, now: 0 }).bars().length;
  assertEquals([bars(10_000 * SECOND), bars(0), bars(-5), bars(1.5 * SECOND)], [MOST_BARS, 0, 0, 2]);
});

Deno.test("Lateness is the average over all runs, null without any", () => {
  const lateness = new Lateness(20 * SECOND);
  assertEquals(lateness.average(), null);
  lateness.add(figures(1));
  lateness.add(figures(10, { type: "SCHEDULED", start: null }));
  lateness.add(figures(5, { start: 4 * SECOND }));
  assertEquals(lateness.average(), (2 + 10 + 0) / 3);
});
