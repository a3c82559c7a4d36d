import { Gate } from "../../domain/gate.ts";
import {
  type ClaimPlan,
  type ClosedLane,
  laneName,
  type PlannedParking,
  type QueueWindow,
  type WaitEntry,
} from "../../domain/plan_claim.ts";
import { placeOf } from "../../domain/run_state.ts";
import { Commit } from "../../kv/commit.ts";
import {
  gateConfigKey,
  laneKey,
  leaseKey,
  queueKey,
  runDocKey,
  runStateKey,
  waitKey,
} from "../../kv/keys.ts";
import { pointAt } from "../../kv/large_text.ts";
import type {
  LargeText,
  LeaseRecord,
  QueueConfig,
  RunDoc,
  RunRecord,
  WorkQueueRecord,
} from "../../schemas/records.ts";
import { type Entry, get } from "../../kv/read.ts";
import { Limits } from "./limits.ts";
import { chunkOf, indexQueues, type PoolCache, type PoolQueues } from "./pool_cache.ts";

/** Run, history, lease and index entry with their keys, about, without what clients said. */
const BYTES_OF_CHANGE = 2_500;
const BYTES_OF_CHARACTER = 2;
/** One queue in a chunk of the configuration. */
const BYTES_OF_CONFIG = 100;
/** Two keys, about. */
const BYTES_OF_PARKING = 400;

interface ChangeOptions {
  lease?: Partial<LeaseRecord>;
  data?: LargeText | null;
  byHolder?: boolean;
  /** Where a waiting run stands, if that is known: in the index, or in its deployment's lane. */
  from?: "wait" | "lane";
}

/** One change of a run that the batch commits. */
export interface RunChange {
  before: RunRecord;
  after: RunRecord | null;
  /** Whether the holder of the run said so itself, by its token. */
  byHolder: boolean;
}

/**
 * The one overlay on which a batch of operations is decided, one by one, and the commit that grows with it. Places,
 * leases and counts of a run follow from the run itself: {@link change} is the only way to alter one.
 */
export class Batch {
  readonly cache: PoolCache;
  readonly gate: Gate;
  readonly limits: Limits;
  readonly commit = new Commit();
  readonly changes: RunChange[] = [];
  /** Runs that went into their deployment's lane. */
  readonly parked: { queueNo: number; run: string }[] = [];
  /** Queues whose waiting runs changed other than by a grant. */
  readonly changedQueues = new Set<number>();
  /** Estimate of what the commit weighs. */
  bytes = 0;
  /** Whether something of this pool may have become startable for others. */
  rings = false;
  /** Lanes into which runs were parked: what was read of them is not true any more. */
  readonly filledLanes = new Set<string>();
  /** Whether the gate is written although nothing else is. */
  rewritesGate = false;
  /** Whether the pool ends with this batch. */
  closesGate = false;
  readonly #kv: Deno.Kv;
  readonly #runs = new Map<string, RunRecord | null>();
  /** Queues whose waiting runs were changed. */
  readonly #leftQueues = new Set<number>();
  #queues: PoolQueues;

  private constructor(kv: Deno.Kv, cache: PoolCache, queues: PoolQueues) {
    this.#kv = kv;
    this.cache = cache;
    this.gate = new Gate(cache.gate.value);
    this.limits = new Limits(kv, cache.pool, this.gate);
    this.#queues = queues;
  }

  static async begin(kv: Deno.Kv, cache: PoolCache): Promise<Batch> {
    return new Batch(kv, cache, await cache.queues());
  }

  get pool(): string {
    return this.cache.pool;
  }
  get queues(): PoolQueues {
    return this.#queues;
  }
  /** Other pools in which something may have become startable. */
  get ringsIn(): Set<string> {
    return this.limits.ringsIn;
  }
  /** Whether there is anything to commit. */
  get isEmpty(): boolean {
    return this.commit.isEmpty && this.limits.checks === 0 && !this.rewritesGate;
  }
  /** Checks of the commit, but for the gate's own. */
  get checks(): number {
    return this.commit.checks + this.limits.checks;
  }

