/** The limits of a pool as people set them, and what the claimers hold, watched against them. */
import type { Api } from "../../src/client/api.ts";

export const POOL = "p";
/** What holds when nobody lowers it. Nobody raises it. */
export const POOL_LIMIT = 7;
export const QUEUES = [
  { name: "a", limit: 3 },
  { name: "b", limit: 1 },
  { name: "default", limit: null },
];

/** A pause counts as a limit of nothing. */
type Ceilings = Map<string, number>;

/** Who holds how much in the pool (under its own name) and in each queue may not rise above what is in force. */
export class Limits {
  readonly #api: Api;
  readonly #inForce: Ceilings;
  /** Odd while a change is under way: then nobody can tell which limits a commit found. */
  #epoch = 0;

  constructor(api: Api) {
    this.#api = api;
    this.#inForce = new Map(QUEUES.map(({ name, limit }) => [name, limit ?? Infinity]));
    this.#inForce.set(POOL, POOL_LIMIT);
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** What is in force since `epoch`; undefined when that has changed meanwhile. */
  since(epoch: number): ReadonlyMap<string, number> | undefined {
    return epoch === this.#epoch && epoch % 2 === 0 ? this.#inForce : undefined;
  }

  get isLowered(): boolean {
    return this.#inForce.get(POOL) !== POOL_LIMIT ||
      QUEUES.some(({ name, limit }) => this.#inForce.get(name) !== (limit ?? Infinity));
  }

  /** Of the pool, or of one of its queues. */
  async set(name: string, state: { is_paused: boolean; concurrency_limit: number | null }): Promise<void> {
    this.#epoch++;
    if (name === POOL) await this.#api.workPools.update(POOL, state);
    else await this.#api.workQueues.update(POOL, name, state);
    this.#inForce.set(name, state.is_paused ? 0 : state.concurrency_limit ?? Infinity);
    this.#epoch++;
  }

  async restore(): Promise<void> {
    await this.set(POOL, { is_paused: false, concurrency_limit: POOL_LIMIT });
    for (const { name, limit } of QUEUES) {
      await this.set(name, { is_paused: false, concurrency_limit: limit });
    }
  }
}

/**
 * What the claimers hold, as they know it. That is never more than what the server counted at the last of these
 * grants; so it is never above a limit that was in force from before that grant was asked for until it was answered.
 */
export class Held {
  readonly faults: string[] = [];
  /** Grants that were compared with limits below the usual ones. */
  underLowered = 0;
  readonly #limits: Limits;
  readonly #seen = new Set<string>();
  readonly #counts = new Map<string, number>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** @param epoch of the limits when the grant was asked for */
  take(run: { id: string; queue: string }, epoch: number): void {
    if (this.#seen.has(run.id)) this.faults.push(`${run.id} was handed out twice`);
    this.#seen.add(run.id);
    const inForce = this.#limits.since(epoch);
    if (inForce && this.#limits.isLowered) this.underLowered++;
    for (const place of [POOL, run.queue]) {
      const count = this.#add(place, 1);
      const limit = inForce?.get(place) ?? usual(place);
      if (count > limit) this.faults.push(`${count} held in ${place}, where ${limit} is the limit`);
    }
  }

  /** To be called before the end is reported. */
  giveBack(run: { queue: string }): void {
    for (const place of [POOL, run.queue]) this.#add(place, -1);
  }

  #add(place: string, change: number): number {
    const count = (this.#counts.get(place) ?? 0) + change;
    this.#counts.set(place, count);
    return count;
  }
}

/** The server's own counts: never above the usual limits, and above lowered ones only falling. */
export class Observed {
  readonly faults: string[] = [];
  readonly #limits: Limits;
  readonly #last = new Map<string, { epoch: number; count: number }>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** @param epoch of the limits when the count was asked for */
  see(place: string, count: number, epoch: number): void {
    if (count > usual(place)) this.faults.push(`the server says ${count} of ${usual(place)} in ${place}`);
    const limit = this.#limits.since(epoch)?.get(place);
    const last = this.#last.get(place);
    if (limit !== undefined && last?.epoch === epoch && count > Math.max(limit, last.count)) {
      this.faults.push(`the server's count rose from ${last.count} to ${count} in ${place}, limit ${limit}`);
    }
    this.#last.set(place, { epoch, count });
  }
}

function usual(place: string): number {
  if (place === POOL) return POOL_LIMIT;
  return QUEUES.find(({ name }) => name === place)?.limit ?? Infinity;
}
