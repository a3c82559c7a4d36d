/**
 * The concurrency limit of a deployment as a working copy (docs/gate.md, "Deployment limits"). Its runs may wait in
 * several queues and pools; those that found no room are parked in *lanes*, one for each such queue.
 */
import type { CollisionStrategy, DeploymentLimitRecord } from "../schemas/records.ts";

export class DeploymentLimit {
  readonly limit: number | null;
  readonly strategy: CollisionStrategy;
  readonly isCounting: boolean;
  #occ: number;
  #lanes: [pool: string, queueNo: number][];
  #isChanged = false;

  constructor(record: DeploymentLimitRecord) {
    this.limit = record.limit;
    this.strategy = record.strategy;
    this.isCounting = record.counting === true;
    this.#occ = record.occ;
    this.#lanes = [...record.lanes];
  }

  /** Slots taken, over all pools. */
  get held(): number {
    return this.#occ;
  }
  /** Queues with parked runs. */
  get lanes(): readonly (readonly [pool: string, queueNo: number])[] {
    return this.#lanes;
  }
  get hasRoom(): boolean {
    return this.limit === null || this.#occ < this.limit;
  }
  /** Whether the record has to be written. */
  get isChanged(): boolean {
    return this.#isChanged;
  }

  take(): void {
    this.#occ++;
    this.#isChanged = true;
  }

  free(): void {
    this.#occ = Math.max(0, this.#occ - 1); // below zero only while it is being counted
    this.#isChanged = true;
  }

  addLane(pool: string, queueNo: number): void {
    if (this.#hasLane(pool, queueNo)) return;
    this.#lanes.push([pool, queueNo]);
    this.#isChanged = true;
  }

  dropLane(pool: string, queueNo: number): void {
    if (!this.#hasLane(pool, queueNo)) return;
    this.#lanes = this.#lanes.filter(([p, no]) => p !== pool || no !== queueNo);
    this.#isChanged = true;
  }

  #hasLane(pool: string, queueNo: number): boolean {
    return this.#lanes.some(([p, no]) => p === pool && no === queueNo);
  }

  toRecord(): DeploymentLimitRecord {
    return {
      limit: this.limit,
      strategy: this.strategy,
      occ: this.#occ,
      lanes: this.#lanes,
      ...(this.isCounting ? { counting: true } : {}),
    };
  }

  /** A copy that a plan may change. */
  copy(): DeploymentLimit {
    return new DeploymentLimit(this.toRecord());
  }
}
