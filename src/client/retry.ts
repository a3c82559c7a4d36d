import type { Clock } from "../runtime/clock.ts";
import type { Random } from "../runtime/random.ts";
import { ApiError, UnreachableError } from "./http.ts";

export interface RetryOptions {
  clock: Clock;
  random: Random;
  /** Ends the waiting; the last error is thrown then. */
  signal: AbortSignal;
  /** Called before each wait: what went wrong, and in how many milliseconds the next try comes. */
  onRetry?: (error: Error, delayMs: number, attempt: number) => void;
}

const FIRST_DELAY_MS = 200;
const LONGEST_DELAY_MS = 10_000;
/** A server or a proxy that asks for more is asked again all the same. */
const LONGEST_ASKED_MS = 60_000;

/** Whether the same request may succeed later: no answer at all, or a status that says so. */
export function isRetryable(error: unknown): error is Error {
  if (error instanceof UnreachableError) return true;
  return error instanceof ApiError && [408, 429, 502, 503, 504].includes(error.status);
}

/**
 * Calls `attempt` until it succeeds or fails for good, with a growing, jittered delay between two tries. The answer of
 * a try may be lost after it was acted on: `attempt` has to be a request that may arrive twice.
 */
export async function withRetry<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  for (let tries = 1;; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isRetryable(error) || options.signal.aborted) throw error;
      const delayMs = delayOf(error, tries, options.random);
      options.onRetry?.(error, delayMs, tries);
      await options.clock.sleep(delayMs, options.signal);
      if (options.signal.aborted) throw error;
    }
  }
}

/**
 * A random part of a time that doubles with every try, so that clients which failed together come back one by one.
 * What the server asks for is waited at least, as far as that is a time that a client may be away.
 */
function delayOf(error: Error, tries: number, random: Random): number {
  const full = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (tries - 1));
  const asked = error instanceof ApiError ? (error.retryAfter ?? 0) * 1000 : 0;
  return Math.min(LONGEST_ASKED_MS, asked) + random.unit() * full;
}
