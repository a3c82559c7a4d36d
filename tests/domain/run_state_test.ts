import { assertEquals } from "@std/assert";
import {
  defaultName,
  enterState,
  isHeld,
  isHeldByAgent,
  isTerminal,
  needsSlot,
  nextTimestamp,
  placeOf,
  proposedState,
} from "../../src/domain/run_state.ts";
import { type RunRecord, STATE_TYPES, type StateDetails, type StateType } from "../../src/schemas/records.ts";
import { aRun, aState, heldByAgent, heldByThirdParty, NOW, SECOND, TERMINAL } from "./factories.ts";

const enter = (run: RunRecord, type: StateType, details: StateDetails = {}, at = NOW) =>
  enterState(run, aState(type, { timestamp: at, details }));

Deno.test("isTerminal() and defaultName() know every type", () => {
  assertEquals(STATE_TYPES.filter(isTerminal), [...TERMINAL]);
  assertEquals(defaultName("SCHEDULED"), "Scheduled");
  assertEquals(defaultName("CANCELLING"), "Cancelling");
});

Deno.test("proposedState() has plain values where none is given", () => {
  assertEquals(proposedState("FAILED"), {
    type: "FAILED",
    name: "Failed",
    message: null,
    hasData: false,
    persisted: false,
    details: {},
  });
});

Deno.test("placeOf() is the lease of a held run, the index of a waiting one, and nowhere else", () => {
  const inProcessRetry = heldByAgent("SCHEDULED", { retryType: "in_process" });
  assertEquals(placeOf(heldByAgent("RUNNING")), "lease");
  assertEquals(placeOf(heldByThirdParty("PENDING")), "lease");
  assertEquals(placeOf(inProcessRetry), "lease");
  assertEquals(placeOf(aRun("SCHEDULED")), "wait");
  assertEquals(placeOf(aRun("SCHEDULED", { pool: null })), "none");
  for (const type of [...TERMINAL, "PAUSED"] as const) assertEquals(placeOf(aRun(type)), "none");
});

Deno.test("isHeld() and isHeldByAgent() tell holders apart", () => {
  assertEquals([aRun(), heldByAgent("RUNNING"), heldByThirdParty("RUNNING")].map(isHeld), [
    false,
    true,
    true,
  ]);
  assertEquals(
    [aRun(), heldByAgent("RUNNING"), heldByThirdParty("RUNNING")].map(isHeldByAgent),
    [false, true, false],
  );
});

Deno.test("needsSlot() is true exactly while a process may exist", () => {
  const suspended = { pause_reschedule: true };
  const cases: [StateType, StateDetails, RunRecord["retryType"], whenHeld: boolean, whenNot: boolean][] = [
    ["PENDING", {}, null, true, true],
    ["RUNNING", {}, null, true, true],
    ["CANCELLING", {}, null, true, false],
    ["PAUSED", {}, null, true, false],
    ["PAUSED", suspended, null, false, false],
    ["SCHEDULED", {}, null, false, false],
    ["SCHEDULED", {}, "reschedule", false, false],
    ["SCHEDULED", {}, "in_process", true, false],
    ...TERMINAL.map((type) =>
      [type, {}, null, false, false] satisfies [StateType, object, null, boolean, boolean]
    ),
  ];
  const got = cases.map(([type, details, retryType]) =>
    [true, false].map((held) => needsSlot(proposedState(type, { details }), retryType, held))
  );
  assertEquals(got, cases.map(([, , , whenHeld, whenNot]) => [whenHeld, whenNot]));
});

Deno.test("enterState() sets the start at the first RUNNING and counts every run but a resumed one", () => {
  const first = enter(heldByAgent("PENDING"), "RUNNING");
  assertEquals([first.startTime, first.runCount, first.resuming], [NOW, 1, false]);
  const again = enter(first, "RUNNING", {}, NOW + 5);
  assertEquals([again.startTime, again.runCount], [NOW, 2]);
  const resumed = enter({ ...first, resuming: true }, "RUNNING", {}, NOW + 5);
  assertEquals([resumed.runCount, resumed.resuming], [1, false]);
});

Deno.test("enterState() adds up the time spent running, over pauses and repeats", () => {
  let run = enter(heldByAgent("PENDING"), "RUNNING", {}, NOW);
  run = enter(run, "PAUSED", {}, NOW + 3 * SECOND);
  assertEquals(run.totalRunTime, 3 * SECOND);
  run = enter(run, "RUNNING", {}, NOW + 10 * SECOND);
  run = enter(run, "RUNNING", {}, NOW + 11 * SECOND);
  run = enter(run, "COMPLETED", {}, NOW + 12 * SECOND);
  assertEquals(run.totalRunTime, 5 * SECOND);
  assertEquals(enter(run, "SCHEDULED", {}, NOW + 20 * SECOND).totalRunTime, 5 * SECOND);
});

Deno.test("enterState() sets the end of an ended run, and its start when it never ran; leaving clears the end", () => {
  for (const type of TERMINAL) {
    const ended = enter(aRun("SCHEDULED"), type);
    assertEquals([ended.endTime, ended.startTime], [NOW, NOW]);
    const again = enter(ended, "SCHEDULED", { scheduled_time: NOW + 5 }, NOW + 1);
    assertEquals([again.endTime, again.startTime], [null, NOW]);
  }
});

Deno.test("enterState() keeps the next start only while the run is scheduled, and the expected one always", () => {
  const blank = aRun("SCHEDULED", { expectedStart: null, nextStart: null });
  const scheduled = enter(blank, "SCHEDULED", { scheduled_time: NOW + 5 });
  assertEquals([scheduled.nextStart, scheduled.expectedStart], [NOW + 5, NOW + 5]);
  const pending = enter(scheduled, "PENDING", { scheduled_time: NOW + 5 });
  assertEquals([pending.nextStart, pending.expectedStart], [null, NOW + 5]);
  const untimed = enter(blank, "SCHEDULED");
  assertEquals([untimed.nextStart, untimed.expectedStart], [NOW, NOW]);
  const first = enter(blank, "PENDING");
  assertEquals([first.nextStart, first.expectedStart], [null, NOW]);
});

Deno.test("enterState() moves `updated` and nothing of the run's place", () => {
  const run = heldByAgent("PENDING");
  const next = enter(run, "RUNNING");
  assertEquals(next.updated, NOW);
  const { pool, queueNo, t, session, token, attempt } = run;
  assertEquals(
    [next.pool, next.queueNo, next.t, next.session, next.token, next.attempt],
    [pool, queueNo, t, session, token, attempt],
  );
});

Deno.test("nextTimestamp() strictly increases, also when the clock stands or goes back", () => {
  const previous = aState("RUNNING", { timestamp: NOW });
  assertEquals(nextTimestamp(previous, NOW + 5), NOW + 5);
  assertEquals(nextTimestamp(previous, NOW), NOW + 1);
  assertEquals(nextTimestamp(previous, NOW - 60 * SECOND), NOW + 1);
});
