import { deploymentPolledKey, queuePolledKey } from "../kv/keys.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { Instant } from "../schemas/records.ts";

/** A queue, pool or deployment is ready for this long after somebody asked it for work (the reference's default). */
const READY_MICROS = 60e6;
/** Asking is written down at most this often, so that a poll costs no commit. */
const NOTE_EVERY_MICROS = 10e6;

/** Whether something polled at `polled` still counts as ready. */
export const isRecent = (polled: Instant | null, now: Instant): boolean =>
  polled !== null && now - polled < READY_MICROS;

/** Notes when queues and deployments were asked for work. Blind writes of values that nothing depends on. */
export class Polls {
  readonly #deps: ServerDeps;
  readonly #noted = new Map<string, Instant>();

  constructor(deps: ServerDeps) {
    this.#deps = deps;
  }

  async noteQueues(ids: readonly string[]): Promise<void> {
    await this.#note(ids.map(queuePolledKey));
  }

  async noteDeployments(ids: readonly string[]): Promise<void> {
    await this.#note(ids.map(deploymentPolledKey));
  }

  async #note(keys: Deno.KvKey[]): Promise<void> {
    const now = this.#deps.clock.now();
    const due = keys.filter((key) => now - (this.#noted.get(String(key)) ?? -Infinity) >= NOTE_EVERY_MICROS);
    if (due.length === 0) return;
    for (const key of due) this.#noted.set(String(key), now);
    try {
      await this.#write(due, now);
    } catch (error) {
      // Whoever asked for work gets it all the same.
      this.#deps.log.warn("It could not be noted who asked for work.", { error });
      for (const key of due) this.#noted.delete(String(key));
    }
  }

  async #write(keys: readonly Deno.KvKey[], now: Instant): Promise<void> {
    for (let i = 0; i < keys.length; i += 500) {
      const operation = this.#deps.kv.atomic();
      for (const key of keys.slice(i, i + 500)) operation.set(key, now);
      await operation.commit();
    }
  }
}
