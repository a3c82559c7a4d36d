import { DomainError } from "../../errors.ts";
import type { Clock } from "../../runtime/clock.ts";

/** Reads of very many pages at a time in a process: each keeps a processor busy for a while. */
const AT_ONCE = 2;
/** More than so many do not wait for their turn. */
const MOST_WAITING = 20;
const LONGEST_WAIT_MS = 10_000;

/** Lets a few long reads go on at a time. */
export class Scans {
  readonly #clock: Clock;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws DomainError `busy` when the turn does not come in time */
  async begin(): Promise<Disposable> {
    if (this.#running >= AT_ONCE) await this.#turn();
    else this.#running++;
    let isOver = false;
    return {
      [Symbol.dispose]: () => {
        if (isOver) return;
        isOver = true;
        const next = this.#waiting.shift();
        if (next) next();
        else this.#running--;
      },
    };
  }

  async #turn(): Promise<void> {
    if (this.#waiting.length >= MOST_WAITING) throw busy();
    const come = new AbortController();
    const wake = () => come.abort();
    this.#waiting.push(wake);
    await this.#clock.sleep(LONGEST_WAIT_MS, come.signal);
    if (come.signal.aborted) return;
    this.#waiting.splice(this.#waiting.indexOf(wake), 1);
    throw busy();
  }
}

const busy = () =>
  new DomainError(
    "busy",
    "Several lists that need very many runs are being read already: narrow the filter, or try again in a moment.",
  );
