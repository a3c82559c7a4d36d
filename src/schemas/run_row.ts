/** A run as lists, filters, counts and charts see it: one row of columns. What is stored of it: docs/lists.md. */
import type { Instant, JsonText, StateType } from "./records.ts";

/** Columns of text. On a page each has a dictionary. */
export const WORD_COLUMNS = [
  "deployment",
  "flow",
  "pool",
  "queue",
  "stateName",
  "name",
  "parent",
] as const;
export type WordColumn = (typeof WORD_COLUMNS)[number];

/** Columns of times. `started` is derived: the expected time stands in for a run that has not started. */
export type TimeColumn = "expected" | "next" | "start" | "started" | "end";

/** Columns that pages do not have: the record has to be asked. */
export type RestColumn = "flowVersion" | "idempotencyKey" | "createdBy";

/** What a run's record and description say together. */
export interface RunRow extends Record<Exclude<TimeColumn, "started">, Instant | null> {
  id: string;
  type: StateType;
  stateName: string;
  name: string;
  tags: readonly string[];
  flow: string;
  deployment: string | null;
  pool: string | null;
  queue: string | null;
  /** The task run whose subflow it is. */
  parent: string | null;
  /** Since when it is RUNNING; null in every other state. */
  runningSince: Instant | null;
  /** Microseconds spent RUNNING, up to the last time it left that state. */
  totalRunTime: number;
  flowVersion: string | null;
  idempotencyKey: string | null;
  createdBy: JsonText | null;
}

/** Stands on a page in place of a value that is too long for it. */
export const ASK_RECORD = 0;
export type AskRecord = typeof ASK_RECORD;

/** A {@link RunRow} as far as a page keeps it. */
export type PageRow =
  & Omit<RunRow, RestColumn | WordColumn | "tags">
  & Record<WordColumn, string | null | AskRecord>
  & { tags: readonly string[] | AskRecord };

/** Least and largest value of a column of times, and whether some are absent. Never narrowed. */
export interface Span {
  min: number;
  max: number;
  hasNull: boolean;
}

/** Live runs change and ended ones stay, so they are kept apart. */
export type PageFamily = "L" | "E";

/** What is known of a page without reading it. Rows from `n` on, should the page have them, are not there yet. */
export interface Zone {
  family: PageFamily;
  n: number;
  alive: number;
  /** One bit a row, set when the row's run changed or went since. */
  dead: Uint8Array;
  /** Rows that are alive, by index of STATE_TYPES. */
  counts: number[];
  /** Milliseconds in the ids: when the runs were created. */
  created: Span;
  expected: Span;
  next: Span;
  start: Span;
  started: Span;
  end: Span;
  /** Null when there are more than a few. */
  stateNames: string[] | null;
  deployments: (string | null)[] | null;
}

/** How far the journal is folded into pages, and what they add up to. */
export interface PagesCursor {
  /** False until the first build has ended. */
  isBuilt: boolean;
  /** Generation of the pages that count. */
  gen: number;
  /** Generation that is being built beside. */
  building: number | null;
  /** Versionstamp of the last folded journal item; empty when there was none. */
  at: string;
  /** Rises with every change of pages or zones. */
  pack: number;
  /** Pages that still take rows. */
  open: { L: number | null; E: number | null };
  /** Number of the next page. Never given twice within a generation. */
  nextNo: number;
  /** Runs by index of STATE_TYPES, as the folded journal adds up. */
  totals: number[];
  /** Newest version of a record that was left for a later item: until it is folded, rows and totals differ. */
  owed: string;
  /** By how many rows pages and totals differed when they were last compared. */
  drift: number;
  /** Journal items folded, and folded ones deleted. */
  folded: number;
  trimmed: number;
  /** Who folds until when: others keep away. Only manners, nothing depends on it. */
  owner: string;
  until: Instant;
}
