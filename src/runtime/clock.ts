import type { Instant } from "../schemas/records.ts";

/** Time as the program sees it. Tests and the simulation bring their own. */
export interface Clock {
  /** Microseconds since the epoch, by the wall clock. */
  now(): Instant;
  /** Milliseconds from an arbitrary origin; never jumps with the wall clock. */
  monotonic(): number;
  /** Resolves after `ms` milliseconds, or at once when `signal` aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** `setTimeout` fires at once for longer delays, so longer sleeps are cut. */
const LONGEST_TIMER_MS = 2_147_483_647;

export const systemClock: Clock = {
  now: () => Date.now() * 1000,
  monotonic: () => performance.now(),
  sleep(ms, signal) {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        // A listener left on a long-lived signal would be kept for as long as the signal lives.
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, Math.min(Math.max(ms, 0), LONGEST_TIMER_MS));
      signal?.addEventListener("abort", done, { once: true });
    });
  },
};
