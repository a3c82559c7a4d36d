import { setImmediate } from "node:timers/promises";
import type { Clock } from "../../src/runtime/clock.ts";
import type { Instant } from "../../src/schemas/records.ts";
import { SIM_START } from "./sim_scheduler.ts";

interface Sleeper {
  /** When it wakes, by the monotonic clock. */
  at: number;
  wake: () => void;
}

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  #wall: Instant;
  #monotonic = 0;
  #sleepers: Sleeper[] = [];
  #asleep: { count: number; resolve: () => void }[] = [];

  constructor(start: Instant = SIM_START) {
    this.#wall = start;
  }

  now(): Instant {
    return this.#wall;
  }
  monotonic(): number {
    return this.#monotonic;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        signal?.removeEventListener("abort", wake);
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        resolve();
      };
      const sleeper = { at: this.#monotonic + Math.max(0, ms), wake };
      signal?.addEventListener("abort", wake);
      this.#sleepers.push(sleeper);
      this.#tellAsleep();
    });
  }

  /**
   * Lets `ms` milliseconds pass: wakes who is due, one after the other in order, each at its own time, and those who
   * fall asleep meanwhile and become due. After each one, whatever needs no real waiting is done.
   */
  async advance(ms: number): Promise<void> {
    const target = this.#monotonic + ms;
    await setImmediate();
    for (let next = this.#nextBefore(target); next; next = this.#nextBefore(target)) {
      this.#move(next.at - this.#monotonic);
      next.wake();
      await setImmediate();
    }
    this.#move(target - this.#monotonic);
    await setImmediate();
  }

  /** Moves the wall clock alone, as an operator or NTP does; negative goes back. Sleepers do not notice. */
  jump(ms: number): void {
    this.#wall += Math.round(ms * 1000);
  }

  /** How many sleep now. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  /** Resolves as soon as at least `count` sleep. */
  untilAsleep(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#asleep.push({ count, resolve });
      this.#tellAsleep();
    });
  }

  #tellAsleep(): void {
    for (const { resolve } of this.#asleep.filter(({ count }) => count <= this.sleeping)) resolve();
    this.#asleep = this.#asleep.filter(({ count }) => count > this.sleeping);
  }

  #nextBefore(target: number): Sleeper | undefined {
    const due = this.#sleepers.filter(({ at }) => at <= target);
    return due.length === 0 ? undefined : due.reduce((first, other) => other.at < first.at ? other : first);
  }

  #move(ms: number): void {
    this.#monotonic += ms;
    this.#wall += Math.round(ms * 1000);
  }
}
