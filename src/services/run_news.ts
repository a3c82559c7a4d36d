import type { RunChange } from "./gate/batch.ts";

/** What sessions are told of while somebody listens. */
export interface NewsListener {
  /** Aborts at the first news. */
  readonly heard: AbortSignal;
  stop(): void;
}

/** Tells waiting heartbeats that something happened to one of their runs, so that a cancel takes no poll interval. */
export class RunNews {
  readonly #listening = new Map<string, Set<AbortController>>();

  /** Tells the sessions whose runs are being cancelled, were deleted, or were taken from them by somebody else. */
  notify(changes: readonly RunChange[]): void {
    for (const { before, after, byHolder } of changes) {
      if (before.session === null || byHolder) continue;
      const concerns = after?.session !== before.session || after.state.type === "CANCELLING";
      if (concerns) { for (const listener of this.#listening.get(before.session) ?? []) listener.abort(); }
    }
  }

  /**
   * Listens for news of the sessions. Listen first and look then: what happens in between would be missed otherwise.
   */
  listen(sessions: readonly string[]): NewsListener {
    const listener = new AbortController();
    for (const session of sessions) {
      const listeners = this.#listening.get(session) ?? new Set();
      this.#listening.set(session, listeners.add(listener));
    }
    return { heard: listener.signal, stop: () => this.#forget(sessions, listener) };
  }

  #forget(sessions: readonly string[], listener: AbortController): void {
    for (const session of sessions) {
      const listeners = this.#listening.get(session);
      listeners?.delete(listener);
      if (listeners?.size === 0) this.#listening.delete(session);
    }
  }
}
