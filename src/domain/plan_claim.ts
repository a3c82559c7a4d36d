/**
 * Who gets which run. Pure, and the only place of this decision: claims grant what it says, polls and previews show
 * what it says.
 *
 * Claims take turns, one run each. A turn walks the claim's queues by (priority, id), passes over queues that are
 * paused or full, and takes the earliest due run, by (time, id), of the first queue that has one: from the index, or
 * from the open lanes of deployments that have a limit. A run whose deployment has no room is parked in its lane on
 * the way, so that it never blocks those behind it and is looked at once only.
 */
import type { Instant, QueueConfig, RunRecord } from "../schemas/records.ts";
import type { DeploymentLimit } from "./deployment_limit.ts";
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
  /** Heads of open lanes, by {@link laneName}; what is missing has not been read. */
  lanes: ReadonlyMap<string, QueueWindow>;
  /** Records of waiting runs that were read. */
  runs: { get(id: string): RunRecord | undefined };
  /** Limits of deployments: null for one without, undefined for what was not read. */
  limits: { get(deployment: string): DeploymentLimit | null | undefined };
  claims: readonly ClaimRequest[];
  /** The plan stops when its steps come to this many mutations, though more could be done. */
  mostMutations?: number;
  /** The plan stops before it touches more deployments with a limit than these. */
  mostLimits?: number;
}

/** One run for one claim, in the order of granting. `claim` is the index among the input's claims. */
export interface PlannedGrant {
  claim: number;
  entry: WaitEntry;
  queueNo: number;
  run: RunRecord;
  /** Whether it comes out of its deployment's lane. */
  isParked: boolean;
}

/** A run whose deployment has no room: it goes from the index into its lane, or is cancelled if the limit says so. */
export interface PlannedParking {
  entry: WaitEntry;
  queueNo: number;
  run: RunRecord;
  limit: DeploymentLimit;
}

/** A lane that nothing can be drawn from any more; `isEmpty`: nothing is in it. */
export interface ClosedLane {
  deployment: string;
  queueNo: number;
  isEmpty: boolean;
}

/** What has to be read before the plan can go on. */
export interface Missing {
  queues: Set<number>;
  runs: Set<string>;
  limits: Set<string>;
  lanes: Set<ClosedLane>;
}

export interface ClaimPlan {
  grants: PlannedGrant[];
  parked: PlannedParking[];
  closed: ClosedLane[];
  /** Whether it ended at a bound: go on after these steps are committed. */
  isStopped: boolean;
  /** Empty when the plan is whole. */
  missing: Missing;
  /** Microseconds until the next run becomes due for some claim; null when none is known to wait. */
  dueIn: number | null;
}

/** What one step adds to a commit: a grant takes a place away and brings lease, run and history; parking moves a place. */
const MUTATIONS_OF_GRANT = 4;
const MUTATIONS_OF_PARKING = 2;

export const laneName = (queueNo: number, deployment: string): string => `${queueNo}/${deployment}`;

/** Changes `input.gate` and `input.limits` by what it grants. */
export function planClaim(input: ClaimInput): ClaimPlan {
  const walk = new Walk(input);
  let turn = input.claims.map((request, index) => ({ request, index, left: request.n }))
    .filter(({ left }) => left > 0);
  while (turn.length > 0) {
    const next: typeof turn = [];
    for (const claim of turn) {
      const picked = walk.pick(claim.request);
      // Going on would let a later claim overtake with what has not been read, or not been parked yet.
      if (picked === "missing" || picked === "stopped") return walk.result;
      if (picked === "none") continue;
      walk.result.grants.push({ claim: claim.index, ...picked });
      claim.left--;
      if (claim.left > 0) next.push(claim);
    }
    turn = next;
  }
  return walk.result;
}

type Picked = Omit<PlannedGrant, "claim">;
/** The head of the index or of a lane. `deployment`: the lane's. */
interface Head {
  entry: WaitEntry;
  deployment: string | undefined;
}

class Walk {
  readonly result: ClaimPlan = {
    grants: [],
    parked: [],
    closed: [],
    isStopped: false,
    missing: { queues: new Set(), runs: new Set(), limits: new Set(), lanes: new Set() },
    dueIn: null,
  };
  readonly #input: ClaimInput;
  /** How far the index and the lanes were walked, by queue number or {@link laneName}. */
  readonly #position = new Map<number | string, number>();
  readonly #touchedLimits = new Set<string>();
  /** Queues that may have something; with many empty queues a turn must not walk them all again. */
  readonly #queues: QueueConfig[];

