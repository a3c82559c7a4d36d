/**
 * Who gets which run. Pure, and the only place of this decision: claims grant what it says, polls and previews show
 * what it says.
 *
 * Claims take turns, one run each. A turn walks the claim's queues by (priority, id), passes over queues that are
 * paused or full, and takes the earliest due run, by (time, id), of the first queue that has one.
 */
import type { Instant, QueueConfig, RunRecord } from "../schemas/records.ts";
import type { Gate } from "./gate.ts";

/** A place in the index of waiting runs. */
export interface WaitEntry {
  t: Instant;
  run: string;
}

/** The head of one queue, as far as it was read. `complete`: there is nothing behind the last entry. */
export interface QueueWindow {
  entries: readonly WaitEntry[];
  complete: boolean;
}

export interface ClaimRequest {
  /** Which queues it draws from. */
  allows(queue: QueueConfig): boolean;
  /** At most this many runs. */
  n: number;
  /** Runs with a time up to this instant count as due. */
  dueBefore: Instant;
  /** Runs before this instant are passed over; for polls only. */
  dueAfter?: Instant;
}

export interface ClaimInput {
  gate: Gate;
  /** Sorted by (priority, id). */
  queues: readonly QueueConfig[];
  /** By queue number; what is missing has not been read. */
  windows: ReadonlyMap<number, QueueWindow>;
  /** Records of waiting runs that were read. */
  runs: { get(id: string): RunRecord | undefined };
  claims: readonly ClaimRequest[];
  /** The plan ends after this many grants, though more could be granted. */
  most?: number;
}

/** One run for one claim, in the order of granting. `claim` is the index among the input's claims. */
export interface PlannedGrant {
  claim: number;
  entry: WaitEntry;
  queueNo: number;
  run: RunRecord;
}

/** What has to be read before the plan can go on. */
export interface Missing {
  queues: Set<number>;
  runs: Set<string>;
}

export interface ClaimPlan {
  grants: PlannedGrant[];
  /** Empty when the plan is whole. */
  missing: Missing;
  /** Microseconds until the next run becomes due for some claim; null when none is known to wait. */
  dueIn: number | null;
}

/** Changes `input.gate` by what it grants. */
export function planClaim(input: ClaimInput): ClaimPlan {
  const walk = new Walk(input);
  let turn = input.claims.map((request, index) => ({ request, index, left: request.n }))
    .filter(({ left }) => left > 0);
  while (turn.length > 0) {
    const next: typeof turn = [];
    for (const claim of turn) {
      if (walk.result.grants.length === input.most) return walk.result;
      const picked = walk.pick(claim.request);
      // Going on would let a later claim overtake with what has not been read yet.
      if (picked === "missing") return walk.result;
      if (picked === "none") continue;
      walk.result.grants.push({ claim: claim.index, ...picked });
      claim.left--;
      if (claim.left > 0) next.push(claim);
    }
    turn = next;
  }
  return walk.result;
}

class Walk {
  readonly result: ClaimPlan = {
    grants: [],
    missing: { queues: new Set(), runs: new Set() },
    dueIn: null,
  };
  readonly #input: ClaimInput;
  readonly #position = new Map<number, number>();
  /** Queues that may have something; with many empty queues a turn must not walk them all again. */
  readonly #queues: QueueConfig[];

  constructor(input: ClaimInput) {
    this.#input = input;
    this.#queues = input.queues.filter(({ no }) => {
      const window = input.windows.get(no);
      return !window || !window.complete || window.entries.length > 0;
    });
  }

  pick(claim: ClaimRequest): Omit<PlannedGrant, "claim"> | "none" | "missing" {
    const { gate } = this.#input;
    if (gate.blocked()) return "none";
    for (const queue of this.#queues) {
      if (!claim.allows(queue) || gate.blockedIn(queue)) continue;
      const entry = this.#head(queue.no, claim);
      if (entry === "missing") return "missing";
      if (entry === undefined) continue;
      const run = this.#input.runs.get(entry.run);
      if (!run) {
        this.result.missing.runs.add(entry.run);
        return "missing";
      }
      this.#position.set(queue.no, this.#positionOf(queue.no) + 1);
      gate.take(queue.no);
      return { entry, queueNo: queue.no, run };
    }
    return "none";
  }

  /** The queue's first entry that is due for the claim. */
  #head(queueNo: number, claim: ClaimRequest): WaitEntry | undefined | "missing" {
    const window = this.#input.windows.get(queueNo);
    let entry = window?.entries[this.#positionOf(queueNo)];
    while (entry && claim.dueAfter !== undefined && entry.t < claim.dueAfter) {
      this.#position.set(queueNo, this.#positionOf(queueNo) + 1);
      entry = window?.entries[this.#positionOf(queueNo)];
    }
    if (!entry) {
      if (window?.complete) return undefined;
      this.result.missing.queues.add(queueNo);
      return "missing";
    }
    if (entry.t <= claim.dueBefore) return entry;
    this.#noteDueIn(entry.t - claim.dueBefore);
    return undefined;
  }

  #positionOf(queueNo: number): number {
    return this.#position.get(queueNo) ?? 0;
  }

  #noteDueIn(micros: number): void {
    const { dueIn } = this.result;
    this.result.dueIn = dueIn === null ? micros : Math.min(dueIn, micros);
  }
}
