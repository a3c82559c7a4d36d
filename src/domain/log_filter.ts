/** Which log lines a filter means. One meaning for each clause: a test on a line, and one on what a chunk can have. */
import type { LogFilter } from "../schemas/filter.ts";
import type { Instant, LogLine } from "../schemas/records.ts";
import { matchesText, parseTextQuery } from "./text_query.ts";

/** What is known of a chunk of lines of one run without reading it. */
export interface LogRange {
  /** Null for lines without a run. */
  run: string | null;
  first: Instant;
  last: Instant;
  minLevel: number;
  maxLevel: number;
}

/** How many of a chunk's lines match. */
export type Verdict = "none" | "some" | "all";

export type LogTest = (line: Omit<LogLine, "id">) => boolean;

/** A filter made ready for many lines. */
export interface LogMatcher {
  matches: LogTest;
  judge(range: LogRange): Verdict;
}

interface Clause {
  test: LogTest;
  judge: (range: LogRange) => Verdict;
}

/**
 * Absent and null clauses constrain nothing; an empty `any_` matches nothing. The parts of one clause all have to hold,
 * whatever joins the clauses.
 */
export function buildLogMatcher(filter: LogFilter | null | undefined): LogMatcher {
  const clauses = filter ? clausesOf(filter) : [];
  if (clauses.length === 0) return { matches: () => true, judge: () => "all" };
  const isOr = filter?.operator === "or_";
  return {
    matches: (line) =>
      isOr ? clauses.some(({ test }) => test(line)) : clauses.every(({ test }) => test(line)),
    judge(range) {
      const verdicts = new Set(clauses.map(({ judge }) => judge(range)));
      if (verdicts.has(isOr ? "all" : "none")) return isOr ? "all" : "none";
      return verdicts.size === 1 ? [...verdicts][0]! : "some";
    },
  };
}

function clausesOf({ level, timestamp, flow_run_id: run, task_run_id: task, text }: LogFilter): Clause[] {
  const clauses: Clause[] = [];
  if (level) {
    const [min, max] = [level.ge_ ?? -Infinity, level.le_ ?? Infinity];
    clauses.push({
      test: (line) => line.level >= min && line.level <= max,
      judge: ({ minLevel, maxLevel }) => overlap(minLevel, maxLevel, min, max),
    });
  }
  if (timestamp) {
    const [min, max] = [timestamp.after_ ?? -Infinity, timestamp.before_ ?? Infinity];
    clauses.push({
      test: (line) => line.timestamp >= min && line.timestamp <= max,
      judge: ({ first, last }) => overlap(first, last, min, max),
    });
  }
  if (run) {
    const wanted = run.any_ && new Set(run.any_);
    const test = (id: string | null) => !wanted || (id !== null && wanted.has(id));
    clauses.push({
      test: (line) => test(line.flowRunId),
      judge: (range) => test(range.run) ? "all" : "none",
    });
  }
  if (task) clauses.push({ test: (line) => matchesTask(task, line.taskRunId), judge: () => "some" });
  if (text) {
    const query = parseTextQuery(text.query);
    clauses.push({
      test: ({ message, name }) => matchesText(query, message.toLowerCase(), name.toLowerCase()),
      judge: () => "some",
    });
  }
  return clauses;
}

/** How much of `from`–`to` lies within `min`–`max`. */
function overlap(from: number, to: number, min: number, max: number): Verdict {
  if (to < min || from > max) return "none";
  return from >= min && to <= max ? "all" : "some";
}

function matchesTask({ any_, is_null_ }: NonNullable<LogFilter["task_run_id"]>, id: string | null): boolean {
  return (!any_ || (id !== null && any_.includes(id))) &&
    (typeof is_null_ !== "boolean" || (id === null) === is_null_);
}
