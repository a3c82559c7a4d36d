import { Cron } from "croner";
import type { Instant } from "../../schemas/records.ts";
import { isRepeated } from "./local_time.ts";

interface CronRule {
  cron: string;
  dayOr: boolean;
  zone: string;
}

/** A date of the library is a whole second. */
const SECOND = 1e6;

/**
 * The library skips no day: what falls into a gap fires right after it. It fires twice in a repeated hour; that is
 * meant for rules over all hours, and for others the second one is left out.
 *
 * @throws Error the library's words for what is wrong with the expression
 */
export function* cronDates(rule: CronRule, start: Instant): Generator<Instant> {
  const { cron, isHourly } = parseCron(rule);
  let last = Math.ceil(start / SECOND) * SECOND - SECOND; // the library's start is exclusive
  for (;;) {
    const next = cron.nextRun(new Date(last / 1000));
    if (!next) return;
    const date = next.getTime() * 1000;
    if (date <= last) return;
    last = date;
    if (isHourly || !isRepeated(date, rule.zone)) yield date;
  }
}

/** @throws Error when the expression is none */
export function parseCron({ cron: given, dayOr, zone }: CronRule): { cron: Cron; isHourly: boolean } {
  const expression = given.trim();
  const fields = expression.split(/\s+/);
  const isAlias = expression.startsWith("@");
  if (!isAlias && fields.length !== 5 && fields.length !== 6) {
    throw new Error(`It has ${fields.length} fields: five are expected, or six with the seconds last.`);
  }
  // The wire has the seconds last, the library has them first.
  const ordered = fields.length === 6 ? [fields[5], ...fields.slice(0, 5)] : ["0", ...fields];
  return {
    cron: new Cron(isAlias ? expression : ordered.join(" "), {
      timezone: zone,
      domAndDow: !dayOr,
      // `5/10`: from 5 on, every 10.
      sloppyRanges: true,
      paused: true,
    }),
    isHourly: expression === "@hourly" || fields[1]?.startsWith("*") === true,
  };
}
