/** Which runs a filter means: each clause as a test on one value (run_clause.ts). */
import type { FlowRunFilter, FlowRunSort } from "../schemas/filter.ts";
import type { JsonText, RunDoc, RunRecord } from "../schemas/records.ts";
import { isLike } from "./clauses.ts";
import {
  all,
  ALWAYS,
  type Clause,
  combine,
  holds,
  inPeriod,
  isAbsent,
  isAny,
  isNotAny,
  isNull,
  NEVER,
  type Part,
  word,
} from "./run_clause.ts";
import { toRow } from "./run_row.ts";
import { beforeBy, rankOf, sortKey } from "./run_sort.ts";

/** What the clauses look at. */
export interface FilterableRun {
  run: RunRecord;
  doc: RunDoc;
  queueName: string | null;
}

/**
 * Absent and null clauses constrain nothing; an empty `any_` matches nothing, an empty `not_any_` everything.
 * `queueName` gives the name of a queue by its id, null when there is no such queue.
 */
export function runClause(
  filter: FlowRunFilter | null | undefined,
  queueName: (id: string | null) => string | null,
): Clause {
  if (!filter) return ALWAYS;
  const { id, name, state, tags } = filter;
  return combine(filter.operator, [
    id && all(isAny("id", id.any_), isNotAny("id", id.not_any_)),
    name && all(isAny("name", name.any_), isNamedLike(name.like_)),
    tags && combine(tags.operator, [
      hasTags(tags.all_, (wanted, own) => wanted.every((tag) => own.includes(tag))),
      tags.any_?.length === 0
        ? NEVER
        : hasTags(tags.any_, (any, own) => any.some((tag) => own.includes(tag))),
      isUntagged(tags.is_null_),
    ]),
    filter.deployment_id && combine(filter.deployment_id.operator, [
      isAny("deployment", filter.deployment_id.any_),
      isNull("deployment", filter.deployment_id.is_null_),
    ]),
    filter.work_queue_name && queueClause(filter.work_queue_name, queueName),
    state && combine(state.operator, [
      state.type && typeClause(state.type),
      state.name && all(
        isAny("stateName", state.name.any_),
        isNotAny("stateName", state.name.not_any_),
      ),
    ]),
    filter.flow_version && all(isAny("flowVersion", filter.flow_version.any_)),
    // The expected time stands in for a run that has not started.
    filter.start_time &&
    all(inPeriod("started", filter.start_time), isAbsent("start", filter.start_time.is_null_)),
    filter.end_time && all(inPeriod("end", filter.end_time), isAbsent("end", filter.end_time.is_null_)),
    filter.expected_start_time && all(inPeriod("expected", filter.expected_start_time)),
    filter.next_scheduled_start_time && all(inPeriod("next", filter.next_scheduled_start_time)),
    // Task runs are not kept in this release, so no run is the parent of one that has a parent.
    filter.parent_flow_run_id && (filter.parent_flow_run_id.any_ ? NEVER : ALWAYS),
    filter.parent_task_run_id && combine(filter.parent_task_run_id.operator, [
      isAny("parent", filter.parent_task_run_id.any_),
      isNull("parent", filter.parent_task_run_id.is_null_),
    ]),
    filter.idempotency_key && all(
      isAny("idempotencyKey", filter.idempotency_key.any_),
      isNotAny("idempotencyKey", filter.idempotency_key.not_any_),
    ),
    filter.created_by && creatorClause(filter.created_by),
  ]);
}

const isNamedLike = (part: string | null | undefined): Part =>
  part ? word("name", (name) => name !== null && isLike(part, name) === true) : undefined;

function hasTags(
  wanted: readonly string[] | null | undefined,
  test: (wanted: readonly string[], own: readonly string[]) => boolean,
): Part {
  return wanted ? { kind: "tags", test: (own) => test(wanted, own) } : undefined;
}

const isUntagged = (wanted: boolean | null | undefined): Part =>
  typeof wanted === "boolean"
    ? { kind: "tags", test: (own: readonly string[]) => (own.length === 0) === wanted }
    : undefined;

function typeClause({ any_, not_any_ }: NonNullable<NonNullable<FlowRunFilter["state"]>["type"]>): Clause {
  return all(
    any_ && (any_.length === 0 ? NEVER : { kind: "type", test: (type) => any_.includes(type) }),
    not_any_?.length ? { kind: "type", test: (type) => !not_any_.includes(type) } : undefined,
  );
}

function queueClause(
  { operator, any_, is_null_ }: NonNullable<FlowRunFilter["work_queue_name"]>,
  queueName: (id: string | null) => string | null,
): Clause {
  return combine(operator, [
    any_ && (any_.length === 0 ? NEVER : word("queue", (id) => {
      const name = queueName(id);
      return name !== null && any_.includes(name);
    })),
    typeof is_null_ === "boolean" ? word("queue", (id) => (queueName(id) === null) === is_null_) : undefined,
  ]);
}

function creatorClause(
  { operator, id_, type_, is_null_ }: NonNullable<FlowRunFilter["created_by"]>,
): Clause {
  const part = (list: readonly string[] | null | undefined, key: "id" | "type"): Part => {
    if (!list) return undefined;
    if (list.length === 0) return NEVER;
    return word("createdBy", (text) => list.includes(textAt(text, key) ?? ""));
  };
  return combine(operator, [part(id_, "id"), part(type_, "type"), isNull("createdBy", is_null_)]);
}

function textAt(creator: JsonText | null, key: "id" | "type"): string | undefined {
  const parsed: unknown = creator === null ? null : JSON.parse(creator);
  const value: unknown = typeof parsed === "object" && parsed !== null ? Reflect.get(parsed, key) : undefined;
  return typeof value === "string" ? value : undefined;
}

/** Whether the filter holds for a run. */
export function matchesRun(filter: FlowRunFilter | null | undefined, one: FilterableRun): boolean {
  return holds(runClause(filter, () => one.queueName), toRow(one.run, one.doc));
}

/** Compares by the sort; ties by id, in the same direction. Absent times come last where the sort is by them. */
export function byRunSort(sort: FlowRunSort): (a: FilterableRun, b: FilterableRun) => number {
  const before = beforeBy(sort);
  const sorted = ({ run, doc }: FilterableRun) => {
    const key = sortKey(sort, toRow(run, doc));
    return { id: run.id, key, rank: rankOf(sort, key) };
  };
  return (a, b) => before(sorted(a), sorted(b));
}
