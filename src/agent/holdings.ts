import type { HeldRun } from "./held_run.ts";

/** A claim under way: room for `runs` runs is kept free for its answer. */
export interface Asking {
  runs: number;
  /** Other pools wait for the same room, so this claim should not hold it for long. */
  isCrowded: boolean;
}

/** Runs that one claim asks for, at most. */
const LARGEST_CLAIM = 10;

/**
 * What this agent holds: each run from its grant until its last report was answered. How many more it may take is
 * always counted from these sets, never kept as a number that could drift.
 */
export class Holdings {
  readonly #limit: number;
  readonly #pools: number;
  readonly #runs = new Set<HeldRun>();
  readonly #asking = new Set<Asking>();
  /** Pools that wait for room, first come first. */
  #waiting: ((asking: Asking) => void)[] = [];

  /**
   * @param limit undefined for none
   * @param pools how many pools share the room
   */
  constructor(limit: number | undefined, pools: number) {
    this.#limit = limit ?? Infinity;
    this.#pools = pools;
  }

  /** In the order of their grants. */
  get runs(): readonly HeldRun[] {
    return [...this.#runs];
  }

  /**
   * Room for a claim, once there is some; undefined when `signal` aborts first. Every pool gets its turn and about
   * its share of the room. Give it back by {@link answered}.
   */
  ask(signal: AbortSignal): Promise<Asking | undefined> {
    if (signal.aborted) return Promise.resolve(undefined);
    if (this.#waiting.length === 0 && this.#room() >= 1) return Promise.resolve(this.#open());
    const { promise, resolve } = Promise.withResolvers<Asking | undefined>();
    const onAbort = () => {
      this.#waiting = this.#waiting.filter((waiter) => waiter !== take);
      resolve(undefined);
    };
    const take = (asking: Asking) => {
      signal.removeEventListener("abort", onAbort);
      resolve(asking);
    };
    this.#waiting.push(take);
    signal.addEventListener("abort", onAbort, { once: true });
    return promise;
  }

  /** The claim was answered by these runs, all of which are held from now on. */
  answered(asking: Asking, runs: readonly HeldRun[]): void {
    this.#asking.delete(asking);
    for (const run of runs) {
      this.#runs.add(run);
      void run.done.then(() => this.#drop(run));
    }
    this.#serve();
  }

  #drop(run: HeldRun): void {
    this.#runs.delete(run);
    this.#serve();
  }

  #room(): number {
    let asked = 0;
    for (const { runs } of this.#asking) asked += runs;
    return this.#limit - this.#runs.size - asked;
  }

  #open(): Asking {
    const room = this.#room();
    const share = Math.floor(room / (this.#pools - this.#asking.size));
    const runs = Math.min(Math.max(share, 1), LARGEST_CLAIM);
    const asking = { runs, isCrowded: room - runs < 1 && this.#asking.size + 1 < this.#pools };
    this.#asking.add(asking);
    return asking;
  }

  /** The room is taken here, not when the waiter wakes up: in between somebody else could take it too. */
  #serve(): void {
    while (this.#waiting.length > 0 && this.#room() >= 1) this.#waiting.shift()?.(this.#open());
  }
}
