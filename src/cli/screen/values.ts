import type { CommandContext } from "../context.ts";
import { printJson } from "./json.ts";
import type { StyleName } from "./style.ts";
import type { MarkedText, StyledText } from "./table.ts";
import { printable } from "./text.ts";
import { timeText } from "./times.ts";

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

const TIMES = new Set([
  "created",
  "updated",
  "last_polled",
  "last_heartbeat",
  "timestamp",
  "start_time",
  "end_time",
]);

type TimeText = (time: string) => string;

/** All fields of an object, one a line: `name='my-pool'`, times as `time` shows them, null as `None`. */
export function describe(kind: string, value: Readonly<Record<string, unknown>>, time: TimeText): string[] {
  const lines = Object.entries(value).flatMap(([key, field]) => describeField(key, field, time));
  return [`${kind}(`, ...lines, ")"];
}

/** Answers with an object: all its fields, or itself as JSON. */
export async function printObject(kind: string, value: object, context: CommandContext): Promise<void> {
  if (context.isJson) return printJson(value, context);
  const time = context.isVerbose ? (exact: string) => exact : timeText(context);
  await context.screen.page(describe(kind, { ...value }, time));
}

function describeField(key: string, value: unknown, time: TimeText): string[] {
  const isTime = typeof value === "string" && (TIMES.has(key) || key.endsWith("_start_time"));
  const shown = isTime ? time(value) : value;
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
