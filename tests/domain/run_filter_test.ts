import { assertEquals } from "@std/assert";
import { byRunSort, type FilterableRun, matchesRun } from "../../src/domain/run_filter.ts";
import type { FlowRunFilter, FlowRunSort } from "../../src/schemas/filter.ts";
import { FLOW_RUN_SORTS, FlowRunFilter as Schema } from "../../src/schemas/filter.ts";
import type { RunDoc, RunRecord } from "../../src/schemas/records.ts";
import { aRun, aState, NOW } from "./factories.ts";

const DEPLOYMENT = "00000000-0000-4000-8000-00000000000d";
const TASK = "00000000-0000-4000-8000-00000000000a";
const ids = Array.from({ length: 4 }, (_, i) => `00000000-0000-4000-8000-00000000000${i}`);

function aDoc(changes: Partial<RunDoc> = {}): RunDoc {
  return {
    id: ids[0]!,
    name: "quick-otter",
    flowVersion: null,
    deploymentVersion: null,
    parameters: "{}",
    context: "{}",
    jobVariables: null,
    idempotencyKey: null,
    tags: [],
    labels: "{}",
    parentTaskRunId: null,
    autoScheduled: false,
    infrastructureDocumentId: null,
    infrastructurePid: null,
    createdBy: null,
    maxRetries: 0,
    retryDelaySeconds: 0,
    retries: null,
    retryDelay: null,
    updated: NOW,
    ...changes,
  };
}

const one = (
  run: Partial<RunRecord> = {},
  doc: Partial<RunDoc> = {},
  queueName: string | null = "default",
): FilterableRun => ({
  run: aRun(run.state?.type ?? "SCHEDULED", { id: ids[0]!, deployment: DEPLOYMENT, ...run }),
  doc: aDoc(doc),
  queueName,
});

/** A filter as it comes from the wire: times are epoch seconds there. */
const parse = (filter: unknown): FlowRunFilter => Schema.parse(filter);

function matches(filter: unknown, run: FilterableRun): boolean {
  return matchesRun(parse(filter), run);
}

type Case = [filter: Record<string, unknown>, yes: FilterableRun | null, no: FilterableRun | null];

/** Each filter matches the first run and not the second; null where there is no such run. */
function table(cases: readonly Case[]): void {
  for (const [filter, yes, no] of cases) {
    const about = JSON.stringify(filter);
    if (yes) assertEquals(matches(filter, yes), true, `matches: ${about}`);
    if (no) assertEquals(matches(filter, no), false, `does not match: ${about}`);
  }
}

const second = (seconds: number) => NOW / 1e6 + seconds;
const at = (seconds: number) => NOW + seconds * 1e6;

Deno.test("matchesRun() matches everything without a filter, and with clauses that are null or absent", () => {
  assertEquals(matchesRun(null, one()), true);
  assertEquals(matchesRun(undefined, one()), true);
  table([
    [{}, one(), null],
    [{ operator: "or_" }, one(), null],
    [{ id: null, tags: null, state: null, start_time: null }, one(), null],
    [{ id: { any_: null }, name: { any_: null, like_: null } }, one(), null],
    [{ state: { type: null, name: { any_: null } } }, one(), null],
    [{ tags: { is_null_: null }, start_time: { before_: null, after_: null, is_null_: null } }, one(), null],
    [{ name: { like_: "" } }, one(), null],
  ]);
});

Deno.test("matchesRun() by id", () => {
  table([
    [{ id: { any_: [ids[1], ids[0]] } }, one(), one({ id: ids[2]! })],
    [{ id: { any_: [] } }, null, one()],
    [{ id: { not_any_: [ids[1]] } }, one(), one({ id: ids[1]! })],
    [{ id: { not_any_: [] } }, one(), null],
    [{ id: { any_: [ids[0], ids[1]], not_any_: [ids[1]] } }, one(), one({ id: ids[1]! })],
  ]);
});

Deno.test("matchesRun() by name, exactly or by a part in any case", () => {
  table([
    [{ name: { any_: ["quick-otter"] } }, one(), one({}, { name: "quick" })],
    [{ name: { any_: [] } }, null, one()],
    [{ name: { like_: "OTTER" } }, one(), one({}, { name: "quick-owl" })],
    [{ name: { any_: ["quick-otter"], like_: "owl" } }, null, one()],
  ]);
});

