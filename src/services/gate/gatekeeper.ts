/**
 * The gatekeeper of one pool in one server process.
 *
 * Operations and claims that arrive while a commit is under way go into the next one, decided one by one on one
 * overlay (`batch.ts`) and committed under a single check of the pool's gate. So there is one fsync for many
 * operations, no conflict within a process, and several servers stay correct, since only one of two racing commits
 * can win. The protocol with its reasons: docs/gate.md.
 *
 * A claim that finds nothing waits here. It is looked at again after every batch, when a run becomes due, when
 * something of the pool was changed from outside ({@link Gatekeeper.enqueued}, {@link Gatekeeper.ring}), and every few
 * seconds as a safety net. The epoch is noted before reading and compared after, so that no wake-up is lost between.
 */
import type { DeploymentLimit } from "../../domain/deployment_limit.ts";
import type { Gate } from "../../domain/gate.ts";
import type { ClaimPlan, ClaimRequest } from "../../domain/plan_claim.ts";
import { unknownOutcome } from "../../kv/deadline.ts";
import { afterCollision } from "../../domain/run_state.ts";
import { BATCH_MUTATIONS } from "../../kv/limits.ts";
import type { ServerDeps } from "../../runtime/deps.ts";
import type { GateRecord, Instant, RunRecord } from "../../schemas/records.ts";
import { Batch, type RunChange } from "./batch.ts";
import { type Claim, stageGrant, toRequest, type WaitingClaim } from "./claim.ts";
import { commitBatch, type Sent } from "./commit_batch.ts";
import { type Decided, decideOperations, hasRoom, limitsLeft } from "./decide.ts";
import { loadPlan } from "./load_plan.ts";
import { type Operation, PoolGoneError, type Submitted } from "./operation.ts";
import { PoolCache, type PoolQueues } from "./pool_cache.ts";
import { WaitingClaims } from "./waiting_claims.ts";

/** How long claims wait before they look again although nothing woke them. */
const SAFETY_NET_MS = 5_000;
/** For this long after a lost race, other servers get a chance after each commit that wins. */
const RIVAL_MEMORY_MS = 5_000;
/** The longest such chance: a commit whose answer was lost takes the runtime some 300 ms. */
const LONGEST_PAUSE_MS = 100;

export interface GatekeeperOptions {
  deps: ServerDeps;
  pool: string;
  /** Called after each commit with the runs that it changed. */
  onChange: (changes: readonly RunChange[]) => void;
  /** Called after each commit for every other pool in which it may have made something startable. */
  ring: (pool: string) => void;
}

/** What a look at the gate found. */
export interface Inspection {
  plan: ClaimPlan;
  gate: Gate;
  queues: PoolQueues;
  /** The limit of the deployment that was asked for. */
  limit: DeploymentLimit | null;
}

export class Gatekeeper {
  readonly #deps: ServerDeps;
  readonly #pool: string;
  readonly #onChange: (changes: readonly RunChange[]) => void;
  readonly #ringOther: (pool: string) => void;
  #operations: Submitted[] = [];
  readonly #claims: WaitingClaims;
  #cache: PoolCache | undefined;
  #epoch = 0;
  #running = false;
  #sleep: AbortController | undefined;
  #dueInMs: number | null = null;
  #openedAt = 0;
  #lostAt = -Infinity;
  #commitMs = 0;

