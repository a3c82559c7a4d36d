import type { Clock } from "../runtime/clock.ts";
import { Commit } from "./commit.ts";
import { unknownOutcome, withinTimeout } from "./deadline.ts";
import { BATCH_BYTES, BATCH_MUTATIONS, MAX_CHECKS } from "./limits.ts";

interface Waiting {
  commit: Commit;
  bytes: number;
  resolve(ok: boolean): void;
  reject(error: unknown): void;
}

/**
 * Puts independent small commits that arrive while one is under way into the next one: SQLite pays one fsync a
 * commit, and Deno KV has no group commit of its own. When the joint commit fails a check, each part is sent by
 * itself, so that a neighbour never suffers.
 *
 * Not for what a gate guards: the gatekeeper combines those.
 */
export class GroupCommit {
  readonly #kv: Deno.Kv;
  readonly #clock: Clock;
  #waiting: Waiting[] = [];
  #running = false;

  constructor(kv: Deno.Kv, clock: Clock) {
    this.#kv = kv;
    this.#clock = clock;
  }

  /**
   * True when applied, false when a check failed.
   *
   * @param bytes about how large the commit's values are, if they are large
   * @throws DomainError `unknown_outcome`, `too_large`
   */
  send(commit: Commit, bytes = 0): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ commit, bytes, resolve, reject });
      if (!this.#running) this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) await this.#sendTogether(this.#takeBatch());
    this.#running = false;
  }

  #takeBatch(): Waiting[] {
    const joint = new Commit();
    let count = 0;
    let size = 0;
    for (const { commit, bytes } of this.#waiting) {
      const fits = joint.checksWith(commit) <= MAX_CHECKS && !joint.excludes(commit) &&
        joint.mutations + commit.mutations <= BATCH_MUTATIONS && size + bytes <= BATCH_BYTES;
      if (count > 0 && !fits) break;
      joint.add(commit);
      size += bytes;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #sendTogether(batch: Waiting[]): Promise<void> {
    if (batch.length > 1) {
      const joint = new Commit();
      for (const { commit } of batch) joint.add(commit);
      // An error says nothing about what was applied; alone, each part finds out for itself.
      const applied = await this.#sendInTime(joint).catch(() => false);
      if (applied) return batch.forEach(({ resolve }) => resolve(true));
    }
    await Promise.all(batch.map(async ({ commit, resolve, reject }) => {
      try {
        resolve(await this.#sendInTime(commit));
      } catch (error) {
        reject(error);
      }
    }));
  }

  /** A store that hangs must not hold up all that come after. */
  async #sendInTime(commit: Commit): Promise<boolean> {
    const result = await withinTimeout(commit.send(this.#kv), this.#clock);
    if (!result) throw unknownOutcome();
    return result.ok;
  }
}