  /** The run as this batch leaves it; null when it is not there. */
  async run(id: string): Promise<RunRecord | null> {
    const changed = this.#runs.get(id);
    return changed === undefined ? await this.cache.run(id) : changed;
  }

  /** The run as this batch leaves it, if it was read. */
  known(id: string): RunRecord | undefined {
    const changed = this.#runs.get(id);
    return changed === undefined ? this.cache.runs.get(id) : changed ?? undefined;
  }

  /** What was read of the queues, without the runs that this batch took from their place there. */
  windows(): ReadonlyMap<number, QueueWindow> {
    const windows = new Map<number, QueueWindow>(this.cache.windows);
    for (const queueNo of this.#leftQueues) {
      const window = windows.get(queueNo);
      if (window) windows.set(queueNo, this.#without(queueNo, window));
    }
    return windows;
  }

  /** The same of the lanes. */
  lanes(): ReadonlyMap<string, QueueWindow> {
    if (this.#leftQueues.size === 0) return this.cache.lanes;
    return new Map([...this.cache.lanes].map(([name, lane]) => [name, this.#without(parseInt(name), lane)]));
  }

  #without(queueNo: number, { entries, complete }: QueueWindow): QueueWindow {
    return { entries: entries.filter((entry) => this.#isStillAt(queueNo, entry)), complete };
  }

  #isStillAt(queueNo: number, { t, run }: WaitEntry): boolean {
    const changed = this.#runs.get(run);
    if (changed === undefined) return true;
    return changed !== null && placeOf(changed) === "wait" && changed.pool === this.pool &&
      changed.queueNo === queueNo && changed.t === t;
  }

  async doc(id: string): Promise<RunDoc | null> {
    return (await get(this.#kv, runDocKey(id))).value;
  }

  /** The queue's record, which says whether it takes runs. */
  async queue(id: string): Promise<Entry<WorkQueueRecord>> {
    return await get(this.#kv, queueKey(id));
  }

  /** Writes or deletes a run, together with its place, its lease, the counts and its history. */
  change(
    before: RunRecord,
    after: RunRecord | null,
    options: ChangeOptions = {},
  ): void {
    this.#leave(before, after, options.from);
    if (after) this.#arrive(before, after, options.lease ?? {});
    if (after && after.state.id !== before.state.id) {
      this.commit.set(runStateKey(after.id, after.state.timestamp), {
        ...after.state,
        data: options.data ?? null,
      });
      pointAt(this.commit, options.data);
    }
    this.commit.writeRun(before, after);
    this.bytes += BYTES_OF_CHANGE + (after ? BYTES_OF_CHARACTER * charactersOf(after, options.data) : 0);
    this.#runs.set(before.id, after);
    this.changes.push({ before, after, byHolder: options.byHolder ?? false });
  }

  /**
   * Replaces the queue configuration, and the names where they change. Only chunks with another content are written: a
   * queue that stays as it was has to be the same object. A batch has at most one configuring operation.
   */
  setQueues(configs: readonly QueueConfig[], names = this.#queues.names): void {
    const { byNo } = this.#queues;
    const before = Map.groupBy(byNo.values(), ({ no }) => chunkOf(no));
    const after = Map.groupBy(configs, ({ no }) => chunkOf(no));
    for (const no of new Set([...before.keys(), ...after.keys()])) {
      const queues = after.get(no) ?? [];
      const isSame = queues.length === before.get(no)?.length &&
        queues.every((queue) => byNo.get(queue.no) === queue);
      if (isSame) continue;
      const key = gateConfigKey(this.pool, no);
      if (queues.length > 0) this.commit.set(key, queues);
      else this.commit.delete(key);
      this.bytes += queues.length * BYTES_OF_CONFIG;
    }
    this.gate.cfg++;
    this.#queues = { ...indexQueues(configs, this.gate.cfg), names };
    this.rings = true;
  }

  #leave(before: RunRecord, after: RunRecord | null, from: ChangeOptions["from"]): void {
    const place = placeOf(before);
    if (place === "wait" && !(after && isSameWait(before, after))) {
      this.#leaveQueue(before, from);
      this.#leftQueues.add(before.queueNo);
      if (!after || placeOf(after) !== "lease") this.changedQueues.add(before.queueNo);
    }
    if (place === "lease" && before.session !== after?.session) {
      this.commit.delete(leaseKey(this.pool, before.session!, before.id));
      this.gate.free(before.queueNo);
      this.limits.free(before.deployment);
      this.rings = true;
    }
  }

  /** A waiting run whose deployment has a limit stands in the index or in a lane: the record does not say where. */
  #leaveQueue({ queueNo, t, id, deployment }: RunRecord, from: ChangeOptions["from"]): void {
    if (from !== "lane") this.commit.delete(waitKey(this.pool, queueNo, t, id));
    const mayBeParked = deployment !== null && this.limits.get(deployment) !== null;
    if (from !== "wait" && mayBeParked) this.commit.delete(laneKey(this.pool, queueNo, deployment, t, id));
  }

  /** What the plan does beside its grants: runs go into lanes, or are cancelled, and lanes are closed. */
  applyLanes(
    { parked, closed }: Pick<ClaimPlan, "parked" | "closed">,
    cancelled: (run: RunRecord) => RunRecord,
  ): void {
    // A lane that was found empty may be filled again by what is parked on the same walk.
    for (const lane of closed) this.#closeLane(lane);
    for (const one of parked) {
      if (one.limit.strategy === "ENQUEUE") this.#park(one);
      else this.change(one.run, cancelled(one.run), { from: "wait" });
    }
  }

  #park({ entry, queueNo, run }: PlannedParking): void {
    const deployment = run.deployment!;
    this.commit.delete(waitKey(this.pool, queueNo, entry.t, run.id))
      .set(laneKey(this.pool, queueNo, deployment, entry.t, run.id), 0);
    this.limits.get(deployment)?.addLane(this.pool, queueNo);
    this.gate.closeLane(deployment, queueNo);
    this.parked.push({ queueNo, run: run.id });
    this.filledLanes.add(laneName(queueNo, deployment));
    this.bytes += BYTES_OF_PARKING;
  }

  #closeLane({ deployment, queueNo, isEmpty }: ClosedLane): void {
    this.gate.closeLane(deployment, queueNo);
    if (isEmpty) this.limits.get(deployment)?.dropLane(this.pool, queueNo);
    this.rewritesGate = true;
  }

  #arrive(before: RunRecord, after: RunRecord, lease: Partial<LeaseRecord>): void {
    const place = placeOf(after);
    if (place === "wait" && !isSameWait(before, after)) {
      // May be another pool's index: a move needs the gate that it leaves, not the one that it enters.
      this.commit.set(waitKey(after.pool!, after.queueNo, after.t, after.id), 0);
      if (after.pool === this.pool) {
        this.changedQueues.add(after.queueNo);
        this.rings = true;
      } else this.ringsIn.add(after.pool!);
    }
    if (place === "lease" && after.session !== before.session) {
      this.commit.set(leaseKey(this.pool, after.session!, after.id), {
        queueNo: after.queueNo,
        deployment: after.deployment,
        claimId: null,
        since: after.state.timestamp,
        startBy: 0,
        ...lease,
      });
      this.gate.take(after.queueNo);
      this.limits.take(after.deployment);
    }
  }
}

/** What a client said stands in the run and in its history, data only there. */
function charactersOf({ state }: RunRecord, data: LargeText | null | undefined): number {
  const said = (state.message?.length ?? 0) + JSON.stringify(state.details).length;
  return 2 * said + (typeof data === "string" ? data.length : 0);
}

function isSameWait(before: RunRecord, after: RunRecord): boolean {
  return placeOf(before) === "wait" && placeOf(after) === "wait" && before.pool === after.pool &&
    before.queueNo === after.queueNo && before.t === after.t;
}
