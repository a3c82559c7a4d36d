import type { AutoRuns } from "../services/auto_runs.ts";
import type { Loop } from "./loop.ts";

/** A change of a deployment is seen within this by every server (the reference's interval for recent changes). */
const EVERY_MS = 5_000;
/** Deployments of one round (the reference's batch). */
const MOST = 100;

/** Makes the runs of schedules ahead of time, and finishes what changes of deployments left undone. */
export const scheduleLoop = (autoRuns: AutoRuns): Loop => ({
  name: "schedules",
  everyMs: EVERY_MS,
  async runOnce(now) {
    const { deployments, made, failed, isMore } = await autoRuns.makeDue(now, MOST);
    return { done: { deployments, made, failed }, isMore };
  },
});
