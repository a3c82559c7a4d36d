import type { Instant, RunDoc, RunRecord, StateType } from "../schemas/records.ts";
import { TERMINAL_TYPES } from "../schemas/records.ts";
import type { PageFamily, RunRow } from "../schemas/run_row.ts";

/** What decides, as columns. */
export type DecidingColumns = Pick<
  RunRow,
  | "id"
  | "type"
  | "stateName"
  | "flow"
  | "deployment"
  | "pool"
  | "queue"
  | "expected"
  | "next"
  | "start"
  | "end"
  | "runningSince"
  | "totalRunTime"
>;
/** What describes, as columns. */
export type DescribingColumns = Pick<
  RunRow,
  "name" | "tags" | "parent" | "flowVersion" | "idempotencyKey" | "createdBy"
>;

export function toRow(run: RunRecord, doc: RunDoc): RunRow {
  return { ...decidingColumns(run), ...describingColumns(doc) };
}

export const decidingColumns = (run: RunRecord): DecidingColumns => ({
  id: run.id,
  type: run.state.type,
  stateName: run.state.name,
  flow: run.flow,
  deployment: run.deployment,
  pool: run.pool,
  queue: run.queue,
  expected: run.expectedStart,
  next: run.nextStart,
  start: run.startTime,
  end: run.endTime,
  runningSince: run.state.type === "RUNNING" ? run.state.timestamp : null,
  totalRunTime: run.totalRunTime,
});

export const describingColumns = (doc: RunDoc): DescribingColumns => ({
  name: doc.name,
  tags: doc.tags,
  parent: doc.parentTaskRunId,
  flowVersion: doc.flowVersion,
  idempotencyKey: doc.idempotencyKey,
  createdBy: doc.createdBy,
});

export const familyOf = (type: StateType): PageFamily => TERMINAL_TYPES.has(type) ? "E" : "L";

/** Seconds spent RUNNING, those since it started included. */
export function estimatedRunTime(
  row: Pick<RunRow, "runningSince" | "totalRunTime">,
  now: Instant,
): number {
  const running = row.runningSince === null ? 0 : Math.max(0, now - row.runningSince);
  return (row.totalRunTime + running) / 1e6;
}

/** Seconds by which the run started, or is still waiting, after its time. */
export function lateness(row: Pick<RunRow, "expected" | "start" | "type">, now: Instant): number {
  if (row.expected === null) return 0;
  if (row.start === null && TERMINAL_TYPES.has(row.type)) return 0;
  return Math.max(0, (row.start ?? now) - row.expected) / 1e6;
}
