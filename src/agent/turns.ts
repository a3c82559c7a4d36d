/** At most so many pieces of work at once, first come first. */
export class Turns {
  #free: number;
  #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#free = most;
  }

  /** Does the work when it is its turn; undefined when `signal` aborts before. */
  async take<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    if (!await this.#come(signal)) return undefined;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }

  #come(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const leave = () => {
        this.#waiting = this.#waiting.filter((waiter) => waiter !== come);
        resolve(false);
      };
      const come = () => {
        signal.removeEventListener("abort", leave);
        resolve(true);
      };
      this.#waiting.push(come);
      signal.addEventListener("abort", leave, { once: true });
    });
  }
}
