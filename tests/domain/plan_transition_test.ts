import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { planTransition, type Proposal, type TransitionPlan } from "../../src/domain/plan_transition.ts";
import { isHeld, isTerminal, proposedState } from "../../src/domain/run_state.ts";
import {
  type RunRecord,
  STATE_TYPES,
  type StateDetails,
  type StateType,
  THIRD_PARTY,
} from "../../src/schemas/records.ts";
import { aRun, aState, heldByAgent, heldByThirdParty, NOW, SECOND, TERMINAL, TOKEN } from "./factories.ts";

interface Also extends Partial<Proposal> {
  details?: StateDetails;
  name?: string;
}

function propose(run: RunRecord, to: StateType, { details, name, ...also }: Also = {}): TransitionPlan {
  return planTransition({
    run,
    proposed: proposedState(to, { ...(details ? { details } : {}), ...(name ? { name } : {}) }),
    now: NOW,
    retries: null,
    retryDelaySeconds: 0,
    infrastructurePid: null,
    parentTaskRunId: null,
    pauseKey: "fresh-key",
    force: false,
    token: undefined,
    stateId: "new-state",
    ...also,
  });
}

/** `stale`, `ABORT`, `ACCEPT free COMPLETED`, … */
function words(plan: TransitionPlan): string {
  if (plan.kind === "stale") return "stale";
  if (plan.kind === "answer") return plan.answer.status;
  return `${plan.answer.status} ${plan.slot} ${plan.next.state.type}`;
}

function written(plan: TransitionPlan): RunRecord {
  assert(plan.kind === "write");
  return plan.next;
}

const withToken = { token: TOKEN };

Deno.test("planTransition() calls a token that is not current stale, in every state", () => {
  for (const type of STATE_TYPES) {
    for (const to of STATE_TYPES) {
      for (const force of [false, true]) {
        for (const run of [heldByAgent(type), heldByThirdParty(type), aRun(type, { attempt: 1 })]) {
          assertEquals(words(propose(run, to, { token: "old-token", force })), "stale", `${type} → ${to}`);
        }
      }
    }
  }
});

Deno.test("planTransition() calls no token stale for a run that was never handed out", () => {
  const subflow = aRun("PENDING", { pool: null, deployment: null });
  assertEquals(words(propose(subflow, "RUNNING", { token: "of the parent" })), "ACCEPT none RUNNING");
  assertEquals(
    words(propose(aRun("SCHEDULED"), "CANCELLED", { token: "of another" })),
    "ACCEPT none CANCELLED",
  );
});

Deno.test("planTransition() answers a repeated report of an ended run and writes nothing", () => {
  for (const type of TERMINAL) {
    const ended = aRun(type, { token: TOKEN, attempt: 1 });
    for (const to of STATE_TYPES) {
      const expected = to === type ? "ACCEPT" : TERMINAL.includes(to) ? "REJECT" : "ABORT";
      assertEquals(words(propose(ended, to, withToken)), expected, `${type} → ${to}`);
    }
  }
});

Deno.test("planTransition() recognises its own earlier write by the state's id", () => {
  const run = heldByAgent("RUNNING");
  const first = propose(run, "COMPLETED", withToken);
  assertEquals(words(propose(written(first), "COMPLETED", withToken)), "ACCEPT");
  assertEquals(words(propose(written(propose(aRun(), "PENDING")), "PENDING")), "ACCEPT");
});

Deno.test("planTransition() lets nobody without the token move a run that an agent holds, but cancel it", () => {
  const suspended = { pause_reschedule: true };
  const cases: [StateType, Also, string][] = [
    ["PENDING", {}, "ABORT"],
    ["PENDING", { name: "Submitting" }, "ABORT"],
    ["RUNNING", {}, "ABORT"],
    ["RUNNING", { force: true }, "ABORT"],
    ["SCHEDULED", {}, "ABORT"],
    ["SCHEDULED", { force: true }, "ABORT"],
    ["COMPLETED", {}, "ABORT"],
    ["FAILED", {}, "ABORT"],
    ["CRASHED", {}, "ABORT"],
    ["CANCELLED", {}, "ABORT"],
    ["PAUSED", { details: suspended }, "ABORT"],
    ["PAUSED", {}, "ACCEPT keep PAUSED"],
    ["CANCELLING", {}, "ACCEPT keep CANCELLING"],
    ["CANCELLING", { force: true }, "ACCEPT keep CANCELLING"],
    ["COMPLETED", { force: true }, "ACCEPT free COMPLETED"],
    ["FAILED", { force: true }, "ACCEPT free FAILED"],
    ["CRASHED", { force: true }, "ACCEPT free CRASHED"],
    ["CANCELLED", { force: true }, "ACCEPT free CANCELLED"],
  ];
  const got = cases.map(([to, also]) => [to, also, words(propose(heldByAgent("RUNNING"), to, also))]);
  assertEquals(got, cases);
});

