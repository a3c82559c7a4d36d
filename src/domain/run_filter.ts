/** Which runs a filter means. One meaning for each clause: a test on one run. */
import type { FlowRunFilter, FlowRunSort } from "../schemas/filter.ts";
import type { RunDoc, RunRecord } from "../schemas/records.ts";
import { combine, inPeriod, isAny, isLike, isNotAny, isNull } from "./clauses.ts";

/** What the clauses look at. */
export interface FilterableRun {
  run: RunRecord;
  doc: RunDoc;
  queueName: string | null;
}

/** Absent and null clauses constrain nothing; an empty `any_` matches nothing, an empty `not_any_` everything. */
export function matchesRun(
  filter: FlowRunFilter | null | undefined,
  { run, doc, queueName }: FilterableRun,
): boolean {
  if (!filter) return true;
  const { state } = run;
  return combine(filter.operator, [
    filter.id && combine("and_", [isAny(filter.id.any_, run.id), isNotAny(filter.id.not_any_, run.id)]),
    filter.name && combine("and_", [isAny(filter.name.any_, doc.name), isLike(filter.name.like_, doc.name)]),
    filter.tags && combine(filter.tags.operator, [
      filter.tags.all_ ? filter.tags.all_.every((tag) => doc.tags.includes(tag)) : undefined,
      filter.tags.any_ ? filter.tags.any_.some((tag) => doc.tags.includes(tag)) : undefined,
      isNull(filter.tags.is_null_, doc.tags.length === 0),
    ]),
    filter.deployment_id && combine(filter.deployment_id.operator, [
      isAny(filter.deployment_id.any_, run.deployment),
      isNull(filter.deployment_id.is_null_, run.deployment === null),
    ]),
    filter.work_queue_name && combine(filter.work_queue_name.operator, [
      isAny(filter.work_queue_name.any_, queueName),
      isNull(filter.work_queue_name.is_null_, queueName === null),
    ]),
    filter.state && combine(filter.state.operator, [
      filter.state.type &&
      combine("and_", [
        isAny(filter.state.type.any_, state.type),
        isNotAny(filter.state.type.not_any_, state.type),
      ]),
      filter.state.name &&
      combine("and_", [
        isAny(filter.state.name.any_, state.name),
        isNotAny(filter.state.name.not_any_, state.name),
      ]),
    ]),
    // The expected time stands in for a run that has not started.
    filter.start_time &&
    inPeriod(filter.start_time, run.startTime ?? run.expectedStart, run.startTime === null),
    filter.end_time && inPeriod(filter.end_time, run.endTime, run.endTime === null),
    filter.expected_start_time && inPeriod(filter.expected_start_time, run.expectedStart, false),
    filter.next_scheduled_start_time && inPeriod(filter.next_scheduled_start_time, run.nextStart, false),
    filter.parent_task_run_id && combine(filter.parent_task_run_id.operator, [
      isAny(filter.parent_task_run_id.any_, doc.parentTaskRunId),
      isNull(filter.parent_task_run_id.is_null_, doc.parentTaskRunId === null),
    ]),
    filter.idempotency_key && combine("and_", [
      isAny(filter.idempotency_key.any_, doc.idempotencyKey),
      isNotAny(filter.idempotency_key.not_any_, doc.idempotencyKey),
    ]),
  ]);
}

/** Compares by the sort; ties by id, in the same direction. Absent times come last where the sort is by them. */
export function byRunSort(sort: FlowRunSort): (a: FilterableRun, b: FilterableRun) => number {
  const descending = sort.endsWith("_DESC");
  const key = sortKey(sort);
  return (a, b) => {
    const [x, y] = [key(a), key(b)];
    if (x === null || y === null) return x === y ? compare(a.run.id, b.run.id) : x === null ? 1 : -1;
    const order = compare(x, y) || compare(a.run.id, b.run.id);
    return descending ? -order : order;
  };
}

function sortKey(sort: FlowRunSort): (of: FilterableRun) => string | number | null {
  switch (sort) {
    case "ID_DESC":
      return ({ run }) => run.id;
    case "START_TIME_ASC":
    case "START_TIME_DESC":
      return ({ run }) => run.startTime ?? run.expectedStart;
    case "EXPECTED_START_TIME_ASC":
    case "EXPECTED_START_TIME_DESC":
      return ({ run }) => run.expectedStart;
    case "NAME_ASC":
    case "NAME_DESC":
      return ({ doc }) => doc.name;
    case "NEXT_SCHEDULED_START_TIME_ASC":
      return ({ run }) => run.nextStart;
    case "END_TIME_DESC":
      return ({ run }) => run.endTime;
  }
}

const compare = (a: string | number, b: string | number): number => a < b ? -1 : a > b ? 1 : 0;