  constructor(options: GatekeeperOptions) {
    this.#deps = options.deps;
    this.#pool = options.pool;
    this.#onChange = options.onChange;
    this.#ringOther = options.ring;
    this.#claims = new WaitingClaims(options.deps, {
      onNews: () => this.#raiseEpoch(),
      onNobodyLeft: () => this.#sleep?.abort(), // nobody is left to look for
    });
  }

  /** Whether nobody waits here and nothing is under way. */
  get isIdle(): boolean {
    return !this.#running;
  }
  /** How many claims wait. */
  get waitingClaims(): number {
    return this.#claims.count;
  }

  /**
   * Decides the operation in the next batch.
   *
   * @throws DomainError the operation's own refusal; `not_found` when the pool is gone; `unknown_outcome`
   */
  submit<R>(operation: Operation<R>): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#operations.push({ operation, resolve: resolve as (result: unknown) => void, reject });
      this.#wake();
    });
  }

  /**
   * Waits until runs can be granted, at most `waitMs`. Empty when the time is over or the client has gone.
   *
   * @throws DomainError `stale_token` when the session has ended, `not_found` when the pool is gone
   */
  claim(claim: Claim, waitMs: number): Promise<RunRecord[]> {
    return this.#claims.add(claim, waitMs);
  }

  /** What this request would be granted now; nothing is written. */
  async preview(request: (queues: PoolQueues) => ClaimRequest): Promise<ClaimPlan> {
    return (await this.inspect(request)).plan;
  }

  /** The same, with the counts and the queues of the same moment, and the limit of one deployment. */
  async inspect(
    request: (queues: PoolQueues) => ClaimRequest,
    deployment: string | null = null,
  ): Promise<Inspection> {
    const cache = await PoolCache.open(this.#deps.kv, this.#pool, this.#cache);
    if (!cache) throw new PoolGoneError();
    const batch = await Batch.begin(this.#deps.kv, cache);
    const plan = await loadPlan(batch, [request(batch.queues)]);
    await batch.limits.load([deployment]);
    const limit = deployment === null ? null : batch.limits.get(deployment) ?? null;
    return { plan, gate: batch.gate, queues: batch.queues, limit };
  }

  /** This process added a waiting run. */
  enqueued(queueNo: number): void {
    this.#cache?.dropWindow(queueNo);
    this.#raiseEpoch();
  }

  /** Somebody else changed the pool, or the outcome of a change is unknown: nothing that was read counts any more. */
  ring(): void {
    this.#cache = undefined;
    this.#raiseEpoch();
  }

  #raiseEpoch(): void {
    this.#epoch++;
    if (this.#claims.count > 0) this.#wake();
  }

  #wake(): void {
    this.#sleep?.abort();
    if (!this.#running) this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#operations.length > 0 || this.#claims.count > 0) {
      const epoch = this.#epoch;
      const taken = this.#operations;
      this.#operations = [];
      try {
        await this.#cycle(taken);
      } catch (error) {
        this.#fail(taken, error);
      }
      const hasNews = this.#operations.length > 0 || this.#epoch !== epoch;
      if (!hasNews && this.#claims.count > 0) await this.#sleepUntilNews();
    }
    this.#running = false;
  }

  async #sleepUntilNews(): Promise<void> {
    this.#sleep = new AbortController();
    const due = Math.min(SAFETY_NET_MS, this.#dueInMs ?? SAFETY_NET_MS);
    await this.#deps.clock.sleep(due, this.#sleep.signal);
    this.#sleep = undefined;
    // The safety net: what was missed by every signal is read now.
    if (this.#deps.clock.monotonic() - this.#openedAt >= SAFETY_NET_MS) this.#cache = undefined;
  }

  /** An error that no operation expected (KV is closed, the disk is full). */
  #fail(taken: readonly Submitted[], error: unknown): void {
    this.#cache = undefined;
    for (const { reject } of taken) reject(error);
    this.#claims.rejectAll(error);
  }

  /** Brings the taken operations and what the waiting claims can get to an end. */
  async #cycle(taken: Submitted[]): Promise<void> {
    let left = taken;
    for (;;) {
      const cache = await this.#open();
      if (!cache) return this.#fail(left, new PoolGoneError());
      const decided = await this.#decide(cache, left);
      const outcome = await this.#commit(decided);
      // Decided anew for as long as it takes: one of the racing servers always wins, and a slot is always freed.
      if (outcome === "not_applied") {
        this.#claims.takeBack(decided.granted.keys());
        continue;
      }
      this.#settle(decided, outcome);
      left = decided.postponed;
      await this.#letRivalsPass();
      if (left.length === 0) return;
    }
  }

  async #open(): Promise<PoolCache | undefined> {
    if (!this.#cache) {
      this.#openedAt = this.#deps.clock.monotonic();
      this.#cache = await PoolCache.open(this.#deps.kv, this.#pool);
    }
    return this.#cache;
  }

  /** Without a pause the winner of a race wins the next one too, since it need not read the gate again. */
  async #letRivalsPass(): Promise<void> {
    const { clock, sharedKv, shutdown } = this.#deps;
    if (!sharedKv || clock.monotonic() - this.#lostAt > RIVAL_MEMORY_MS) return;
    await clock.sleep(Math.min(2 * this.#commitMs, LONGEST_PAUSE_MS), shutdown);
  }

  async #decide(cache: PoolCache, submitted: readonly Submitted[]): Promise<Decided> {
    const batch = await Batch.begin(this.#deps.kv, cache);
    const decided: Decided = {
      batch,
      answered: [],
      refused: [],
      postponed: [],
      granted: new Map(),
      over: [],
    };
    await cache.loadRuns(submitted.flatMap(({ operation }) => operation.run ?? []));
    await decideOperations(decided, submitted);
    if (hasRoom(batch)) await this.#grant(decided);
    else this.#epoch++; // the claims are looked at in the next batch
    return decided;
  }

  /** Grants what the waiting claims can get. */
  async #grant(decided: Decided): Promise<void> {
    const { batch } = decided;
    const admitted = await this.#claims.admit(batch.cache);
    decided.over = admitted.filter(({ isOver }) => isOver);
    this.#dueInMs = null;
    if (admitted.length === 0) return;
    const now = this.#deps.clock.now();
    const { claims, plan } = await this.#plan(batch, admitted, now);
    if (plan.isStopped) this.#epoch++; // more can be done in the next batch
    this.#dueInMs = plan.dueIn === null ? null : Math.ceil(plan.dueIn / 1000);
    let isWhole = true;
    for (const planned of plan.grants) {
      isWhole = hasRoom(batch);
      if (!isWhole) {
        this.#epoch++; // more can be granted in the next batch
        break;
      }
      const waiting = claims[planned.claim]!;
      const run = stageGrant(batch, planned, waiting.claim, this.#deps.ids, now);
      decided.granted.set(waiting, [...decided.granted.get(waiting) ?? [], run]);
    }
    // Runs are parked, and lanes closed, on the strength of all grants.
    if (isWhole) batch.applyLanes(plan, (run) => this.#cancelled(run, now));
    for (const waiting of decided.granted.keys()) waiting.committing = true;
  }

  #cancelled(run: RunRecord, now: Instant): RunRecord {
    return afterCollision(run, { strategy: "CANCEL_NEW", stateId: this.#deps.ids.kin(run.id), now });
  }

  /** What a claim that went away meanwhile would have got is for the others: in their order, so planned anew. */
  async #plan(batch: Batch, admitted: WaitingClaim[], now: Instant) {
    let claims = admitted;
    const bounds = {
      mostMutations: BATCH_MUTATIONS - batch.commit.mutations,
      mostLimits: limitsLeft(batch),
    };
    for (;;) {
      const plan = await loadPlan(
        batch,
        claims.map(({ claim }) => toRequest(claim, batch.queues, now)),
        bounds,
      );
      if (!claims.some(({ isGone }) => isGone)) return { claims, plan };
      claims = claims.filter(({ isGone }) => !isGone);
    }
  }

  async #commit(decided: Decided): Promise<Sent["outcome"]> {
    const { batch } = decided;
    if (batch.isEmpty) {
      // A refusal must not rest on what another server has changed since.
      const needsProof = decided.answered.length > 0 || decided.refused.length > 0;
      if (!needsProof || await batch.cache.isCurrent()) return "applied";
      this.#cache = undefined;
      return "not_applied";
    }
    const sent = await commitBatch(this.#deps, batch);
    this.#commitMs = sent.ms;
    if (sent.outcome === "unknown") this.ring();
    if (sent.outcome !== "not_applied") batch.ringsIn.forEach(this.#ringOther);
    if (sent.versionstamp !== undefined) this.#carryOn(batch, sent.record, sent.versionstamp);
    else this.#cache = undefined;
    if (sent.outcome !== "unknown" && sent.versionstamp === undefined) {
      this.#lostAt = this.#deps.clock.monotonic();
    }
    return sent.outcome;
  }

  /** The chain of own commits goes on: what was read stays true, with the batch's own changes. */
  #carryOn(batch: Batch, record: GateRecord, versionstamp: string): void {
    const { cache } = batch;
    if (batch.closesGate) this.#cache = undefined;
    if (this.#cache !== cache) return; // dropped meanwhile
    cache.gate = { key: cache.gate.key, value: record, versionstamp };
    cache.keepQueues(batch.queues);
    for (const { before, after } of batch.changes) {
      if (after && after.pool === this.#pool) cache.runs.set(after.id, after);
      else cache.runs.delete(before.id);
      if (after?.session) cache.removeWaiting(before.queueNo, before.id);
    }
    for (const { queueNo, run } of batch.parked) cache.removeWaiting(queueNo, run);
    for (const name of batch.filledLanes) cache.lanes.delete(name);
    for (const queueNo of batch.changedQueues) cache.dropWindow(queueNo);
  }

  #settle(decided: Decided, outcome: "applied" | "unknown"): void {
    const { batch, answered, refused, granted, over } = decided;
    // What came to wait in this batch, or a new name of a queue, was not seen by the claims of this batch.
    if (batch.rings) this.#epoch++;
    if (outcome === "unknown") {
      const error = unknownOutcome();
      for (const { one } of [...answered, ...refused]) one.reject(error);
      for (const waiting of granted.keys()) {
        this.#claims.reject(waiting, error);
      }
      return;
    }
    if (batch.changes.length > 0) this.#onChange(batch.changes);
    for (const { one, result } of answered) one.resolve(result);
    for (const { one, error } of refused) one.reject(error);
    for (const [waiting, runs] of granted) this.#claims.answer(waiting, runs);
    for (const waiting of over) this.#claims.answer(waiting, []); // looked at once more, in vain
  }
}