Deno.test("matchesRun() by tags: all, any, none", () => {
  const tagged = one({}, { tags: ["a", "b"] });
  table([
    [{ tags: { all_: ["a", "b"] } }, tagged, one({}, { tags: ["a"] })],
    [{ tags: { all_: [] } }, one(), null],
    [{ tags: { any_: ["b", "c"] } }, tagged, one({}, { tags: ["a"] })],
    [{ tags: { any_: [] } }, null, tagged],
    [{ tags: { is_null_: true } }, one(), tagged],
    [{ tags: { is_null_: false } }, tagged, one()],
    [{ tags: { all_: ["a"], is_null_: true } }, null, tagged],
    [{ tags: { operator: "or_", all_: ["a"], is_null_: true } }, one(), one({}, { tags: ["b"] })],
  ]);
});

Deno.test("matchesRun() by deployment", () => {
  const alone = one({ deployment: null });
  table([
    [{ deployment_id: { any_: [DEPLOYMENT] } }, one(), alone],
    [{ deployment_id: { any_: [] } }, null, one()],
    [{ deployment_id: { is_null_: true } }, alone, one()],
    [{ deployment_id: { is_null_: false } }, one(), alone],
    [
      { deployment_id: { operator: "or_", any_: [DEPLOYMENT], is_null_: true } },
      alone,
      one({ deployment: TASK }),
    ],
    [{ deployment_id: { any_: [DEPLOYMENT], is_null_: true } }, null, one()],
  ]);
});

Deno.test("matchesRun() by work queue", () => {
  const nowhere = one({}, {}, null);
  table([
    [{ work_queue_name: { any_: ["default"] } }, one(), one({}, {}, "high")],
    [{ work_queue_name: { any_: ["default"] } }, null, nowhere],
    [{ work_queue_name: { is_null_: true } }, nowhere, one()],
    [{ work_queue_name: { operator: "or_", any_: ["high"], is_null_: true } }, nowhere, one()],
  ]);
});

Deno.test("matchesRun() by state: type, name, both or either", () => {
  const late = one({ state: aState("SCHEDULED", { name: "Late" }) });
  const running = one({ state: aState("RUNNING") });
  table([
    [{ state: { type: { any_: ["RUNNING", "PENDING"] } } }, running, late],
    [{ state: { type: { any_: [] } } }, null, running],
    [{ state: { type: { not_any_: ["RUNNING"] } } }, late, running],
    [{ state: { type: { not_any_: [] } } }, running, null],
    [{ state: { name: { any_: ["Late"] } } }, late, running],
    [{ state: { name: { not_any_: ["Late"] } } }, running, late],
    [{ state: { type: { any_: ["SCHEDULED"] }, name: { any_: ["Late"] } } }, late, one()],
    [{ state: { operator: "or_", type: { any_: ["RUNNING"] }, name: { any_: ["Late"] } } }, late, one()],
    [{ state: { type: { any_: ["CANCELLING"] }, name: null } }, null, running],
  ]);
});

Deno.test("matchesRun() by start: the expected start stands in for a run that has not started", () => {
  const waits = one({ startTime: null, expectedStart: at(10) });
  const started = one({ startTime: at(20), expectedStart: at(10) });
  table([
    [{ start_time: { before_: second(10) } }, waits, started],
    [{ start_time: { after_: second(11) } }, started, waits],
    [{ start_time: { after_: second(10), before_: second(10) } }, waits, started],
    [{ start_time: { is_null_: true } }, waits, started],
    [{ start_time: { is_null_: false } }, started, waits],
    [{ start_time: { is_null_: false, before_: second(19) } }, null, started],
  ]);
});

Deno.test("matchesRun() by end, expected start and next start: absent times are in no period", () => {
  const ended = one({ endTime: at(5), expectedStart: at(1), nextStart: null });
  const waits = one({ endTime: null, expectedStart: at(3), nextStart: at(3) });
  table([
    [{ end_time: { before_: second(5) } }, ended, waits],
    [{ end_time: { after_: second(5) } }, ended, waits],
    [{ end_time: { after_: second(6) } }, null, ended],
    [{ end_time: { is_null_: true } }, waits, ended],
    [{ end_time: { is_null_: false } }, ended, waits],
    [{ expected_start_time: { before_: second(2) } }, ended, waits],
    [{ expected_start_time: { after_: second(2) } }, waits, ended],
    [{ next_scheduled_start_time: { before_: second(3) } }, waits, ended],
    [{ next_scheduled_start_time: { after_: second(3) } }, waits, ended],
    [{ next_scheduled_start_time: { after_: second(4) } }, null, waits],
  ]);
});

