/**
 * The primitives of the wire. The reference reads input laxly (`"5"` and `5.0` are integers, numbers and spaced text
 * are times, see docs/api.md), so no other schema file uses zod's own number, uuid or time checks.
 *
 * `.meta()` says in JSON Schema, for the API's description, what zod cannot say by itself of a check that is code.
 */
import { z } from "zod";
import { isNumber, parseLossless, unwrapNumber } from "./lossless_json.ts";
import type { Instant, JsonText } from "./records.ts";

/** An integer between `min` and `max`: `5`, `5.0` and `"5"` pass. */
export function int(min?: number, max?: number) {
  const base = z.int();
  const bounded = min === undefined ? base : base.min(min);
  return z.preprocess(toInt, max === undefined ? bounded : bounded.max(max));
}

/** An integer above zero. */
export const positiveInt = () => z.preprocess(toInt, z.int().positive());

/** A number of any kind between `min` and `max`; text that reads as a number passes. */
export function num(min?: number, max?: number) {
  const base = z.number();
  const bounded = min === undefined ? base : base.min(min);
  return z.preprocess(toNumber, max === undefined ? bounded : bounded.max(max));
}

/** A number above zero. */
export const positive = () => z.preprocess(toNumber, z.number().positive());

/** Truth as the reference reads it: also `1`, `"true"`, `"on"`, `"no"` and their like. */
export const bool = () => z.preprocess(toBool, z.boolean());

/** A UUID of any version, answered in lower case. */
export const uuid = () => z.guid().transform((id) => id.toLowerCase());

/** A time: ISO 8601 with `T` or a space, with an offset or without (then UTC), or epoch seconds. Microseconds inside. */
export const instant = () =>
  z.unknown().transform((given, context): Instant => {
    const value = unwrapNumber(given);
    const isReadable = typeof value === "string" || typeof value === "number";
    const parsed = isReadable ? parseInstant(value) : undefined;
    if (parsed !== undefined) return parsed;
    context.addIssue(isReadable ? UNREADABLE_TIME : NO_TIME);
    return z.NEVER;
  }).meta({ type: ["string", "number"], format: "date-time" });
const UNREADABLE_TIME = {
  code: "custom" as const,
  message: "Input should be a valid datetime or date",
  params: { type: "datetime_from_date_parsing" },
};
const NO_TIME = {
  code: "custom" as const,
  message: "Input should be a valid datetime",
  params: { type: "datetime_type" },
};

/** A name that may stand in a path. */
export const name = () => z.string().regex(NAME);
/** What a {@link name} is made of. */
export const NAME = /^[^/%&><]+$/;

/** Whether text is short enough to be part of a key. What is longer is the name of nothing. */
export const fitsKey = (text: string): boolean => new TextEncoder().encode(text).length <= 255;

/** A {@link name} that becomes part of a key: at most 255 bytes. */
export const keyName = () => name().refine(fitsKey, { message: "Name should have at most 255 bytes" });

/** A {@link keyName} of something that is made when it is missing; empty text means none. */
export const wantedName = () =>
  z.string().nullish().transform((value) => value === "" ? null : value).pipe(keyName().nullish())
    .meta({ pattern: `^$|${NAME.source}` });

/** A JSON object of any content. A number that is kept as it was written is an object to zod alone. */
export const object = () => z.preprocess(unwrapNumber, z.record(z.string(), z.unknown()));

/** Text to text, each of at most `most` characters. */
export const texts = (most: number) =>
  z.preprocess(unwrapNumber, z.record(z.string().max(most), z.string().max(most)));

/** A JSON object of any content, kept as text. */
export const jsonObject = () => object().transform((v): JsonText => JSON.stringify(v));

/** Text of at most 10,000 characters: it stands in a record that others are written with. */
export const shortText = () => z.string().max(10_000);

/** A small JSON object, kept as text: at most 10,000 characters. */
export const smallJsonObject = () =>
  jsonObject().refine((text) => text.length <= 10_000, {
    message: "Object should have at most 10000 characters",
  });

/** Any JSON, kept as text. */
export const json = () => z.unknown().transform((v): JsonText => JSON.stringify(v ?? null));

/** A set of tags, in the order of their first appearance. */
export const tags = () => z.array(z.string()).transform((given) => [...new Set(given)]);