Deno.test("planTransition() ends the named pause of a run that an agent holds, without a token, and no other state", () => {
  const paused = heldByAgent("PAUSED");
  const resumes = paused.state.id;
  assertEquals(words(propose(paused, "RUNNING")), "ABORT");
  const next = propose(paused, "RUNNING", { resumes });
  assertEquals(words(next), "ACCEPT keep RUNNING");
  assertEquals([written(next).session, written(next).token], [paused.session, TOKEN]);
  for (const type of STATE_TYPES) {
    for (const run of [heldByAgent(type), heldByThirdParty(type), aRun(type)]) {
      const plan = propose(run, "RUNNING", { resumes: "an earlier pause" });
      assertEquals(words(plan), "ABORT", `from ${type}`);
    }
  }
  const suspended = aRun("PAUSED", {
    attempt: 1,
    state: aState("PAUSED", { details: { pause_reschedule: true } }),
  });
  assertEquals(
    words(propose(suspended, "SCHEDULED", { resumes: suspended.state.id, name: "Resuming" })),
    "ACCEPT none SCHEDULED",
  );
});

Deno.test("planTransition() refuses what was judged by a state that the run is not in any more", () => {
  const waiting = aRun("SCHEDULED");
  assertEquals(
    words(propose(waiting, "SCHEDULED", { name: "Late", onlyFrom: waiting.state.id })),
    "ACCEPT none SCHEDULED",
  );
  assertEquals(words(propose(waiting, "SCHEDULED", { name: "Late", onlyFrom: "an earlier state" })), "ABORT");
  assertEquals(words(propose(waiting, "FAILED", { force: true, onlyFrom: "an earlier state" })), "ABORT");
});

Deno.test("planTransition() frees, keeps or takes the slot as the state says", () => {
  const suspended = { details: { pause_reschedule: true } };
  const running = heldByAgent("RUNNING");
  const third = heldByThirdParty("RUNNING");
  const cases: [RunRecord, StateType, Also, string][] = [
    [heldByAgent("PENDING"), "RUNNING", withToken, "ACCEPT keep RUNNING"],
    [heldByAgent("PENDING"), "PENDING", { ...withToken, name: "Submitting" }, "ACCEPT keep PENDING"],
    [heldByAgent("PENDING"), "SCHEDULED", withToken, "ACCEPT free SCHEDULED"],
    [heldByAgent("PENDING"), "CRASHED", withToken, "ACCEPT free CRASHED"],
    [running, "COMPLETED", withToken, "ACCEPT free COMPLETED"],
    [running, "PAUSED", withToken, "ACCEPT keep PAUSED"],
    [running, "PAUSED", { ...withToken, ...suspended }, "ACCEPT free PAUSED"],
    [running, "FAILED", { ...withToken, retries: 1 }, "REJECT keep SCHEDULED"],
    [running, "SCHEDULED", { ...withToken, name: "AwaitingRetry" }, "ACCEPT free SCHEDULED"],
    [heldByAgent("PAUSED"), "RUNNING", withToken, "ACCEPT keep RUNNING"],
    [third, "CANCELLING", {}, "ACCEPT keep CANCELLING"],
    [third, "COMPLETED", {}, "ACCEPT free COMPLETED"],
    [third, "SCHEDULED", {}, "ACCEPT free SCHEDULED"],
    [aRun("SCHEDULED"), "PENDING", {}, "ACCEPT take PENDING"],
    [aRun("SCHEDULED"), "RUNNING", {}, "ACCEPT take RUNNING"],
    [aRun("SCHEDULED"), "RUNNING", { force: true }, "ACCEPT take RUNNING"],
    [aRun("FAILED"), "RUNNING", {}, "ACCEPT take RUNNING"],
    [aRun("FAILED"), "PENDING", { force: true }, "ABORT"],
    [aRun("FAILED"), "SCHEDULED", {}, "ACCEPT none SCHEDULED"],
    [aRun("SCHEDULED"), "CANCELLED", {}, "ACCEPT none CANCELLED"],
    [aRun("SCHEDULED"), "CANCELLING", {}, "REJECT none CANCELLED"],
    [aRun("PAUSED"), "RUNNING", {}, "ACCEPT take RUNNING"],
    [aRun("PAUSED"), "SCHEDULED", {}, "ACCEPT none SCHEDULED"],
    [aRun("SCHEDULED", { pool: null }), "PENDING", {}, "ACCEPT none PENDING"],
    [aRun("RUNNING", { pool: null }), "COMPLETED", {}, "ACCEPT none COMPLETED"],
  ];
  const got = cases.map(([run, to, also]) => [run, to, also, words(propose(run, to, also))]);
  assertEquals(got, cases);
});

