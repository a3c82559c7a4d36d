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
import { DomainError } from "../../errors.ts";
import { wasApplied } from "../../domain/gate.ts";
import { type ClaimInput, type ClaimPlan, type ClaimRequest, planClaim } from "../../domain/plan_claim.ts";
import { bellKey, gateKey, runKey } from "../../kv/keys.ts";
import { BATCH_BYTES, BATCH_MUTATIONS, MAX_CHECKS } from "../../kv/limits.ts";
import { get } from "../../kv/read.ts";
import type { ServerDeps } from "../../runtime/deps.ts";
import type { GateRecord, RunRecord } from "../../schemas/records.ts";
import { Batch, type RunChange } from "./batch.ts";
import { admitClaim, type Claim, stageGrant, toRequest, type WaitingClaim } from "./claim.ts";
import { type Operation, PoolGoneError, type Submitted } from "./operation.ts";
import { PoolCache } from "./pool_cache.ts";

/** How long claims wait before they look again although nothing woke them. */
const SAFETY_NET_MS = 5_000;
/** After this long a commit without an answer counts as unknown. KV Connect itself would try for ever. */
const COMMIT_TIMEOUT_MS = 10_000;
/** Checks that an operation may add; a batch stops growing when fewer are left. */
const CHECKS_OF_ONE = 4;
/** What one grant adds to a commit: its place goes, lease, run and history come. */
const MUTATIONS_OF_GRANT = 4;
/** For this long after a lost race, other servers get a chance after each commit that wins. */
const RIVAL_MEMORY_MS = 5_000;

type Outcome = "applied" | "not_applied" | "unknown";

export interface GatekeeperOptions {
  deps: ServerDeps;
  pool: string;
  /** Called after each commit with the runs that it changed. */
  onChange: (changes: readonly RunChange[]) => void;
}