/** Labels: text to text, number or truth; kept as text. */
export const labels = () =>
  object().superRefine((given, context) => {
    for (const [key, value] of Object.entries(given)) {
      if (["string", "boolean"].includes(typeof value) || isNumber(value)) continue;
      context.addIssue({
        code: "custom",
        path: [key],
        message: "Input should be a string, number or boolean",
      });
    }
  }).transform((v): JsonText => JSON.stringify(v));

/** What the caller may leave out, send as null, or give; null and absent both become `fallback`. */
export function orDefault<S extends z.ZodType>(schema: S, fallback: z.output<S>) {
  return schema.nullish().transform((value) => (value ?? fallback) as z.output<S>).meta({
    whenAbsent: fallback,
  });
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
  return typeof plain === "string" && DECIMAL.test(plain) ? Number(plain) : plain;
}
const DECIMAL = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i;

const TRUE = new Set<unknown>([1, "1", "true", "t", "yes", "y", "on"]);
const FALSE = new Set<unknown>([0, "0", "false", "f", "no", "n", "off"]);

function toBool(value: unknown): unknown {
  const plain = unwrapNumber(value);
  const word = typeof plain === "string" ? plain.toLowerCase() : plain;
  if (TRUE.has(word)) return true;
  if (FALSE.has(word)) return false;
  return plain;
}

/** Date, or date and time; the fraction may have any length, the offset may be left out. */
const ISO =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?\s*([Zz]|[+-]\d{2}(?::?\d{2})?)?)?$/;
const EPOCH = /^[+-]?\d+(\.\d*)?$/;
/** Larger numbers are milliseconds. Source: the reference's pydantic, "Datetimes". */
const LARGEST_EPOCH_SECOND = 2e10;
/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z: the years that the reference knows. */
const FIRST_SECOND = -62_135_596_800;
const LAST_SECOND = 253_402_300_799;

/**
 * Microseconds since the epoch, or undefined for what is no time of the years 1 to 9999. Before 1684 and after 2255,
 * where not every microsecond has a number of its own, fractions of a second are dropped.
 */
export function parseInstant(value: string | number): Instant | undefined {
  if (typeof value === "number") return fromEpoch(value);
  const text = value.trim();
  if (EPOCH.test(text)) return fromEpoch(Number(text));
  const match = ISO.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour = 0, minute = 0, second = 0, fraction = "", offset] = match;
  const local = secondOf([year, month, day].map(Number), [hour, minute, second].map(Number));
  const ahead = offsetSeconds(offset);
  if (local === undefined || ahead === undefined) return undefined;
  return toInstant(local - ahead, Number(fraction.slice(0, 6).padEnd(6, "0")));
}

function fromEpoch(value: number): Instant | undefined {
  const seconds = Math.abs(value) > LARGEST_EPOCH_SECOND ? value / 1000 : value;
  const whole = Math.floor(seconds);
  return toInstant(whole, Math.round((seconds - whole) * 1e6));
}

function toInstant(second: number, micros: number): Instant | undefined {
  if (!(second >= FIRST_SECOND && second <= LAST_SECOND)) return undefined;
  const instant = second * 1e6 + micros;
  return Number.isSafeInteger(instant) ? instant : second * 1e6;
}

/** Seconds since the epoch of a date and time in UTC; undefined when there is no such day or time. */
function secondOf([year = 0, month = 0, day = 0]: number[], [hour = 0, minute = 0, second = 0]: number[]) {
  // `Date.UTC` takes the years 0 to 99 for those of the last century.
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const exists = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 &&
    second < 60;
  return exists ? date.setUTCHours(hour, minute, second) / 1000 : undefined;
}

/** How many seconds local time is ahead of UTC; undefined when the text is no offset. */
function offsetSeconds(text: string | undefined): number | undefined {
  if (text === undefined || text.toUpperCase() === "Z") return 0;
  const hours = Number(text.slice(1, 3));
  const minutes = Number(text.slice(3).replace(":", ""));
  if (hours > 23 || minutes > 59) return undefined;
  return (text.startsWith("-") ? -60 : 60) * (hours * 60 + minutes);
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
export const time = () => z.string().meta({ format: "date-time" });
