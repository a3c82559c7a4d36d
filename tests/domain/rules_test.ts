import { assertEquals } from "@std/assert";
import {
  cancelAtOnce,
  cancellingIsSticky,
  claimOnce,
  copyScheduledTime,
  CORE_RULES,
  duplicateTransition,
  type Effect,
  FORCED_RULES,
  keepResult,
  lateOnce,
  pause,
  resume,
  retry,
  type Rule,
  startAnew,
  terminalIsFinal,
  type Transition,
  waitForScheduledTime,
} from "../../src/domain/rules.ts";
import { proposedState } from "../../src/domain/run_state.ts";
import { type RunRecord, STATE_TYPES, type StateDetails, type StateType } from "../../src/schemas/records.ts";
import { aRun, aState, heldByAgent, NOW, SECOND, TERMINAL } from "./factories.ts";

/** A case: what it is about, the run, the proposed state, the verdict in words, what else the rule may look at. */
type Case = [
  about: string,
  run: RunRecord,
  proposed: ReturnType<typeof proposedState>,
  verdict: string,
  also?: Partial<Transition>,
];

function apply(rule: Rule, [, run, proposed, , also]: Case): Effect | undefined {
  return rule.apply({
    run,
    proposed,
    now: NOW,
    retries: null,
    retryDelaySeconds: 0,
    infrastructurePid: null,
    parentTaskRunId: null,
    pauseKey: "fresh-key",
    ...also,
  });
}

/** An effect in words: `pass`, `change`, `abort`, `reject`, `reject: TYPE Name`, `wait 3`. */
function words(effect: Effect | undefined): string {
  if (!effect) return "pass";
  if (effect.kind === "wait") return `wait ${effect.delaySeconds}`;
  if (effect.kind !== "reject" || !effect.substitute) return effect.kind;
  return `reject: ${effect.substitute.type} ${effect.substitute.name}`;
}

function table(rule: Rule, cases: readonly Case[]): void {
  const got = cases.map((one) => [one[0], words(apply(rule, one))]);
  assertEquals(got, cases.map(([about, , , verdict]) => [about, verdict]));
}

/** Every pair of types: the verdict by a function. */
function pairs(
  rule: Rule,
  verdict: (from: StateType, to: StateType) => string,
  run: (type: StateType) => RunRecord = (type) => aRun(type),
): void {
  table(
    rule,
    STATE_TYPES.flatMap((from) =>
      STATE_TYPES.map((to): Case => [`${from} → ${to}`, run(from), proposedState(to), verdict(from, to)])
    ),
  );
}

const isEnd = (type: StateType) => TERMINAL.includes(type);
const to = (type: StateType, details: StateDetails = {}, name?: string) =>
  proposedState(type, { details, ...(name === undefined ? {} : { name }) });
const inState = (type: StateType, details: StateDetails, changes: Partial<RunRecord> = {}) =>
  aRun(type, { state: aState(type, { details }), ...changes });

Deno.test("duplicateTransition rejects the transition that the run is in", () => {
  const run = inState("RUNNING", { transition_id: "a" });
  table(duplicateTransition, [
    ["the same", run, to("RUNNING", { transition_id: "a" }), "reject"],
    ["the same to another type", run, to("COMPLETED", { transition_id: "a" }), "reject"],
    ["another", run, to("RUNNING", { transition_id: "b" }), "pass"],
    ["none", run, to("RUNNING"), "pass"],
    ["none on both sides", aRun("RUNNING"), to("RUNNING"), "pass"],
  ]);
});

Deno.test("terminalIsFinal lets an ended run only be scheduled or started anew", () => {
  pairs(terminalIsFinal, (from, to) => {
    if (!isEnd(from)) return "pass";
    if (to === "SCHEDULED" || to === "RUNNING") return "pass";
    return isEnd(to) && to !== "CRASHED" ? "reject" : "abort";
  });
});

