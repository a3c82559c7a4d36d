import type { Instant } from "../../schemas/records.ts";
import type { StyleName } from "./style.ts";
import type { MarkedText, StyledText } from "./table.ts";
import { printable } from "./text.ts";
import { relativeTime } from "./times.ts";

/** A limit as people read it: null is `None`, 0 is `0`. */
export const limitText = (limit: number | null | undefined): string =>
  limit === null || limit === undefined ? "None" : String(limit);

const STATE_STYLES: Readonly<Record<string, StyleName>> = {
  COMPLETED: "green",
  RUNNING: "blue",
  PENDING: "cyan",
  FAILED: "red",
  CRASHED: "red",
  CANCELLED: "dim",
  CANCELLING: "yellow",
  READY: "green",
  NOT_READY: "red",
  PAUSED: "yellow",
};

/** A state or status in its colour. `type` decides about the colour when the text is a state's own name. */
export function stateCell(text: string, type: string = text): string | StyledText {
  const style = STATE_STYLES[type];
  return style === undefined ? text : { text, style };
}

/** The mark behind the name of what is paused. */
export const nameWithMark = (name: string, isPaused: boolean): string | MarkedText =>
  isPaused ? { text: name, mark: " (**)" } : name;

const TIMES = new Set(["created", "updated", "last_polled", "timestamp", "start_time", "end_time"]);

/** All fields of an object, one a line: `name='my-pool'`, times as distances from now, null as `None`. */
export function describe(kind: string, value: Readonly<Record<string, unknown>>, now: Instant): string[] {
  const lines = Object.entries(value).flatMap(([key, field]) => describeField(key, field, now));
  return [`${kind}(`, ...lines, ")"];
}

function describeField(key: string, value: unknown, now: Instant): string[] {
  const isTime = typeof value === "string" && (TIMES.has(key) || key.endsWith("_start_time"));
  const shown = isTime ? relativeTime(value, now) : value;
  const [first = "", ...rest] =
    (typeof shown === "object" && shown !== null ? JSON.stringify(shown, null, 4) : literal(shown)).split(
      "\n",
    );
  const lines = [`${key}=${first}`, ...rest].map((line) => `    ${printable(line)}`);
  return [...lines.slice(0, -1), `${lines.at(-1)},`];
}

function literal(value: unknown): string {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  return typeof value === "string" ? `'${printable(value)}'` : String(value);
}
