import type { Instant } from "../schemas/records.ts";

/** What one round of a loop did, by words that people understand (`runs made`). */
export type Done = Readonly<Record<string, number>>;

export interface Round {
  done: Done;
  /** Whether the bound of a round ended it: there may be more to do at once. */
  isMore: boolean;
}

/**
 * Work that comes again. A round does what is to be done by `now`, within a bound, and is safe beside others, in this
 * process and elsewhere: a second round at the same time finds nothing to do.
 */
export interface Loop {
  readonly name: string;
  readonly everyMs: number;
  runOnce(now: Instant): Promise<Round>;
}

/** Adds up what a loop has done since the process started. */
export class LoopCounter {
  readonly done: Record<string, number> = {};
  rounds = 0;
  /** Rounds that threw. */
  failures = 0;

  add(done: Done): void {
    this.rounds++;
    for (const [what, count] of Object.entries(done)) this.done[what] = (this.done[what] ?? 0) + count;
  }
}