Deno.test("keepResult protects a stored result from every state that would run again", () => {
  const stored = aRun("COMPLETED", { state: aState("COMPLETED", { persisted: true, hasData: true }) });
  pairs(
    keepResult,
    (from, to) => from === "COMPLETED" && !isEnd(to) ? "reject" : "pass",
    (from) => from === "COMPLETED" ? stored : aRun(from, { state: aState(from, { persisted: true }) }),
  );
  pairs(keepResult, () => "pass");
});

Deno.test("startAnew clears what belonged to the old attempt", () => {
  pairs(startAnew, (from, to) => isEnd(from) && !isEnd(to) ? "change" : "pass");
  const old = aRun("FAILED", { resuming: true, pauseKeys: ["a"], retryType: "in_process" });
  const effect = apply(startAnew, ["", old, to("RUNNING"), ""]);
  assertEquals(effect, { kind: "change", run: { resuming: false, pauseKeys: [], retryType: null } });
});

Deno.test("startAnew schedules only runs of a deployment", () => {
  const alone = aRun("FAILED", { deployment: null });
  table(startAnew, [
    ["scheduled", alone, to("SCHEDULED"), "abort"],
    ["started", alone, to("RUNNING"), "change"],
  ]);
});

Deno.test("cancellingIsSticky lets only CANCELLED follow CANCELLING", () => {
  pairs(cancellingIsSticky, (from, to) => from === "CANCELLING" && to !== "CANCELLED" ? "reject" : "pass");
});

Deno.test("cancelAtOnce ends a pooled run that holds no slot, whatever its pid says", () => {
  const verdict = (from: StateType, to: StateType) =>
    to === "CANCELLING" && !isEnd(from) ? "reject: CANCELLED Cancelled" : "pass";
  pairs(cancelAtOnce, verdict);
  pairs(cancelAtOnce, () => "pass", heldByAgent);
  table(cancelAtOnce, [
    [
      "stale pid",
      aRun("SCHEDULED"),
      to("CANCELLING"),
      "reject: CANCELLED Cancelled",
      { infrastructurePid: "host:1" },
    ],
  ]);
});

Deno.test("cancelAtOnce judges a run without pool by its state and its pid", () => {
  const alone = (type: StateType, details: StateDetails = {}, name?: string) =>
    aRun(type, { pool: null, state: aState(type, { details, ...(name ? { name } : {}) }) });
  const pid = { infrastructurePid: "host:1" };
  const ends = "reject: CANCELLED Cancelled";
  table(cancelAtOnce, [
    ["scheduled", alone("SCHEDULED"), to("CANCELLING"), ends],
    ["scheduled, with a pid", alone("SCHEDULED"), to("CANCELLING"), "pass", pid],
    ["resuming, with a pid", alone("SCHEDULED", {}, "Resuming"), to("CANCELLING"), ends, pid],
    ["suspended", alone("PAUSED", { pause_reschedule: true }), to("CANCELLING"), ends, pid],
    ["paused inside its process", alone("PAUSED"), to("CANCELLING"), "pass"],
    ["running", alone("RUNNING"), to("CANCELLING"), "pass"],
    ["pending", alone("PENDING"), to("CANCELLING"), "pass"],
    ["to another state", alone("SCHEDULED"), to("CANCELLED"), "pass"],
  ]);
});

Deno.test("cancelAtOnce keeps the message of the cancel", () => {
  const proposed = proposedState("CANCELLING", { message: "by Ada" });
  const effect = apply(cancelAtOnce, ["", aRun("SCHEDULED"), proposed, ""]);
  assertEquals(effect?.kind === "reject" && effect.substitute?.message, "by Ada");
});

Deno.test("claimOnce lets a run become PENDING once", () => {
  pairs(
    claimOnce,
    (from, to) => to === "PENDING" && ["PENDING", "RUNNING", "CANCELLING"].includes(from) ? "abort" : "pass",
  );
});