export class Gatekeeper {
  readonly #deps: ServerDeps;
  readonly #pool: string;
  readonly #onChange: (changes: readonly RunChange[]) => void;
  #operations: Submitted[] = [];
  #claims: WaitingClaim[] = [];
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
  }

  /** Whether nobody waits here and nothing is under way. */
  get isIdle(): boolean {
    return !this.#running;
  }
  /** How many claims wait. */
  get waitingClaims(): number {
    return this.#claims.length;
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
  async claim(claim: Claim, waitMs: number): Promise<RunRecord[]> {
    this.#supersede(claim);
    const { promise, resolve, reject } = Promise.withResolvers<RunRecord[]>();
    const waiting = { claim, isNew: true, committing: false, isOver: false, isGone: false, resolve, reject };
    const { shutdown } = this.#deps;
    const answered = new AbortController();
    const leave = () => this.#withdraw(waiting);
    const over = () => this.#endWait(waiting);
    claim.signal.addEventListener("abort", leave, { once: true });
    shutdown.addEventListener("abort", over, { once: true });
    this.#claims.push(waiting);
    if (claim.signal.aborted) leave();
    if (shutdown.aborted) over();
    this.#raiseEpoch();
    if (waitMs <= 0) over();
    else this.#deps.clock.sleep(waitMs, answered.signal).then(() => answered.signal.aborted || over());
    try {
      return await promise;
    } finally {
      answered.abort();
      claim.signal.removeEventListener("abort", leave);
      shutdown.removeEventListener("abort", over);
    }
  }

  /** What these requests would be granted now; nothing is written. */
  async preview(
    request: (queues: Awaited<ReturnType<PoolCache["queues"]>>) => ClaimRequest,
  ): Promise<ClaimPlan> {
    const cache = await PoolCache.open(this.#deps.kv, this.#pool, this.#cache);
    if (!cache) throw new PoolGoneError();
    const batch = await Batch.begin(this.#deps.kv, cache);
    return await this.#plan(batch, [request(batch.queues)]);
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
    if (this.#claims.length > 0) this.#wake();
  }

  #wake(): void {
    this.#sleep?.abort();
    if (!this.#running) this.#run();
  }

  /** The client sent the same claim again: its first request is not read by anybody any more. */
  #supersede(claim: Claim): void {
    for (const waiting of [...this.#claims]) {
      const isSame = waiting.claim.session === claim.session && waiting.claim.claimId === claim.claimId;
      if (isSame) this.#withdraw(waiting);
    }
  }

  #withdraw(waiting: WaitingClaim): void {
    waiting.isGone = true;
    if (!waiting.committing) this.#answer(waiting, []);
    if (this.#claims.length === 0) this.#sleep?.abort(); // nobody is left to look for
  }

  #endWait(waiting: WaitingClaim): void {
    waiting.isOver = true;
    this.#raiseEpoch();
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#operations.length > 0 || this.#claims.length > 0) {
      const epoch = this.#epoch;
      const taken = this.#operations;
      this.#operations = [];
      try {
        await this.#cycle(taken);
      } catch (error) {
        this.#fail(taken, error);
      }
      const hasNews = this.#operations.length > 0 || this.#epoch !== epoch;
      if (!hasNews && this.#claims.length > 0) await this.#sleepUntilNews();
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
    for (const waiting of this.#claims.splice(0)) waiting.reject(error);
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
        this.#takeBack(decided.granted.keys());
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
    await clock.sleep(2 * this.#commitMs, shutdown);
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
    const takers: Submitted[] = [];
    let isConfigured = false;
    for (const one of submitted.filter(({ operation }) => operation.kind === "state")) {
      const isBehindTaker = takers.some(({ operation }) => operation.run === one.operation.run);
      if (isBehindTaker || !hasRoom(batch)) takers.push(one);
      else if (await decideOne(decided, one, false) === "postpone") takers.push(one);
    }
    for (const one of submitted.filter(({ operation }) => operation.kind === "configure")) {
      if (isConfigured || !hasRoom(batch)) decided.postponed.push(one);
      else await decideOne(decided, one, true);
      isConfigured = true;
    }
    for (const one of takers) {
      if (hasRoom(batch)) await decideOne(decided, one, true);
      else decided.postponed.push(one);
    }
    if (hasRoom(batch)) await this.#grant(decided);
    else this.#epoch++; // the claims are looked at in the next batch
    return decided;
  }

  /** Grants what the waiting claims can get. */
  async #grant(decided: Decided): Promise<void> {
    const { batch } = decided;
    const claims = await this.#admit(batch.cache);
    decided.over = claims.filter(({ isOver }) => isOver);
    this.#dueInMs = null;
    if (claims.length === 0) return;
    const now = this.#deps.clock.now();
    const requests = claims.map(({ claim }) => toRequest(claim, batch.queues, now));
    const most = Math.ceil((BATCH_MUTATIONS - batch.commit.mutations) / MUTATIONS_OF_GRANT);
    const plan = await this.#plan(batch, requests, most);
    if (plan.grants.length === most) this.#epoch++; // more can be granted in the next batch
    this.#dueInMs = plan.dueIn === null ? null : Math.ceil(plan.dueIn / 1000);
    for (const planned of plan.grants) {
      const waiting = claims[planned.claim]!;
      if (waiting.isGone) continue; // while the plan was read
      if (!hasRoom(batch)) {
        this.#epoch++; // more can be granted in the next batch
        break;
      }
      const run = stageGrant(batch, planned, waiting.claim, this.#deps.ids, now);
      decided.granted.set(waiting, [...decided.granted.get(waiting) ?? [], run]);
    }
    // What a vanished claim leaves is for the others.
    if (plan.grants.some(({ claim }) => claims[claim]!.isGone)) this.#epoch++;
    for (const waiting of decided.granted.keys()) waiting.committing = true;
  }

  async #admit(cache: PoolCache): Promise<WaitingClaim[]> {
    const admitted = await Promise.all(this.#claims.map(async (waiting) => {
      try {
        const verdict = await admitClaim(this.#deps.kv, cache, waiting.claim, waiting.isNew);
        waiting.isNew = false;
        if (verdict === "admitted") return [waiting];
        this.#answer(waiting, verdict.granted);
      } catch (error) {
        this.#remove(waiting);
        waiting.reject(error);
      }
      return [];
    }));
    return admitted.flat().filter((waiting) => !waiting.isGone);
  }

  /** {@link planClaim} with everything that it asks for. */
  async #plan(batch: Batch, claims: readonly ClaimRequest[], most = Infinity): Promise<ClaimPlan> {
    const { cache } = batch;
    for (;;) {
      const input: ClaimInput = {
        gate: batch.gate.copy(),
        queues: batch.queues.sorted,
        windows: batch.windows(),
        runs: { get: (id) => batch.known(id) },
        claims,
        most,
      };
      const plan = planClaim(input);
      const { queues, runs } = plan.missing;
      if (queues.size === 0 && runs.size === 0) return plan;
      if (queues.size > 0) {
        const eligible = batch.queues.sorted.filter((queue) =>
          !batch.gate.blockedIn(queue) && claims.some((claim) => claim.allows(queue))
        );
        await cache.loadWindows(queues, eligible);
      }
      if (runs.size > 0) await cache.loadRuns(this.#nextRuns(cache, runs, claims));
      for (const run of runs) if (!cache.runs.has(run)) cache.forget(run);
    }
  }

  /** The run that the plan stopped at, and those behind it that it will ask for next. */
  #nextRuns(cache: PoolCache, runs: ReadonlySet<string>, claims: readonly ClaimRequest[]): string[] {
    const wanted = Math.max(10, claims.reduce((sum, claim) => sum + claim.n, 0));
    const ids = [...runs];
    for (const { entries } of cache.windows.values()) {
      const at = entries.findIndex(({ run }) => runs.has(run));
      if (at >= 0) ids.push(...entries.slice(at, at + Math.min(wanted, 200)).map(({ run }) => run));
    }
    return ids;
  }

  async #commit(decided: Decided): Promise<Outcome> {
    const { batch } = decided;
    const { ids } = this.#deps;
    if (batch.isEmpty) {
      // A refusal must not rest on what another server has changed since.
      const needsProof = decided.answered.length > 0 || decided.refused.length > 0;
      if (!needsProof || await batch.cache.isCurrent()) return "applied";
      this.#cache = undefined;
      return "not_applied";
    }
    const op = ids.op();
    const record = batch.gate.toRecord(op);
    batch.commit.check(batch.cache.gate);
    if (batch.closesGate) batch.commit.delete(gateKey(this.#pool));
    else batch.commit.set(gateKey(this.#pool), record);
    if (this.#deps.sharedKv) {
      const bells = [...batch.rings ? [this.#pool] : [], ...batch.ringsIn];
      for (const pool of bells) batch.commit.set(bellKey(pool), ids.token());
    }
    return await this.#send(batch, op, record);
  }

  async #send(batch: Batch, op: number, record: GateRecord): Promise<Outcome> {
    const { kv, clock } = this.#deps;
    const started = clock.monotonic();
    const result = await this.#withinTimeout(batch.commit.send(kv)).catch((error) => {
      this.#deps.log.error("A commit failed.", { pool: this.#pool, error });
      return undefined;
    });
    if (!result) {
      this.ring();
      return "unknown";
    }
    this.#commitMs = clock.monotonic() - started;
    if (result.ok) {
      this.#carryOn(batch, record, result.versionstamp);
      return "applied";
    }
    this.#cache = undefined;
    this.#lostAt = clock.monotonic();
    return await this.#lookWhether(batch, op);
  }

  /** Undefined when the time is over. */
  async #withinTimeout<T>(work: Promise<T>): Promise<T | undefined> {
    const done = new AbortController();
    try {
      const timeout = this.#deps.clock.sleep(COMMIT_TIMEOUT_MS, done.signal).then(() => undefined);
      return await Promise.race([work, timeout]);
    } finally {
      done.abort();
      work.catch(() => {}); // an answer after the timeout is nobody's
    }
  }

  /** A check failed: another commit won, or the runtime sent ours again after its answer was lost. */
  async #lookWhether(batch: Batch, op: number): Promise<Outcome> {
    const now = (await get(this.#deps.kv, gateKey(this.#pool))).value;
    if (!now && batch.closesGate) return "applied";
    const known = wasApplied(op, batch.cache.gate.value, now);
    if (known !== undefined) return known ? "applied" : "not_applied";
    const change = batch.changes.at(-1);
    if (!change) return "not_applied"; // configuration: deciding it anew gives the same
    const run = (await get(this.#deps.kv, runKey(change.before.id))).value;
    // A move keeps the state, so only the whole record tells.
    return JSON.stringify(run) === JSON.stringify(change.after) ? "applied" : "not_applied";
  }

  /** The chain of own commits goes on: what was read stays true, with the batch's own changes. */
  #carryOn(batch: Batch, record: GateRecord, versionstamp: string): void {
    const { cache } = batch;
    if (batch.closesGate) this.#cache = undefined;
    if (this.#cache !== cache) return; // dropped meanwhile
    cache.gate = { key: cache.gate.key, value: record, versionstamp };
    for (const { before, after } of batch.changes) {
      if (after && after.pool === this.#pool) cache.runs.set(after.id, after);
      else cache.runs.delete(before.id);
      if (after?.session) cache.removeWaiting(before.queueNo, before.id);
    }
    for (const queueNo of batch.changedQueues) cache.dropWindow(queueNo);
  }

  #settle(decided: Decided, outcome: "applied" | "unknown"): void {
    const { batch, answered, refused, granted, over } = decided;
    // What came to wait in this batch, or a new name of a queue, was not seen by the claims of this batch.
    if (batch.rings) this.#epoch++;
    if (outcome === "unknown") {
      const error = new DomainError(
        "unknown_outcome",
        "The store did not answer in time: look, then try again.",
      );
      for (const { one } of [...answered, ...refused]) one.reject(error);
      for (const waiting of granted.keys()) {
        this.#remove(waiting);
        waiting.reject(error);
      }
      return;
    }
    if (batch.changes.length > 0) this.#onChange(batch.changes);
    for (const { one, result } of answered) one.resolve(result);
    for (const { one, error } of refused) one.reject(error);
    for (const [waiting, runs] of granted) this.#answer(waiting, runs);
    for (const waiting of over) this.#answer(waiting, []); // looked at once more, in vain
  }

  /** Their grants did not come about: they wait on, and those that went away meanwhile leave. */
  #takeBack(claims: Iterable<WaitingClaim>): void {
    for (const waiting of claims) {
      waiting.committing = false;
      if (waiting.isGone) this.#answer(waiting, []);
    }
  }

  #answer(waiting: WaitingClaim, runs: RunRecord[]): void {
    this.#remove(waiting);
    waiting.resolve(runs);
  }

  #remove(waiting: WaitingClaim): void {
    const at = this.#claims.indexOf(waiting);
    if (at >= 0) this.#claims.splice(at, 1);
  }
}

/** What a batch has decided about the operations that went into it. */
interface Decided {
  batch: Batch;
  answered: { one: Submitted; result: unknown }[];
  refused: { one: Submitted; error: unknown }[];
  postponed: Submitted[];
  granted: Map<WaitingClaim, RunRecord[]>;
  /** Claims whose time was over when they were looked at. */
  over: WaitingClaim[];
}

async function decideOne(decided: Decided, one: Submitted, mayTake: boolean): Promise<"done" | "postpone"> {
  try {
    const decision = await one.operation.decide(decided.batch, mayTake);
    if (decision === "postpone") return "postpone";
    decided.answered.push({ one, result: decision.result });
  } catch (error) {
    decided.refused.push({ one, error });
  }
  return "done";
}

const hasRoom = (batch: Batch): boolean =>
  batch.bytes < BATCH_BYTES && batch.commit.mutations < BATCH_MUTATIONS &&
  batch.commit.checks + 1 + CHECKS_OF_ONE <= MAX_CHECKS;
