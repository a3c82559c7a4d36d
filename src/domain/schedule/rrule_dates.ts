import { RRuleTemporal } from "rrule-temporal";
import type { Instant } from "../../schemas/records.ts";
import { DEFAULT_START } from "../../schemas/rrule.ts";
import { instantAt, instantsAt, toWall } from "./local_time.ts";

interface RecurrenceRule {
  rrule: string;
  zone: string;
}

/** Microseconds that the wall clock is asked to look back: more than any transition turns it. */
const LOOK_BACK = 26 * 3600e6;

/**
 * The library expands the rule on a wall clock without transitions; here each wall time becomes an instant. Only rules
 * that fire every hour, or more often, fire in both of two repeated hours.
 *
 * @throws Error the library's words for what is wrong with the rule
 */
export function* rruleDates({ rrule, zone }: RecurrenceRule, start: Instant): Generator<Instant> {
  const isHourly = /FREQ=(MINUTELY|SECONDLY)/i.test(rrule) ||
    /FREQ=HOURLY/i.test(rrule) && !/INTERVAL=(?!1\b)/i.test(rrule);
  let last = -Infinity;
  for (const wall of wallTimes(rrule, zone, toWall(start, zone) - LOOK_BACK)) {
    const repeated = isHourly ? instantsAt(wall, zone) : [];
    for (const date of repeated.length > 0 ? repeated : [instantAt(wall, zone)]) {
      if (date >= start && date > last) yield last = date;
    }
  }
}

function* wallTimes(rrule: string, zone: string, from: number): Generator<number> {
  const rule = parseRrule(rrule, zone);
  let at = new Date(Math.ceil(from / 1000));
  let inclusive = true;
  for (;;) {
    const next = rule.next(at, inclusive);
    if (!next) return;
    yield next.epochMilliseconds * 1000;
    at = new Date(next.epochMilliseconds);
    inclusive = false;
  }
}

/** @throws Error when the rule is none */
export function parseRrule(rrule: string, zone: string): RRuleTemporal {
  return new RRuleTemporal({ rruleString: floating(rrule, zone) });
}

/** Every time of the rule as the clocks of `zone` show it, written as if they showed UTC. */
function floating(rrule: string, zone: string): string {
  const lines = rrule.trim().split(/\r?\n/).map((line) => {
    const text = line.trim();
    const plain = text.replace(/;TZID=[^:]*(?=:)/, "");
    return /^(DTSTART|RRULE|EXRULE|RDATE|EXDATE)/i.test(plain) ? plain : `RRULE:${plain}`;
  });
  if (!lines.some((line) => /^DTSTART/i.test(line))) lines.unshift(DEFAULT_START);
  return lines.join("\n").replace(
    /\d{8}T\d{6}Z?/g,
    (time) => time.endsWith("Z") ? shifted(time, zone) : `${time}Z`,
  );
}

function shifted(time: string, zone: string): string {
  const [, y, mo, d, h, mi, s] = /(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)/.exec(time)!.map(Number);
  const wall = toWall(Date.UTC(y!, mo! - 1, d!, h!, mi!, s!) * 1000, zone);
  return new Date(wall / 1000).toISOString().slice(0, 19).replace(/[-:]/g, "") + "Z";
}
