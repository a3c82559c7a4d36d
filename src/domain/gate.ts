/** A pool's gate as a working copy: the counts that a batch of operations changes one after the other. */
import type { GateRecord, QueueConfig } from "../schemas/records.ts";

/** How many commits of a gate stay recognisable. */
const REMEMBERED_OPS = 8;
/** Largest count of taken slots of one queue: 16 bits in the record. */
const MOST_SLOTS = 65_535;

/** Why nothing of a queue (or of the whole pool) can start. */
export type Blocked =
  | { kind: "pool_paused" }
  | { kind: "pool_full"; limit: number; held: number }
  | { kind: "queue_paused" }
  | { kind: "queue_full"; limit: number; held: number }
  | { kind: "deployment_full"; limit: number; held: number };

export class Gate {
  paused: boolean;
  limit: number | null;
  cfg: number;
  #occ: number;
  readonly #held: Map<number, number>;
  /** Deployments whose lane may be drawn from, by queue. */
  readonly #open = new Map<number, Set<string>>();
  readonly #ops: Uint32Array;

  constructor(record: GateRecord) {
    this.paused = record.paused;
    this.limit = record.limit;
    this.cfg = record.cfg;
    this.#occ = record.occ;
    this.#held = new Map();
    for (let i = 0; i + 1 < record.q.length; i += 2) this.#held.set(record.q[i]!, record.q[i + 1]!);
    for (const [deployment, queueNo] of record.open ?? []) this.openLane(deployment, queueNo);
    this.#ops = record.ops;
  }

  static empty(options: { paused: boolean; limit: number | null }): GateRecord {
    return { ...options, occ: 0, q: new Uint16Array(), cfg: 0, ops: new Uint32Array() };
  }

  /** Slots taken in the pool. */
  get held(): number {
    return this.#occ;
  }
  /** Slots taken in a queue. */
  heldIn(queueNo: number): number {
    return this.#held.get(queueNo) ?? 0;
  }

  /** Why nothing at all can start, or undefined. */
  blocked(): Blocked | undefined {
    if (this.paused) return { kind: "pool_paused" };
    if (this.limit !== null && this.#occ >= this.limit) {
      return { kind: "pool_full", limit: this.limit, held: this.#occ };
    }
    return undefined;
  }

  /** Why nothing of this queue can start, the pool aside, or undefined. */
  blockedIn(queue: QueueConfig): Blocked | undefined {
    if (queue.paused || queue.closing) return { kind: "queue_paused" };
    const held = this.heldIn(queue.no);
    const limit = queue.limit ?? MOST_SLOTS;
    return held >= limit ? { kind: "queue_full", limit, held } : undefined;
  }

  /** Deployments whose parked runs in this queue may be drawn from. */
  openLanes(queueNo: number): string[] {
    return [...this.#open.get(queueNo) ?? []];
  }

  openLane(deployment: string, queueNo: number): void {
    const open = this.#open.get(queueNo) ?? new Set();
    this.#open.set(queueNo, open.add(deployment));
  }

  closeLane(deployment: string, queueNo: number): void {
    this.#open.get(queueNo)?.delete(deployment);
  }

  take(queueNo: number): void {
    this.#occ++;
    this.#held.set(queueNo, this.heldIn(queueNo) + 1);
  }

  free(queueNo: number): void {
    this.#occ--;
    const left = this.heldIn(queueNo) - 1;
    if (left > 0) this.#held.set(queueNo, left);
    else this.#held.delete(queueNo);
  }

  /** The record to write, with the id of the commit that writes it. */
  toRecord(op: number): GateRecord {
    const open = [...this.#open].flatMap(([no, deployments]) =>
      [...deployments].map((one): [string, number] => [one, no])
    );
    const pairs = [...this.#held].sort(([a], [b]) => a - b).flat();
    return {
      paused: this.paused,
      limit: this.limit,
      occ: this.#occ,
      q: Uint16Array.from(pairs),
      cfg: this.cfg,
      ...(open.length > 0 ? { open } : {}),
      ops: Uint32Array.from([...this.#ops, op].slice(-REMEMBERED_OPS)),
    };
  }

  copy(): Gate {
    return new Gate(this.toRecord(0));
  }
}

/**
 * Whether a commit was applied, judged from the gate read afterwards: true or false when the remembered ids tell,
 * undefined when too many commits lie between.
 */
export function wasApplied(op: number, before: GateRecord, now: GateRecord | null): boolean | undefined {
  if (!now) return false;
  if (now.ops.includes(op)) return true;
  const last = before.ops.at(-1);
  // The first commits of a gate: all of them are still remembered.
  if (last === undefined) return now.ops.length < REMEMBERED_OPS ? false : undefined;
  return now.ops.includes(last) ? false : undefined;
}

/** What a refusal says: which limit, and what can be done. */
export function blockedReason(
  blocked: Blocked,
  names: { pool: string; queue: string; deployment: string },
): string {
  switch (blocked.kind) {
    case "pool_paused":
      return `Work pool '${names.pool}' is paused.`;
    case "pool_full":
      return `Work pool '${names.pool}' is full: ${blocked.held} of ${blocked.limit} slots are taken.`;
    case "queue_paused":
      return `Work queue '${names.queue}' of work pool '${names.pool}' is paused.`;
    case "queue_full":
      return `Work queue '${names.queue}' of work pool '${names.pool}' is full: ` +
        `${blocked.held} of ${blocked.limit} slots are taken.`;
    case "deployment_full":
      return `Deployment '${names.deployment}' has as many runs as it may have: ` +
        `${blocked.held} of ${blocked.limit}.`;
  }
}
