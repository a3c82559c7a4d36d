import type { Grant } from "./grant.ts";
import type { EndReason } from "./outcome.ts";

/**
 * One run that this agent holds, from the grant until its last report was answered. Others end it through here; what
 * executes it listens to {@link ending} and {@link abandoned}.
 */
export class HeldRun {
  readonly grant: Grant;
  /** Resolves when the run is no longer held. Never rejects. */
  readonly done: Promise<void>;
  /** Whether the start was proposed: from then on a process may exist. */
  isStarting = false;
  #reason: EndReason | undefined;
  readonly #ending = new AbortController();
  readonly #abandoned = new AbortController();

  /** @param execute carries the run to its end; must not reject */
  constructor(grant: Grant, execute: (run: HeldRun) => Promise<void>) {
    this.grant = grant;
    this.done = execute(this);
  }

  /** Aborts when the run is to end before it ends by itself; {@link reason} says why. */
  get ending(): AbortSignal {
    return this.#ending.signal;
  }

  /** Aborts when nothing about the run is to be reported any more. */
  get abandoned(): AbortSignal {
    return this.#abandoned.signal;
  }

  get reason(): EndReason | undefined {
    return this.#reason;
  }

  /** For the log: `Run 'brave-otter' of etl/nightly`. */
  get title(): string {
    const { runName, deployment } = this.grant;
    return `Run '${runName}'${deployment === undefined ? "" : ` of ${deployment}`}`;
  }

  /** Ends the run. The first reason stands, except that "forget" replaces any other. */
  end(reason: EndReason): void {
    if (reason === "forget") this.#abandoned.abort();
    if (reason === "forget" || this.#reason === undefined) this.#reason = reason;
    this.#ending.abort();
  }
}
