/**
 * Order and time of a simulated world.
 *
 * Everything that happens in the world is done by actors (async functions) that act for a simulated process (`who`).
 * Before each step that others can notice, an actor waits at a point; when it waits for time, it sleeps. The driver,
 * {@link SimScheduler.run}, lets every actor run until it stands at a point or sleeps, then picks one of them by the
 * seeded generator and lets it go on, or moves the virtual clock to the next sleeper. Nothing else decides about
 * order or time, so a seed replays exactly, provided that the code in the world waits for nothing real: no timers, no
 * sockets, no `crypto.subtle`.
 */
import { setImmediate } from "node:timers/promises";
import type { Instant } from "../../src/schemas/records.ts";
import { SeededRandom } from "./seeded_random.ts";

export interface SimOptions {
  seed: number;
  /** The first instant, in microseconds. */
  start?: Instant;
  /** How often the clock jumps to the next sleeper although somebody could act: 0 to 1. */
  jumpChance?: number;
}

interface Parked {
  who: string;
  label: string;
  /** When it may go on. Points are ready at once. */
  at: Instant;
  resume: () => void;
}

/** Why {@link SimScheduler.run} ended: the condition held, nobody can act any more, or the steps were used up. */
export type SimEnd = "done" | "stuck" | "exhausted";

/** 2026-11-23T12:00:00Z. */
export const SIM_START: Instant = 1_795_435_200_000_000;

export class SimScheduler {
  /** Chooses who acts; also the world's source for faults and workloads. */
  readonly random: SeededRandom;
  /** What happened, a line a step: `<microseconds since the start> <who> <label>`. */
  readonly trace: string[] = [];
  readonly #start: Instant;
  readonly #jumpChance: number;
  readonly #dead = new Set<string>();
  #now: Instant;
  #parked: Parked[] = [];
  #failure: { error: unknown } | undefined;

  constructor(options: SimOptions) {
    this.random = new SeededRandom(options.seed);
    this.#start = this.#now = options.start ?? SIM_START;
    this.#jumpChance = options.jumpChance ?? 0.05;
  }

  /** The virtual time in microseconds. */
  now(): Instant {
    return this.#now;
  }

  /** Waits until the driver chooses this actor. Never resolves for a process that was killed. */
  point(who: string, label: string): Promise<void> {
    return new Promise((resolve) => this.#park({ who, label, at: this.#now, resume: resolve }));
  }

  /**
   * Waits `ms` milliseconds of virtual time, or until `signal` aborts. Never rejects. Never resolves for a process
   * that was killed.
   */
  sleep(who: string, ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    const micros = Math.max(0, Math.round(ms * 1000));
    return new Promise((resolve) => {
      const parked = { who, label: `slept ${ms} ms`, at: this.#now + micros, resume: () => wake() };
      const abort = () => {
        if (this.#dead.has(who)) return;
        this.#parked = this.#parked.filter((other) => other !== parked);
        wake();
      };
      const wake = () => {
        signal?.removeEventListener("abort", abort);
        resolve();
      };
      signal?.addEventListener("abort", abort);
      this.#park(parked);
    });
  }

  /** Starts an actor. What it throws ends {@link run}, unless its process is dead by then. */
  start(who: string, actor: () => Promise<unknown>): void {
    this.point(who, "starts").then(actor).catch((error) => {
      if (!this.#dead.has(who)) this.#failure ??= { error };
    });
  }

  /** Ends a simulated process: its actors stay where they are for ever. A name is not to be used again. */
  kill(who: string): void {
    this.#dead.add(who);
    this.#parked = this.#parked.filter((parked) => parked.who !== who);
    this.trace.push(`${this.#now - this.#start} ${who} is killed`);
  }

  /**
   * Runs the world until `until` holds (asked before each step), nobody can act, or `maxSteps` steps are done.
   * Throws what an actor of {@link start} threw.
   */
  async run(until: () => boolean, maxSteps: number): Promise<SimEnd> {
    for (let step = 0;; step++) {
      // When a macrotask gets its turn, no microtask is left: every actor stands at a point or sleeps.
      await setImmediate();
      if (this.#failure) throw this.#failure.error;
      if (until()) return "done";
      if (step === maxSteps) return "exhausted";
      const next = this.#choose();
      if (!next) return "stuck";
      this.#resume(next);
    }
  }

  #park(parked: Parked): void {
    if (!this.#dead.has(parked.who)) this.#parked.push(parked);
  }

  #choose(): Parked | undefined {
    const ready = this.#parked.filter((parked) => parked.at <= this.#now);
    const later = this.#parked.filter((parked) => parked.at > this.#now);
    const mayJump = later.length > 0 && (ready.length === 0 || this.random.chance(this.#jumpChance));
    if (mayJump) return later.reduce((first, other) => other.at < first.at ? other : first);
    return ready[this.random.int(ready.length)];
  }

  #resume(parked: Parked): void {
    this.#parked = this.#parked.filter((other) => other !== parked);
    this.#now = Math.max(this.#now, parked.at);
    this.trace.push(`${this.#now - this.#start} ${parked.who} ${parked.label}`);
    parked.resume();
  }
}
