import type { Api } from "../client/api.ts";
import { ApiError, UnreachableError } from "../client/http.ts";
import { isRetryable, withRetry } from "../client/retry.ts";
import type { Deps } from "../runtime/deps.ts";
import { LinkedSignal, whenAborted } from "./linked_signal.ts";

/** From which failed try in a row on the server counts as away: a single hiccup is not worth a line. */
const AWAY_AFTER_TRIES = 2;

/** The agent's way to the server: whatever is asked is asked again until it is answered. */
export class Connection {
  readonly api: Api;
  readonly #deps: Deps;
  #isAway = false;

  constructor(api: Api, deps: Deps) {
    this.api = api;
    this.#deps = deps;
  }

  /**
   * The answer to `ask`, however long the server is away; the absence and the return are said once each, however
   * many requests wait.
   *
   * @param ask makes the request; asked again, it makes the same one
   * @throws ApiError when the server refuses
   * @throws whatever `signal` was aborted with
   */
  async call<T>(ask: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    try {
      const answer = await withRetry(() => this.#askOnce(ask, signal), {
        ...this.#deps,
        signal,
        onRetry: (error, _delayMs, tries) => tries >= AWAY_AFTER_TRIES && this.#sayAway(error),
      });
      this.#sayBack();
      return answer;
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  }

  async #askOnce<T>(ask: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    try {
      return await abortable(ask, signal);
    } catch (error) {
      throw signal.aborted || isRetryable(error) || isRefusal(error) ? error : asAbsence(error);
    }
  }

  #sayAway(error: Error): void {
    if (this.#isAway) return;
    this.#isAway = true;
    this.#deps.log.warn(`Waiting for the server at ${this.api.http.url}. ${error.message}`);
  }

  #sayBack(): void {
    if (!this.#isAway) return;
    this.#isAway = false;
    this.#deps.log.info(`The server at ${this.api.http.url} is back.`);
  }
}

const isRefusal = (error: unknown): boolean => error instanceof ApiError && error.status < 500;

/** A fault of the server (5xx), or an answer that is not the API's (a proxy's page): as good as none. */
function asAbsence(cause: unknown): UnreachableError {
  return new UnreachableError(cause instanceof Error ? cause.message : String(cause), { cause });
}

/**
 * Ends when `parent` aborts, even if the request takes no signal. The request gets a signal of its own, since what
 * listens to a long-lived one would be kept for as long as that lives.
 */
async function abortable<T>(ask: (signal: AbortSignal) => Promise<T>, parent: AbortSignal): Promise<T> {
  parent.throwIfAborted();
  using own = new LinkedSignal(parent);
  const aborted = whenAborted(own.signal).then(() => Promise.reject(parent.reason));
  return await Promise.race([ask(own.signal), aborted]);
}
