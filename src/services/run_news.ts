import type { Clock } from "../runtime/clock.ts";
import type { RunChange } from "./gate/batch.ts";

/** Tells waiting heartbeats that one of their runs is to be cancelled, so that a cancel takes no poll interval. */
export class RunNews {
  readonly #waiting = new Map<string, Set<AbortController>>();

  /** Wakes the sessions whose runs are being cancelled, were deleted, or were ended by somebody else. */
  notify(changes: readonly RunChange[]): void {
    for (const { before, after } of changes) {
      const concerns = before.session !== null && (after === null || after.state.type === "CANCELLING");
      if (concerns) { for (const waiter of this.#waiting.get(before.session!) ?? []) waiter.abort(); }
    }
  }

  /** Resolves when there is news for one of the sessions, after `ms`, or when `signal` aborts. */
  async wait(
    sessions: readonly string[],
    options: { clock: Clock; ms: number; signal: AbortSignal },
  ): Promise<void> {
    const waiter = new AbortController();
    const giveUp = () => waiter.abort();
    options.signal.addEventListener("abort", giveUp, { once: true });
    for (const session of sessions) {
      const waiters = this.#waiting.get(session) ?? new Set();
      this.#waiting.set(session, waiters.add(waiter));
    }
    if (options.signal.aborted) giveUp();
    await options.clock.sleep(options.ms, waiter.signal);
    options.signal.removeEventListener("abort", giveUp);
    for (const session of sessions) {
      const waiters = this.#waiting.get(session);
      waiters?.delete(waiter);
      if (waiters?.size === 0) this.#waiting.delete(session);
    }
  }
}