Deno.test("claimOnce lets a pending run be renamed and keeps its scheduled time", () => {
  const pending = inState("PENDING", { scheduled_time: NOW + SECOND });
  const submitting = aRun("PENDING", { state: aState("PENDING", { name: "Submitting" }) });
  table(claimOnce, [
    ["renamed", pending, to("PENDING", {}, "Submitting"), "change"],
    ["renamed again", submitting, to("PENDING", {}, "InfrastructurePending"), "change"],
    ["the same name", submitting, to("PENDING", {}, "Submitting"), "abort"],
    ["back to its first name", submitting, to("PENDING"), "abort"],
    ["a running run", aRun("RUNNING"), to("PENDING", {}, "Submitting"), "abort"],
  ]);
  const effect = apply(claimOnce, ["", pending, to("PENDING", {}, "Submitting"), ""]);
  assertEquals(effect?.kind === "change" && effect.proposed?.details, { scheduled_time: NOW + SECOND });
});

Deno.test("lateOnce marks only what is scheduled under another name", () => {
  const late = aRun("SCHEDULED", { state: aState("SCHEDULED", { name: "Late" }) });
  const retrying = aRun("SCHEDULED", { state: aState("SCHEDULED", { name: "AwaitingRetry" }) });
  table(lateOnce, [
    ["scheduled", aRun("SCHEDULED"), to("SCHEDULED", {}, "Late"), "pass"],
    ["awaiting a retry", retrying, to("SCHEDULED", {}, "Late"), "pass"],
    ["late already", late, to("SCHEDULED", {}, "Late"), "reject"],
    ["pending", aRun("PENDING"), to("SCHEDULED", {}, "Late"), "reject"],
    ["ended", aRun("FAILED"), to("SCHEDULED", {}, "Late"), "reject"],
    ["another name", late, to("SCHEDULED"), "pass"],
  ]);
});

Deno.test("pause takes a running run, once under each key", () => {
  pairs(pause, (from, to) => to !== "PAUSED" ? "pass" : from === "RUNNING" ? "change" : "reject");
  const paused = aRun("RUNNING", { pauseKeys: ["a"] });
  table(pause, [
    ["a key seen before", paused, to("PAUSED", { pause_key: "a" }), "reject"],
    ["another key", paused, to("PAUSED", { pause_key: "b" }), "change"],
    ["no key", paused, to("PAUSED"), "change"],
  ]);
  assertEquals(apply(pause, ["", paused, to("PAUSED"), ""]), {
    kind: "change",
    proposed: to("PAUSED", { pause_key: "fresh-key" }),
    run: { pauseKeys: ["a", "fresh-key"] },
  });
});

Deno.test("pause suspends only top-level runs of a deployment", () => {
  const suspend = to("PAUSED", { pause_reschedule: true });
  const alone = aRun("RUNNING", { deployment: null });
  table(pause, [
    ["of a deployment", aRun("RUNNING"), suspend, "change"],
    ["without deployment", alone, suspend, "abort"],
    ["subflow", aRun("RUNNING"), suspend, "abort", { parentTaskRunId: "task" }],
    ["without deployment, inside its process", alone, to("PAUSED"), "change"],
    ["subflow, inside its process", aRun("RUNNING"), to("PAUSED"), "change", { parentTaskRunId: "task" }],
  ]);
});

Deno.test("resume lets a paused run run on, be scheduled, or end", () => {
  pairs(resume, (from, to) => {
    if (from !== "PAUSED" || isEnd(to) || to === "CANCELLING") return "pass";
    return to === "RUNNING" || to === "SCHEDULED" ? "change" : "reject";
  });
  const effect = apply(resume, ["", aRun("PAUSED"), to("RUNNING"), ""]);
  assertEquals(effect, { kind: "change", run: { resuming: true } });
});

Deno.test("resume fails a run whose pause is over, and refuses one that nobody can start", () => {
  const paused = (details: StateDetails, changes = {}) => inState("PAUSED", details, changes);
  const alone = { deployment: null };
  table(resume, [
    ["in time", paused({ pause_timeout: NOW }), to("RUNNING"), "change"],
    ["too late", paused({ pause_timeout: NOW - 1 }), to("RUNNING"), "reject: FAILED Failed"],
    ["suspended", paused({ pause_reschedule: true }), to("SCHEDULED"), "change"],
    ["suspended without deployment", paused({ pause_reschedule: true }, alone), to("SCHEDULED"), "reject"],
    ["paused without deployment", paused({}, alone), to("RUNNING"), "change"],
  ]);
});

