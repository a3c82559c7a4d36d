import { DomainError } from "../errors.ts";
import type { Clock } from "../runtime/clock.ts";

/** After this long a commit without an answer counts as unknown. KV Connect itself would try for ever. */
const COMMIT_TIMEOUT_MS = 10_000;

/** What `work` gives, or undefined when the time of a commit is over. */
export async function withinTimeout<T>(work: Promise<T>, clock: Clock): Promise<T | undefined> {
  const done = new AbortController();
  try {
    const timeout = clock.sleep(COMMIT_TIMEOUT_MS, done.signal).then(() => undefined);
    return await Promise.race([work, timeout]);
  } finally {
    done.abort();
    work.catch(() => {}); // an answer after the timeout is nobody's
  }
}

/** Nobody knows whether a commit was applied: without a `cause`, since the time is over. */
export function unknownOutcome(cause?: unknown): DomainError {
  const what = cause === undefined ? "did not answer in time" : "failed, perhaps after it had written";
  return new DomainError("unknown_outcome", `The store ${what}: look, then try again.`, { cause });
}