  constructor(input: ClaimInput) {
    this.#input = input;
    this.#queues = input.queues.filter(({ no }) => {
      const window = input.windows.get(no);
      return !window || !window.complete || window.entries.length > 0 || input.gate.openLanes(no).length > 0;
    });
  }

  pick(claim: ClaimRequest): Picked | "none" | "missing" | "stopped" {
    const { gate } = this.#input;
    for (const queue of this.#queues) {
      if (gate.blocked()) return "none";
      if (!claim.allows(queue) || gate.blockedIn(queue)) continue;
      const picked = this.#pickFrom(queue.no, claim);
      if (picked !== "none") return picked;
    }
    return "none";
  }

  #pickFrom(queueNo: number, claim: ClaimRequest): Picked | "none" | "missing" | "stopped" {
    for (;;) {
      const head = this.#head(queueNo, claim);
      if (head === "missing" || head === "none") return head;
      if (this.#isOverBudget()) return this.#stop();
      const { entry } = head;
      const run = this.#input.runs.get(entry.run);
      if (!run) return this.#miss(() => this.result.missing.runs.add(entry.run));
      const limit = run.deployment === null ? null : this.#input.limits.get(run.deployment);
      if (limit === undefined) return this.#miss(() => this.result.missing.limits.add(run.deployment!));
      if (limit && !this.#mayTouch(run.deployment!)) return this.#stop();
      this.#step(head.deployment === undefined ? queueNo : laneName(queueNo, head.deployment));
      if (limit && !limit.hasRoom) {
        if (head.deployment === undefined) this.#park(queueNo, entry, run, limit);
        continue; // its lane is closed by the next look
      }
      limit?.take();
      this.#input.gate.take(queueNo);
      return { entry, queueNo, run, isParked: head.deployment !== undefined };
    }
  }

  #park(queueNo: number, entry: WaitEntry, run: RunRecord, limit: DeploymentLimit): void {
    if (limit.strategy === "ENQUEUE") this.#input.gate.closeLane(run.deployment!, queueNo);
    this.result.parked.push({ entry, queueNo, run, limit });
  }

  /** The earliest due run of the queue, in the index or in an open lane. */
  #head(queueNo: number, claim: ClaimRequest): Head | "none" | "missing" {
    const heads: Head[] = [];
    const entry = this.#due(queueNo, this.#input.windows.get(queueNo), claim);
    if (entry === "missing") return this.#miss(() => this.result.missing.queues.add(queueNo));
    if (entry) heads.push({ entry, deployment: undefined });
    for (const deployment of this.#input.gate.openLanes(queueNo)) {
      const head = this.#laneHead(queueNo, deployment, claim);
      if (head === "missing") return head;
      if (head) heads.push({ entry: head, deployment });
    }
    return heads.toSorted((a, b) => compareEntries(a.entry, b.entry))[0] ?? "none";
  }

  #laneHead(queueNo: number, deployment: string, claim: ClaimRequest): WaitEntry | undefined | "missing" {
    const limit = this.#input.limits.get(deployment);
    if (limit === undefined) return this.#miss(() => this.result.missing.limits.add(deployment));
    if (limit && !limit.hasRoom) {
      this.#closeLane({ deployment, queueNo, isEmpty: false });
      return undefined;
    }
    const name = laneName(queueNo, deployment);
    const lane = this.#input.lanes.get(name);
    const head = this.#due(name, lane, claim);
    if (head === "missing") {
      return this.#miss(() => this.result.missing.lanes.add({ deployment, queueNo, isEmpty: false }));
    }
    const isEmpty = lane?.complete === true && this.#positionOf(name) >= lane.entries.length;
    if (isEmpty && (!limit || this.#mayTouch(deployment))) this.#closeLane({ deployment, queueNo, isEmpty });
    return head;
  }

  #closeLane(lane: ClosedLane): void {
    this.#input.gate.closeLane(lane.deployment, lane.queueNo);
    this.result.closed.push(lane);
  }

  /** The first entry from the present position on that is due for the claim. */
  #due(
    at: number | string,
    window: QueueWindow | undefined,
    claim: ClaimRequest,
  ): WaitEntry | undefined | "missing" {
    let entry = window?.entries[this.#positionOf(at)];
    while (entry && claim.dueAfter !== undefined && entry.t < claim.dueAfter) {
      this.#step(at);
      entry = window?.entries[this.#positionOf(at)];
    }
    if (!entry) return window?.complete ? undefined : "missing";
    if (entry.t <= claim.dueBefore) return entry;
    this.#noteDueIn(entry.t - claim.dueBefore);
    return undefined;
  }

  #miss(note: () => void): "missing" {
    note();
    return "missing";
  }

  #stop(): "stopped" {
    this.result.isStopped = true;
    return "stopped";
  }

  #isOverBudget(): boolean {
    const { grants, parked } = this.result;
    const planned = grants.length * MUTATIONS_OF_GRANT + parked.length * MUTATIONS_OF_PARKING;
    return planned >= (this.#input.mostMutations ?? Infinity);
  }

  #mayTouch(deployment: string): boolean {
    if (this.#touchedLimits.has(deployment)) return true;
    if (this.#touchedLimits.size >= (this.#input.mostLimits ?? Infinity)) return false;
    this.#touchedLimits.add(deployment);
    return true;
  }

  #step(at: number | string): void {
    this.#position.set(at, this.#positionOf(at) + 1);
  }

  #positionOf(at: number | string): number {
    return this.#position.get(at) ?? 0;
  }

  #noteDueIn(micros: number): void {
    const { dueIn } = this.result;
    this.result.dueIn = dueIn === null ? micros : Math.min(dueIn, micros);
  }
}

const compareEntries = (a: WaitEntry, b: WaitEntry): number => a.t - b.t || (a.run < b.run ? -1 : 1);
