import type { Clock } from "../runtime/clock.ts";
import { OutputTail } from "./output_tail.ts";
import type { Turns } from "./turns.ts";

/** How long small output is gathered before it is handed on. */
const GATHER_MS = 250;

/** The growing file of a run's output, and when to stop reading it. */
export interface Followed {
  outputFile: string;
  /** Aborts when the process has ended: nothing more will be written. */
  ended: AbortSignal;
  /** Aborts when nobody wants the rest any more. */
  abandoned: AbortSignal;
}

/**
 * Hands on what a run writes, in order, in batches of lines, as fast as they are taken. Ends when the process has ended
 * and everything was taken, or when abandoned.
 *
 * @param take resolves when it has taken the lines; until then nothing more is read
 * @param turns whose turn it is to have a batch in memory
 */
export async function followOutput(
  { outputFile, ended, abandoned }: Followed,
  clock: Clock,
  take: (lines: string[]) => Promise<void>,
  turns: Turns,
): Promise<void> {
  using tail = new OutputTail(outputFile);
  while (!abandoned.aborted) {
    const isLast = ended.aborted; // noted before reading: what was written before the end is then read after it
    const began = clock.monotonic();
    const count = await turns.take(async () => {
      const lines = await tail.read(isLast);
      if (lines.length > 0) await take(lines);
      return lines.length;
    }, abandoned);
    if (isLast && count === 0) return;
    if (!isLast && !tail.isBehind) await clock.sleep(GATHER_MS - (clock.monotonic() - began), ended);
  }
}
