/** Charts from rows: how many runs of each state lie in each interval, and how late runs are. */
import { type Instant, STATE_TYPES, type StateType } from "../schemas/records.ts";
import type { RunRow } from "../schemas/run_row.ts";
import { estimatedRunTime, lateness } from "./run_row.ts";

/** What charts and sums need of a run. */
export type Figures = Pick<
  RunRow,
  "flow" | "deployment" | "type" | "stateName" | "expected" | "start" | "runningSince" | "totalRunTime"
>;

export interface HistoryState {
  type: StateType;
  name: string;
  runs: number;
  /** Seconds. */
  runTime: number;
  /** Seconds. */
  lateness: number;
}

export interface HistoryBar {
  start: Instant;
  end: Instant;
  states: HistoryState[];
}

/** Most bars of one history: later ones are left out, as the reference does. */
export const MOST_BARS = 500;

/** Intervals of equal length from `start` until `end` is reached; runs are counted by their expected time. */
export class RunHistory {
  readonly #start: Instant;
  readonly #interval: number;
  readonly #bars: Map<string, HistoryState>[];
  readonly #now: Instant;

  /** `interval` in microseconds, above zero. */
  constructor(period: { start: Instant; end: Instant; interval: number; now: Instant }) {
    const { start, end, interval, now } = period;
    const bars = Math.min(MOST_BARS, Math.max(0, Math.ceil((end - start) / interval)));
    this.#start = start;
    this.#interval = interval;
    this.#now = now;
    this.#bars = Array.from({ length: bars }, () => new Map());
  }

  /** First time that no bar has. */
  get end(): Instant {
    return this.#start + this.#bars.length * this.#interval;
  }

  add(run: Figures): void {
    if (run.expected === null || run.expected < this.#start || run.expected >= this.end) return;
    const states = this.#bars[Math.floor((run.expected - this.#start) / this.#interval)];
    if (!states) return;
    const key = `${run.type} ${run.stateName}`;
    let state = states.get(key);
    if (!state) {
      state = { type: run.type, name: run.stateName, runs: 0, runTime: 0, lateness: 0 };
      states.set(key, state);
    }
    state.runs++;
    state.runTime += estimatedRunTime(run, this.#now);
    state.lateness += lateness(run, this.#now);
  }

  /** States in order of type and name. */
  bars(): HistoryBar[] {
    return this.#bars.map((states, i) => ({
      start: this.#start + i * this.#interval,
      end: this.#start + (i + 1) * this.#interval,
      states: [...states.values()].sort((a, b) =>
        STATE_TYPES.indexOf(a.type) - STATE_TYPES.indexOf(b.type) || (a.name < b.name ? -1 : 1)
      ),
    }));
  }
}

/** Adds up how late runs are. */
export class Lateness {
  readonly #now: Instant;
  #runs = 0;
  #seconds = 0;

  constructor(now: Instant) {
    this.#now = now;
  }

  add(run: Figures): void {
    this.#runs++;
    this.#seconds += lateness(run, this.#now);
  }

  /** Seconds; null without a run. */
  average(): number | null {
    return this.#runs === 0 ? null : this.#seconds / this.#runs;
  }
}