Deno.test("matchesRun() by parent task run and by idempotency key", () => {
  const child = one({}, { parentTaskRunId: TASK });
  const keyed = one({}, { idempotencyKey: "k" });
  table([
    [{ parent_task_run_id: { any_: [TASK] } }, child, one()],
    [{ parent_task_run_id: { any_: [] } }, null, child],
    [{ parent_task_run_id: { is_null_: true } }, one(), child],
    [{ parent_task_run_id: { operator: "or_", any_: [TASK], is_null_: true } }, one(), null],
    [{ idempotency_key: { any_: ["k"] } }, keyed, one()],
    [{ idempotency_key: { not_any_: ["k"] } }, one(), keyed],
  ]);
});

Deno.test("matchesRun() joins clauses by the operator", () => {
  const running = one({ state: aState("RUNNING") }, { name: "a" });
  const state = { type: { any_: ["RUNNING"] } };
  table([
    [{ state, name: { any_: ["a"] } }, running, one({}, { name: "a" })],
    [{ operator: "or_", state, name: { any_: ["a"] } }, one({}, { name: "a" }), one({}, { name: "b" })],
    [{ operator: "or_", id: { any_: [] }, state }, running, one()],
    [{ operator: "or_", id: null, state }, running, one()],
  ]);
});

const sorted = (sort: FlowRunSort, ...runs: FilterableRun[]) =>
  runs.toSorted(byRunSort(sort)).map(({ run }) => ids.indexOf(run.id));

Deno.test("byRunSort() sorts by its time or name, absent times last, ties by id", () => {
  const run = (i: number, changes: Partial<RunRecord>, name = "same") =>
    one({ id: ids[i]!, ...changes }, { name });
  const starts = [
    run(0, { startTime: null, expectedStart: at(9) }),
    run(1, { startTime: at(5), expectedStart: at(1) }),
    run(2, { startTime: null, expectedStart: null }),
    run(3, { startTime: at(5), expectedStart: at(2) }),
  ];
  assertEquals(sorted("ID_DESC", ...starts), [3, 2, 1, 0]);
  assertEquals(sorted("START_TIME_ASC", ...starts), [1, 3, 0, 2]);
  assertEquals(sorted("START_TIME_DESC", ...starts), [0, 3, 1, 2]);
  assertEquals(sorted("EXPECTED_START_TIME_ASC", ...starts), [1, 3, 0, 2]);
  assertEquals(sorted("EXPECTED_START_TIME_DESC", ...starts), [0, 3, 1, 2]);
  const named = [run(0, {}, "b"), run(1, {}, "a"), run(2, {}, "b")];
  assertEquals(sorted("NAME_ASC", ...named), [1, 0, 2]);
  assertEquals(sorted("NAME_DESC", ...named), [2, 0, 1]);
  const next = [run(0, { nextStart: null }), run(1, { nextStart: at(2) }), run(2, { nextStart: at(1) })];
  assertEquals(sorted("NEXT_SCHEDULED_START_TIME_ASC", ...next), [2, 1, 0]);
  const ended = [run(0, { endTime: null }), run(1, { endTime: at(2) }), run(2, { endTime: at(3) })];
  assertEquals(sorted("END_TIME_DESC", ...ended), [2, 1, 0]);
});

Deno.test("byRunSort() is an order for every sort: no run is before another and behind it", () => {
  const runs = [null, at(1), at(2)].flatMap((time, i) =>
    ["a", "b"].map((name, j) =>
      one({ id: ids[(i + j) % 4]!, startTime: time, expectedStart: time, nextStart: time, endTime: time }, {
        name,
      })
    )
  );
  for (const sort of FLOW_RUN_SORTS) {
    const compare = byRunSort(sort);
    for (const a of runs) {
      for (const b of runs) assertEquals(Math.sign(compare(a, b)) + Math.sign(compare(b, a)), 0, sort);
    }
  }
});