Deno.test("planTransition() gives a taken slot to a third party under no token", () => {
  const next = written(propose(aRun("SCHEDULED", { attempt: 2, token: "spent" }), "PENDING"));
  assertEquals([next.session, next.token, next.attempt, next.started], [THIRD_PARTY, null, 3, false]);
  const started = written(propose(aRun("SCHEDULED"), "RUNNING"));
  assertEquals([started.session, started.started], [THIRD_PARTY, true]);
});

Deno.test("planTransition() keeps the token on an ended run and takes it from one that waits again", () => {
  const ended = written(propose(heldByAgent("RUNNING"), "COMPLETED", withToken));
  assertEquals([ended.session, ended.token, ended.started], [null, TOKEN, false]);
  const waiting = written(propose(heldByAgent("PENDING"), "SCHEDULED", withToken));
  assertEquals([waiting.session, waiting.token, waiting.attempt], [null, null, 1]);
  const details = { pause_reschedule: true };
  const suspended = written(propose(heldByAgent("RUNNING"), "PAUSED", { ...withToken, details }));
  assertEquals([suspended.session, suspended.token], [null, null]);
});

Deno.test("planTransition() notes the start at RUNNING and at the agent's Submitting", () => {
  const started = (to: StateType, name?: string) =>
    written(propose(heldByAgent("PENDING"), to, { ...withToken, ...(name ? { name } : {}) })).started;
  assertEquals(started("RUNNING"), true);
  assertEquals(started("PENDING", "Submitting"), true);
  assertEquals(started("PENDING", "InfrastructurePending"), false);
});

Deno.test("planTransition() ends a run that is being cancelled as CANCELLED, whatever its holder says last", () => {
  const cancelling = heldByAgent("CANCELLING");
  for (const to of TERMINAL) {
    const expected = to === "CANCELLED" ? "ACCEPT free CANCELLED" : "REJECT free CANCELLED";
    assertEquals(words(propose(cancelling, to, withToken)), expected);
    assertEquals(words(propose(cancelling, to, { ...withToken, force: true })), expected);
  }
  for (const to of ["RUNNING", "PENDING", "PAUSED", "SCHEDULED", "CANCELLING"] as const) {
    assertEquals(words(propose(cancelling, to, withToken)), "REJECT", `the holder stays the holder: ${to}`);
  }
});

Deno.test("planTransition() ends a cancelled run of a third party only by CANCELLED or force", () => {
  const cancelling = heldByThirdParty("CANCELLING");
  assertEquals(words(propose(cancelling, "CRASHED")), "REJECT");
  assertEquals(words(propose(cancelling, "CANCELLED")), "ACCEPT free CANCELLED");
  assertEquals(words(propose(cancelling, "CRASHED", { force: true })), "ACCEPT free CRASHED");
});