Deno.test("copyScheduledTime keeps the planned time with the pending run", () => {
  pairs(copyScheduledTime, (from, to) => from === "SCHEDULED" && to === "PENDING" ? "change" : "pass");
  const effect = apply(copyScheduledTime, [
    "",
    inState("SCHEDULED", { scheduled_time: NOW + 5 }),
    to("PENDING", { transition_id: "a" }),
    "",
  ]);
  assertEquals(effect, {
    kind: "change",
    proposed: to("PENDING", { transition_id: "a", scheduled_time: NOW + 5 }),
  });
});

Deno.test("waitForScheduledTime answers the whole seconds that are left", () => {
  const at = (type: StateType, due: number) => inState(type, { scheduled_time: due });
  table(waitForScheduledTime, [
    ["scheduled, later", at("SCHEDULED", NOW + 90 * SECOND), to("RUNNING"), "wait 90"],
    ["pending, later", at("PENDING", NOW + 1_900_000), to("RUNNING"), "wait 1"],
    ["in the last second", at("PENDING", NOW + 1), to("RUNNING"), "wait 0"],
    ["due", at("PENDING", NOW), to("RUNNING"), "pass"],
    ["without time", aRun("PENDING"), to("RUNNING"), "pass"],
    ["claimed early", at("SCHEDULED", NOW + SECOND), to("PENDING"), "pass"],
    ["paused", at("PAUSED", NOW + SECOND), to("RUNNING"), "pass"],
  ]);
});

Deno.test("retry starts a failed run again while retries are left", () => {
  const ran = (times: number) => aRun("RUNNING", { runCount: times });
  const failed = to("FAILED");
  table(retry, [
    ["first of two", ran(1), failed, "reject: SCHEDULED AwaitingRetry", { retries: 2 }],
    ["second of two", ran(2), failed, "reject: SCHEDULED AwaitingRetry", { retries: 2 }],
    ["none left", ran(3), failed, "change", { retries: 2 }],
    ["no policy", ran(1), failed, "change"],
    ["zero retries", ran(1), failed, "change", { retries: 0 }],
    ["crashed", ran(1), to("CRASHED"), "pass", { retries: 2 }],
    ["never ran", aRun("PENDING"), failed, "pass", { retries: 2 }],
  ]);
});

Deno.test("retry keeps the process, waits the delay and forgets old pauses; a last failure clears the mark", () => {
  const run = aRun("RUNNING", { runCount: 1, resuming: true, pauseKeys: ["a"], retryType: "in_process" });
  const proposed = proposedState("FAILED", { message: "boom" });
  const effect = apply(retry, ["", run, proposed, "", { retries: 1, retryDelaySeconds: 1.5 }]);
  assertEquals(effect, {
    kind: "reject",
    reason: "Retrying",
    substitute: proposedState("SCHEDULED", {
      name: "AwaitingRetry",
      message: "boom",
      details: { scheduled_time: NOW + 1_500_000 },
    }),
    run: { retryType: "in_process", resuming: false, pauseKeys: [] },
  });
  assertEquals(apply(retry, ["", run, proposed, ""]), { kind: "change", run: { retryType: null } });
});

Deno.test("CORE_RULES has every rule once, FORCED_RULES what even force must not do", () => {
  const all = [
    duplicateTransition,
    keepResult,
    terminalIsFinal,
    startAnew,
    cancellingIsSticky,
    cancelAtOnce,
    claimOnce,
    lateOnce,
    pause,
    resume,
    copyScheduledTime,
    waitForScheduledTime,
    retry,
  ];
  assertEquals(new Set(CORE_RULES), new Set(all));
  assertEquals(CORE_RULES.length, all.length);
  assertEquals(new Set(FORCED_RULES), new Set([keepResult, terminalIsFinal, cancelAtOnce]));
});
