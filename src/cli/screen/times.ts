import { type Instant } from "../../schemas/records.ts";
import { parseInstant } from "../../schemas/wire.ts";
import type { CommandContext } from "../context.ts";

const UNITS = [
  ["year", 365 * 86_400],
  ["month", 30 * 86_400],
  ["week", 7 * 86_400],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
] as const;

/** `2 minutes ago`, `in 3 hours`, `now`; "never" without a time. */
export function relativeTime(time: string | null | undefined, now: Instant): string {
  const instant = time === null || time === undefined ? undefined : parseInstant(time);
  if (instant === undefined) return "never";
  const seconds = Math.floor((now - instant) / 1e6); // "in 10 minutes" a moment after it was asked for
  const amount = largestUnit(Math.abs(seconds));
  if (amount === undefined) return "now";
  return seconds > 0 ? `${amount} ago` : `in ${amount}`;
}

/** How a command shows times in tables: how far away they are, or with `--verbose` to the second, in UTC. */
export function timeText({ isVerbose, world }: CommandContext): (time: string | null | undefined) => string {
  const now = world.deps.clock.now();
  return (time) => isVerbose ? exactTime(time) : relativeTime(time, now);
}

/** `2026-11-23 12:00:05Z`; "never" without a time. */
const exactTime = (time: string | null | undefined): string =>
  time?.replace("T", " ").replace(/\.\d+(?=Z$|[+-]\d\d:)/, "") ?? "never";

function largestUnit(seconds: number): string | undefined {
  for (const [unit, length] of UNITS) {
    const count = Math.floor(seconds / length);
    if (count >= 1) return `${count} ${unit}${count === 1 ? "" : "s"}`;
  }
  return undefined;
}

/** How long something took: `40 ms`, `0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`. */
export function duration(seconds: number): string {
  if (seconds < 0.1) return `${Math.max(0, Math.round(seconds * 1_000))} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3_600)} h ${Math.floor(whole % 3_600 / 60)} min`;
}

/** The time of day of a wire time, in UTC: `12:00:05`. */
export const clockTime = (time: string): string => time.slice(11, 19);
