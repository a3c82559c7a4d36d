import { RRuleTemporal } from "rrule-temporal";
import type { Instant } from "./records.ts";

/** Characters of a rule (the reference's limit). */
export const LONGEST_RRULE = 6_500;

/** Parts of a rule whose value is a list of whole numbers, each at least and at most so much. */
const NUMBERS: Readonly<Record<string, readonly [min: number, max: number]>> = {
  INTERVAL: [1, Infinity],
  COUNT: [0, Infinity],
  BYSECOND: [0, 59],
  BYMINUTE: [0, 59],
  BYHOUR: [0, 23],
  BYMONTHDAY: [-31, 31],
  BYYEARDAY: [-366, 366],
  BYWEEKNO: [-53, 53],
  BYMONTH: [1, 12],
  BYSETPOS: [-366, 366],
};
/** Parts that the library checks. */
const OTHERS = new Set(["FREQ", "UNTIL", "WKST", "BYDAY"]);
const PROPERTY = /^(DTSTART|RRULE|RDATE|EXDATE|EXRULE)([;:])/i;

/** What is wrong with a recurrence rule (RFC 5545), a set of several lines included; undefined when nothing is. */
export function rruleFault(text: string): string | undefined {
  const lines = propertiesOf(text);
  const rules = lines.filter((line) => /^RRULE/i.test(line));
  if (rules.length > 1) return "there may be one RRULE; make a schedule for each";
  if (lines.some((line) => /^EXRULE/i.test(line))) return "EXRULE is not supported; use EXDATE";
  const [rule] = rules;
  if (rule === undefined) return "it has no RRULE";
  return partsFault(rule) ?? parseFault(lines);
}

/** The lines, each with its property's name: a bare rule is an RRULE. */
function propertiesOf(text: string): string[] {
  const lines = text.trim().split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== "");
  return lines.map((line) => PROPERTY.test(line) ? line : `RRULE:${line}`);
}

/** The library passes over parts that it does not know and numbers that are none. */
function partsFault(rule: string): string | undefined {
  const parts = rule.replace(/^RRULE:/i, "").split(";").filter((part) => part !== "");
  for (const part of parts) {
    const [name = "", value] = part.toUpperCase().split("=", 2);
    if (value === undefined) return `'${part}' is no name and value`;
    if (OTHERS.has(name)) continue;
    const range = NUMBERS[name];
    if (!range) return `'${name}' is not supported`;
    if (!value.split(",").every((one) => isWholeNumber(one, range))) return `${name} cannot be '${value}'`;
  }
  return undefined;
}

const isWholeNumber = (text: string, [min, max]: readonly [number, number]): boolean =>
  /^[+-]?\d{1,9}$/.test(text) && Number(text) >= min && Number(text) <= max;

function parseFault(lines: readonly string[]): string | undefined {
  const hasStart = lines.some((line) => /^DTSTART/i.test(line));
  try {
    new RRuleTemporal({ rruleString: [...hasStart ? [] : [DEFAULT_START], ...lines].join("\n") });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** What the reference puts before a rule without a start. */
export const DEFAULT_START = "DTSTART:20200101T000000";
const EPOCH = Date.UTC(2020, 0, 1);
const STEP_MS: Readonly<Record<string, number>> = { SECONDLY: 1_000, MINUTELY: 60_000 };
const DAY_MS = 86_400_000;

/**
 * The rule with a start in front when it has none, so that its dates never depend on when they are asked for: that
 * of the reference, 1 January 2020. A rule of seconds or minutes without a count starts at a date of yesterday in
 * the same step, since walking there from 2020 would take millions of steps.
 */
export function withStart(rrule: string, now: Instant): string {
  if (/DTSTART/i.test(rrule)) return rrule;
  const step = STEP_MS[/FREQ=(SECONDLY|MINUTELY)/i.exec(rrule)?.[1]?.toUpperCase() ?? ""];
  if (step === undefined || /COUNT=/i.test(rrule)) return `${DEFAULT_START}\n${rrule}`;
  const period = step * Number(/INTERVAL=(\d+)/i.exec(rrule)?.[1] ?? 1);
  const recent = EPOCH + Math.floor((now / 1000 - DAY_MS - EPOCH) / period) * period;
  const [start = ""] = new Date(Math.max(recent, EPOCH)).toISOString().replaceAll(/[-:]/g, "").split(".");
  return `DTSTART:${start}\n${rrule}`;
}
