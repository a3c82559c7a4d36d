import { Cron } from "croner";

/** The names that stand for a whole expression, as the reference's library knows them. */
const ALIASES = /^@(midnight|hourly|daily|weekly|monthly|yearly|annually)$/i;

/**
 * Whether text is a cron expression: an alias, or five fields (minute, hour, day of month, month, day of week) and
 * perhaps a sixth one, which is the second and stands last. A day that never comes, such as 31 February, is accepted.
 */
export function isCron(text: string): boolean {
  const pattern = toCronerPattern(text);
  if (pattern === undefined) return false;
  try {
    new Cron(pattern, { paused: true, sloppyRanges: true });
    return true;
  } catch {
    return false;
  }
}

/** The expression as croner reads it, whose seconds stand first; undefined for what has other than 5 or 6 fields. */
export function toCronerPattern(text: string): string | undefined {
  if (ALIASES.test(text.trim())) return text.trim();
  const fields = text.trim().split(/\s+/);
  if (fields.length === 5) return fields.join(" ");
  return fields.length === 6 ? [fields[5], ...fields.slice(0, 5)].join(" ") : undefined;
}
