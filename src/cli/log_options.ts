/** What `flow-run logs` was asked for. */
import { UsageError } from "./errors.ts";
import type { Input } from "./input.ts";

export interface LogChoice {
  /** How many lines. */
  count: number;
  /** Whether they are the last ones, instead of the first. */
  isFromEnd: boolean;
  /** Whether the newest comes first. */
  isReversed: boolean;
  /** Only lines of this level or above, as a number. */
  level: number | undefined;
  /** Whether new lines are printed until the run has ended. */
  follows: boolean;
}

/** Numbers of Python's `logging`, which the wire uses. */
const LEVELS: Readonly<Record<string, number>> = {
  debug: 10,
  info: 20,
  warning: 30,
  warn: 30,
  error: 40,
  critical: 50,
};

/** @throws UsageError on options that contradict each other, or a level that is none */
export function logChoice(input: Input): LogChoice {
  const [head, tail, count] = [input.number("head"), input.number("tail"), input.number("num-logs")];
  const follows = input.isSet("follow");
  if (head !== undefined && tail !== undefined) throw new UsageError("Give --head or --tail, not both.");
  if (follows && (head !== undefined || input.isSet("reverse"))) {
    throw new UsageError("--follow goes with --tail and --level only.");
  }
  return {
    count: count ?? head ?? tail ?? Infinity,
    isFromEnd: tail !== undefined || follows || input.isSet("reverse") && head === undefined,
    isReversed: input.isSet("reverse"),
    level: levelOf(input.text("level")),
    follows,
  };
}

function levelOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const level = LEVELS[text.toLowerCase()] ?? (/^\d{1,3}$/.test(text) ? Number(text) : undefined);
  if (level !== undefined) return level;
  throw new UsageError(`--level is one of ${Object.keys(LEVELS).join(", ")}, or a number, not '${text}'.`);
}
