import type { ServerDeps } from "../runtime/deps.ts";
import { type Loop, LoopCounter } from "./loop.ts";

/** Drives a loop by this process' clock, until the server stops. */
export class InProcessDriver {
  readonly counter = new LoopCounter();
  readonly #deps: Pick<ServerDeps, "clock" | "log" | "shutdown">;
  readonly #loop: Loop;
  #sleep = new AbortController();
  #isPoked = false;

  constructor(deps: Pick<ServerDeps, "clock" | "log" | "shutdown">, loop: Loop) {
    this.#deps = deps;
    this.#loop = loop;
  }

  /** There is something to do: the next round begins at once. */
  poke(): void {
    this.#isPoked = true;
    this.#sleep.abort();
  }

  /** Resolves when the server stops and the round under way has ended. Never rejects. */
  async run(): Promise<void> {
    const { clock, shutdown } = this.#deps;
    const wake = () => this.#sleep.abort();
    shutdown.addEventListener("abort", wake);
    while (!shutdown.aborted) {
      this.#isPoked = false;
      const isMore = await this.#round();
      if (isMore || this.#isPoked || shutdown.aborted) continue;
      this.#sleep = new AbortController();
      await clock.sleep(this.#loop.everyMs, this.#sleep.signal);
    }
    shutdown.removeEventListener("abort", wake);
  }

  /** Whether there is more to do at once. After an error there is not: what it was may take a while. */
  async #round(): Promise<boolean> {
    const { clock, log, shutdown } = this.#deps;
    try {
      const { done, isMore } = await this.#loop.runOnce(clock.now());
      this.counter.add(done);
      const counts = Object.entries(done).filter(([, count]) => count > 0);
      if (counts.length > 0) log.debug(`The scheduler did something.`, { loop: this.#loop.name, ...done });
      return isMore;
    } catch (error) {
      this.counter.failures++;
      if (!shutdown.aborted) log.warn("A round of the scheduler failed.", { loop: this.#loop.name, error });
      return false;
    }
  }
}
