import type { OverdueRuns } from "../services/overdue_runs.ts";
import type { Loop } from "./loop.ts";

/** The reference's interval and batch. */
const EVERY_MS = 5_000;
const MOST = 400;

/** Names runs "Late" that nobody has started. */
export const lateLoop = (overdue: OverdueRuns): Loop => ({
  name: "late runs",
  everyMs: EVERY_MS,
  async runOnce(now) {
    const { changed, failed, isMore } = await overdue.markLate(now, MOST);
    return { done: { marked: changed, failed }, isMore };
  },
});