Deno.test("planTransition() keeps an in-process retry with its holder, who goes on at its time", () => {
  const failed = propose(heldByAgent("RUNNING", { runCount: 1 }), "FAILED", {
    ...withToken,
    retries: 1,
    retryDelaySeconds: 5,
  });
  const waits = written(failed);
  assertEquals(words(failed), "REJECT keep SCHEDULED");
  assertEquals([waits.session, waits.token, waits.retryType], ["session", TOKEN, "in_process"]);
  assertEquals(waits.t, NOW - 10 * SECOND, "its place in the order stays");
  assertEquals(words(propose(waits, "RUNNING", { ...withToken, stateId: "early" })), "WAIT");
  const later = { ...withToken, now: NOW + 5 * SECOND, stateId: "later" };
  assertEquals(words(propose(waits, "RUNNING", later)), "ACCEPT keep RUNNING");
  assertEquals(words(propose(waits, "CANCELLING", later)), "ACCEPT keep CANCELLING");
});

Deno.test("planTransition() forgets the in-process mark when the process is given up", () => {
  const retrying = heldByAgent("RUNNING", { retryType: "in_process" });
  const released = written(propose(retrying, "SCHEDULED", withToken));
  assertEquals([released.session, released.retryType], [null, null]);
  const again = written(propose(retrying, "SCHEDULED", { ...withToken, name: "AwaitingRetry" }));
  assertEquals([again.session, again.retryType], [null, "reschedule"]);
  for (const force of [false, true]) {
    const anew = written(propose(aRun("FAILED", { retryType: "in_process" }), "SCHEDULED", { force }));
    assertEquals([anew.session, anew.retryType], [null, "reschedule"]);
  }
});

Deno.test("planTransition() sorts what waits again by its scheduled time", () => {
  const at = { details: { scheduled_time: NOW + 7 } };
  assertEquals(written(propose(aRun("FAILED"), "SCHEDULED", at)).t, NOW + 7);
  assertEquals(written(propose(heldByAgent("PENDING"), "SCHEDULED", { ...withToken, ...at })).t, NOW + 7);
  const now = written(propose(aRun("FAILED"), "SCHEDULED"));
  assertEquals([now.t, now.state.details.scheduled_time], [NOW, NOW]);
});

Deno.test("planTransition() makes a state with the given id at a strictly later time", () => {
  const ahead = aRun("SCHEDULED", { state: aState("SCHEDULED", { timestamp: NOW + 3 }) });
  const { state } = written(propose(ahead, "PENDING"));
  assertEquals([state.id, state.timestamp], ["new-state", NOW + 4]);
  assertEquals(written(propose(aRun("SCHEDULED"), "PENDING")).state.timestamp, NOW);
});

Deno.test("planTransition() waits for the scheduled time, with force it does not", () => {
  const details = { scheduled_time: NOW + 3 * SECOND };
  const early = heldByAgent("PENDING", { state: aState("PENDING", { details }) });
  const plan = propose(early, "RUNNING", withToken);
  assertEquals(plan.kind === "answer" && [plan.answer.status, plan.answer.delaySeconds], ["WAIT", 3]);
  assertEquals(words(propose(early, "RUNNING", { ...withToken, force: true })), "ACCEPT keep RUNNING");
});

Deno.test("planTransition() never changes the run that it was given", () => {
  for (const type of STATE_TYPES) {
    for (const to of STATE_TYPES) {
      const run = heldByAgent(type);
      const before = structuredClone(run);
      propose(run, to, withToken);
      assertEquals(run, before);
    }
  }
});

Deno.test("planTransition() leaves no pooled run in a state that needs a slot without one, nor the reverse", () => {
  const needs: readonly StateType[] = ["PENDING", "RUNNING", "CANCELLING"];
  for (const type of STATE_TYPES) {
    const makers = isTerminal(type) ? [aRun] : [aRun, heldByAgent, heldByThirdParty];
    for (
      const run of makers.map((make) => make(type)).filter((one) => isHeld(one) || !needs.includes(type))
    ) {
      for (const to of STATE_TYPES) {
        for (const force of [false, true]) {
          for (const token of [undefined, TOKEN]) {
            const plan = propose(run, to, { force, token });
            if (plan.kind !== "write") continue;
            const { next } = plan;
            const about = `${type} → ${to}, force ${force}, token ${token}, session ${run.session}`;
            if (needs.includes(next.state.type)) assert(isHeld(next), about);
            if (isTerminal(next.state.type)) assert(!isHeld(next), about);
            assertStrictEquals(plan.slot === "take", !isHeld(run) && isHeld(next), about);
            assertStrictEquals(plan.slot === "free", isHeld(run) && !isHeld(next), about);
          }
        }
      }
    }
  }
});
