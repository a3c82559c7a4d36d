/** What `deployment run` was asked for, as values. */
import type { Instant } from "../schemas/records.ts";
import { parseInstant } from "../schemas/wire.ts";
import { UsageError } from "./errors.ts";
import { readText } from "./files.ts";
import type { Input } from "./input.ts";

/**
 * `KEY=VALUE` texts as an object; a later key stands over an earlier one. Values that are JSON are taken as JSON.
 *
 * @throws UsageError on a text without `=` or without a key
 */
export function parsePairs(option: string, pairs: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(pairs.map((pair) => {
    const at = pair.indexOf("=");
    if (at < 1) throw new UsageError(`--${option} takes KEY=VALUE, not '${pair}'.`);
    return [pair.slice(0, at), parseJsonOrText(pair.slice(at + 1))];
  }));
}

/** JSON numbers, truths, null, lists and objects as such; everything else, quoted text included, as text. */
export function parseJsonOrText(text: string): unknown {
  const value = tryJson(text);
  return value === undefined || typeof value === "string" ? text : exact(value, text);
}

/** An integer with more digits than a number keeps would become another one: then it stays text. */
const exact = (value: unknown, text: string): unknown =>
  typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value) ? text : value;

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `--params`, with each `--param` over it. @throws UsageError; CliError when standard input cannot be read */
export async function parseParameters(input: Input): Promise<Record<string, unknown>> {
  const given = input.text("params");
  const text = given === "-" ? await readText("-") : given;
  const all = text === undefined ? {} : tryJson(text);
  if (typeof all !== "object" || all === null || Array.isArray(all)) {
    throw new UsageError(`--params takes a JSON object like '{"day": "2026-11-23"}', not '${text}'.`);
  }
  return { ...all, ...parsePairs("param", input.texts("param")) };
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };
const UNIT = /^(s|sec|secs|second|seconds|m|min|mins|minute|minutes|h|hour|hours|d|day|days|w|week|weeks)$/;

/** Seconds of `90`, `10 minutes`, `1h30m`, `1 hour and 5 min`; undefined for other text. */
export function parseDuration(text: string): number | undefined {
  const words = text.trim().toLowerCase().replace(/^in /, "").replaceAll(/,|\band\b/g, " ");
  if (/^\d+(\.\d+)?$/.test(words)) return Number(words);
  const parts = [...words.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/g)];
  const rest = words.replaceAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/g, "").trim();
  if (parts.length === 0 || rest !== "") return undefined;
  return parts.reduce<number | undefined>((sum, [, amount, unit = ""]) => {
    const length = UNIT.test(unit) ? UNIT_SECONDS[unit.charAt(0)] : undefined;
    return sum === undefined || length === undefined ? undefined : sum + Number(amount) * length;
  }, 0);
}

/** When the run is to start; undefined for now. @throws UsageError */
export function parseStart(input: Input, now: Instant): Instant | undefined {
  const [startIn, startAt] = [input.text("start-in"), input.text("start-at")];
  if (startIn !== undefined && startAt !== undefined) {
    throw new UsageError("Give --start-in or --start-at, not both.");
  }
  if (startIn !== undefined) {
    const seconds = parseDuration(startIn);
    if (seconds !== undefined) return now + Math.round(seconds * 1e6);
    throw new UsageError(
      `--start-in takes seconds or a duration like '10 minutes' or '1h30m', not '${startIn}'.`,
    );
  }
  if (startAt === undefined) return undefined;
  // A bare number would be read as seconds since 1970.
  const instant = /^\d+$/.test(startAt) ? undefined : parseInstant(startAt);
  if (instant !== undefined) return instant;
  throw new UsageError(`--start-at takes a time like 2026-11-23T22:30:00Z, not '${startAt}'.`);
}

/** The instant that `--since` names: so long ago, or a time; undefined without it. @throws UsageError */
export function parseSince(input: Input, now: Instant): Instant | undefined {
  const text = input.text("since");
  if (text === undefined) return undefined;
  const seconds = parseDuration(text.replace(/\s+ago$/, ""));
  const instant = seconds === undefined ? parseInstant(text) : now - Math.round(seconds * 1e6);
  if (instant !== undefined) return instant;
  throw new UsageError(
    `--since takes a duration like '2 hours' or a time like 2026-11-23T22:30:00Z, not '${text}'.`,
  );
}
