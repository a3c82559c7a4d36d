/**
 * The primitives of the wire. The reference reads input laxly (`"5"` and `5.0` are integers, numbers and spaced text
 * are times, see docs/api.md), so no other schema file uses zod's own number, uuid or time checks.
 */
import { z } from "zod";
import { parseLossless, unwrapNumber } from "./lossless_json.ts";
import type { Instant, JsonText } from "./records.ts";

/** An integer between `min` and `max`: `5`, `5.0` and `"5"` pass. */
export function int(min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER) {
  return z.preprocess(toInt, z.int().min(min).max(max));
}

/** A number of any kind; text that reads as a number passes. */
export function num(min?: number) {
  const base = z.number();
  return z.preprocess(toNumber, min === undefined ? base : base.min(min));
}

/** A number above zero. */
export const positive = () => z.preprocess(toNumber, z.number().positive());

/** Truth as the reference reads it: also `1`, `"true"`, `"on"`, `"no"` and their like. */
export const bool = () => z.preprocess(toBool, z.boolean());

/** A UUID of any version, answered in lower case. */
export const uuid = () => z.guid().transform((id) => id.toLowerCase());

/** A time: ISO 8601 with `T` or a space, with an offset or without (then UTC), or epoch seconds. Microseconds inside. */
export const instant = () =>
  z.preprocess(unwrapNumber, z.union([z.string(), z.number()])).transform((value, context): Instant => {
    const parsed = parseInstant(value);
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: "custom", message: INVALID_TIME, params: { type: "datetime_from_date_parsing" } });
    return z.NEVER;
  });
const INVALID_TIME = "Input should be a valid datetime or date";

/** A name that may stand in a path. */
export const name = () => z.string().regex(/^[^/%&><]+$/);

/** A {@link name} that becomes part of a key: at most 255 bytes. */
export const keyName = () =>
  name().refine((value) => new TextEncoder().encode(value).length <= 255, {
    message: "Name should have at most 255 bytes",
  });

/** A JSON object of any content, kept as text. */
export const jsonObject = () => z.record(z.string(), z.unknown()).transform((v): JsonText => JSON.stringify(v));

/** Any JSON, kept as text. */
export const json = () => z.unknown().transform((v): JsonText => JSON.stringify(v ?? null));

/** A set of tags, in the order of their first appearance. */
export const tags = () => z.array(z.string()).transform((given) => [...new Set(given)]);

/** Labels: text to text, number or truth. */
export const labels = () => z.record(z.string(), z.unknown()).transform((v): JsonText => JSON.stringify(v));

/** What the caller may leave out, send as null, or give; null and absent both become `fallback`. */
export function orDefault<S extends z.ZodType>(schema: S, fallback: z.output<S>) {
  return schema.nullish().transform((value) => (value ?? fallback) as z.output<S>);
}

/** The `limit` of a list: 0 to 200, 200 when absent or null. */
export const limit = () => orDefault(int(0, 200), 200);
/** The `offset` of a list. */
export const offset = () => orDefault(int(0), 0);

function toInt(value: unknown): unknown {
  const plain = unwrapNumber(value);
  return typeof plain === "string" && /^\s*[+-]?\d+(\.0*)?\s*$/.test(plain) ? Number(plain) : plain;
}

function toNumber(value: unknown): unknown {
  const plain = unwrapNumber(value);
  return typeof plain === "string" && plain.trim() !== "" && !Number.isNaN(Number(plain)) ? Number(plain) : plain;
}

const TRUE = new Set<unknown>([1, "1", "true", "t", "yes", "y", "on"]);
const FALSE = new Set<unknown>([0, "0", "false", "f", "no", "n", "off"]);

function toBool(value: unknown): unknown {
  const plain = unwrapNumber(value);
  const word = typeof plain === "string" ? plain.toLowerCase() : plain;
  if (TRUE.has(word)) return true;
  if (FALSE.has(word)) return false;
  return plain;
}

const ISO = /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*([Zz]|[+-]\d{2}(?::?\d{2})?)?)?$/;

/** Microseconds since the epoch, or undefined for what is no time. */
export function parseInstant(value: string | number): Instant | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? Math.round(value * 1e6) : undefined;
  const text = value.trim();
  if (/^-?\d+(\.\d+)?$/.test(text)) return Math.round(Number(text) * 1e6);
  const match = ISO.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const utc = Date.UTC(year, month - 1, day, hour, minute, second);
  const date = new Date(utc);
  const isReal = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 &&
    second < 60;
  if (!isReal) return undefined;
  const micros = Number((match[7] ?? "").slice(0, 6).padEnd(6, "0"));
  return (utc - offsetMinutes(match[8]) * 60_000) * 1000 + micros;
}

function offsetMinutes(text: string | undefined): number {
  if (text === undefined || text.toUpperCase() === "Z") return 0;
  const [, sign, hours, minutes] = /^([+-])(\d{2}):?(\d{2})?$/.exec(text) ?? [];
  return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes ?? 0));
}

/** `2026-11-23T22:13:37.159699Z`; without the fraction when it is zero, as the reference prints it. */
export function formatInstant(instant: Instant): string {
  const second = Math.floor(instant / 1e6);
  const micros = instant - second * 1e6;
  const text = new Date(second * 1000).toISOString().slice(0, 19);
  return micros === 0 ? `${text}Z` : `${text}.${String(micros).padStart(6, "0")}Z`;
}

/** {@link formatInstant}, null for null. */
export const formatOptional = (instant: Instant | null | undefined): string | null =>
  instant === null || instant === undefined ? null : formatInstant(instant);

/** A kept JSON text as the value that prints as the same text. */
export const fromJsonText = (text: JsonText): unknown => parseLossless(text);

/** `created`, `updated` and every other time in an answer. */
export const time = () => z.string();
