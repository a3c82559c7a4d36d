import type { ServerDeps } from "../../runtime/deps.ts";
import type { RunRecord } from "../../schemas/records.ts";
import { admitClaim, type Claim, type WaitingClaim } from "./claim.ts";
import type { PoolCache } from "./pool_cache.ts";

/** What the gatekeeper hears of its claims. */
export interface ClaimEvents {
  /** One came, or one's time is over: they are to be looked at. */
  onNews: () => void;
  /** The last one left. */
  onNobodyLeft: () => void;
}

/** The claims that wait at a gate, in the order in which they came. */
export class WaitingClaims {
  readonly #deps: ServerDeps;
  readonly #events: ClaimEvents;
  #waiting: WaitingClaim[] = [];

  constructor(deps: ServerDeps, events: ClaimEvents) {
    this.#deps = deps;
    this.#events = events;
  }

  get count(): number {
    return this.#waiting.length;
  }

  /** Waits until the claim is answered: with runs, or empty when its time is over or its client has gone. */
  async add(claim: Claim, waitMs: number): Promise<RunRecord[]> {
    this.#supersede(claim);
    const { promise, resolve, reject } = Promise.withResolvers<RunRecord[]>();
    const waiting = { claim, isNew: true, committing: false, isOver: false, isGone: false, resolve, reject };
    const { clock, shutdown } = this.#deps;
    const answered = new AbortController();
    const leave = () => this.#withdraw(waiting);
    const over = () => {
      waiting.isOver = true;
      this.#events.onNews();
    };
    claim.signal.addEventListener("abort", leave, { once: true });
    shutdown.addEventListener("abort", over, { once: true });
    this.#waiting.push(waiting);
    if (claim.signal.aborted) leave();
    if (shutdown.aborted) over();
    this.#events.onNews();
    if (waitMs <= 0) over();
    else clock.sleep(waitMs, answered.signal).then(() => answered.signal.aborted || over());
    try {
      return await promise;
    } finally {
      answered.abort();
      claim.signal.removeEventListener("abort", leave);
      shutdown.removeEventListener("abort", over);
    }
  }

  /** Those that go on to the plan; the others are answered or refused here. */
  async admit(cache: PoolCache): Promise<WaitingClaim[]> {
    const admitted = await Promise.all(this.#waiting.map(async (waiting) => {
      try {
        const verdict = await admitClaim(this.#deps.kv, cache, waiting.claim, waiting.isNew);
        waiting.isNew = false;
        if (verdict === "admitted") return [waiting];
        this.answer(waiting, verdict.granted);
      } catch (error) {
        this.reject(waiting, error);
      }
      return [];
    }));
    return admitted.flat().filter((waiting) => !waiting.isGone);
  }

  answer(waiting: WaitingClaim, runs: RunRecord[]): void {
    this.#remove(waiting);
    waiting.resolve(runs);
  }

  reject(waiting: WaitingClaim, error: unknown): void {
    this.#remove(waiting);
    waiting.reject(error);
  }

  rejectAll(error: unknown): void {
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error);
  }

  /** Their grants did not come about: they wait on, and those that went away meanwhile leave. */
  takeBack(claims: Iterable<WaitingClaim>): void {
    for (const waiting of claims) {
      waiting.committing = false;
      if (waiting.isGone) this.answer(waiting, []);
    }
  }

  /** The client sent the same claim again: its first request is not read by anybody any more. */
  #supersede(claim: Claim): void {
    for (const waiting of [...this.#waiting]) {
      const isSame = waiting.claim.session === claim.session && waiting.claim.claimId === claim.claimId;
      if (isSame) this.#withdraw(waiting);
    }
  }

  #withdraw(waiting: WaitingClaim): void {
    waiting.isGone = true;
    if (!waiting.committing) this.answer(waiting, []);
    if (this.#waiting.length === 0) this.#events.onNobodyLeft();
  }

  #remove(waiting: WaitingClaim): void {
    const at = this.#waiting.indexOf(waiting);
    if (at >= 0) this.#waiting.splice(at, 1);
  }
}
