import type { OverdueRuns } from "../services/overdue_runs.ts";
import type { Loop } from "./loop.ts";

/** The reference's interval. */
const EVERY_MS = 5_000;
/** Paused runs that one round looks at; the next one goes on behind them. */
const MOST = 1_000;

/** Fails runs whose pause has run out. */
export function pauseLoop(overdue: OverdueRuns): Loop {
  let offset = 0;
  return {
    name: "pauses",
    everyMs: EVERY_MS,
    async runOnce(now) {
      const { changed, failed, seen, isMore } = await overdue.failExpiredPauses(now, { most: MOST, offset });
      // What was failed is not in the list any more, and those behind it have moved up.
      offset = isMore ? offset + seen - changed : 0;
      return { done: { failed_pauses: changed, failed }, isMore: false };
    },
  };
}
