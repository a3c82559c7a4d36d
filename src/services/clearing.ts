/** The ways to take away what is in queues that are being deleted, in bounded batches. */
import { DomainError } from "../errors.ts";
import { leaseKey, runKey } from "../kv/keys.ts";
import { getMany } from "../kv/read.ts";
import { readAnyWaiting } from "../kv/waiting_index.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { LeaseRecord, QueueConfig, WorkQueueRecord } from "../schemas/records.ts";
import { deploymentsOf, type DeploymentTarget, retarget } from "./deployment_targets.ts";
import type { FlowRuns } from "./flow_runs.ts";
import type { Clearing } from "./queue_removal.ts";
import type { SetState } from "./set_state.ts";

/** Runs that one request handles: some seconds' worth, so that no client gives up before it is answered. */
const MOST_RUNS = 5_000;

/** Cancels the runs, waiting and held, and lets the deployments point nowhere. */
export class Cancelling implements Clearing {
  readonly closesHeld = true;
  readonly #deps: ServerDeps;
  readonly #setState: SetState;
  readonly #most: number;

  /** @param most runs that are handled at once */
  constructor(deps: ServerDeps, setState: SetState, most = MOST_RUNS) {
    this.#deps = deps;
    this.#setState = setState;
    this.#most = most;
  }

  /** @throws DomainError `conflict` while processes of cancelled runs have not ended; `busy` */
  async clear(pool: string, queues: readonly QueueConfig[]): Promise<void> {
    await retargetAll(this.#deps, queues, null);
    await eachWaiting(this.#deps.kv, { pool, queues, most: this.#most }, (run) => this.#cancel(run));
    const held = await this.#held(pool, queues);
    for (let i = 0; i < held.length; i += 100) {
      await Promise.all(held.slice(i, i + 100).map((run) => this.#cancel(run)));
    }
    const left = await this.#held(pool, queues);
    if (left.length === 0) return;
    throw new DomainError(
      "conflict",
      `${left.length} runs hold slots here and are being cancelled; nothing new starts. ` +
        "Delete again when their processes have ended: it goes on where it is.",
    );
  }

  async #held(pool: string, queues: readonly QueueConfig[]): Promise<string[]> {
    const numbers = new Set(queues.map(({ no }) => no));
    const prefix = leaseKey(pool, "", "").slice(0, 2) as Deno.KvKey;
    const held: string[] = [];
    for await (const { key, value } of this.#deps.kv.list<LeaseRecord>({ prefix }, { batchSize: 500 })) {
      if (numbers.has(value.queueNo)) held.push(String(key[3]));
    }
    return held;
  }

  /** Nothing when the run is being cancelled already, or has been deleted. */
  async #cancel(id: string): Promise<void> {
    const [entry] = await getMany(this.#deps.kv, [runKey(id)]);
    if (!entry?.value || entry.value.state.type === "CANCELLING") return;
    const state = { type: "CANCELLING" as const, message: "The run's work queue is being deleted." };
    await this.#setState.propose({ run: id, state, force: false, token: undefined })
      .catch(ignoreMissing);
  }
}

/** Moves the waiting runs and the deployments to another queue. */
export class Moving implements Clearing {
  readonly closesHeld = false;
  readonly #deps: ServerDeps;
  readonly #runs: FlowRuns;
  readonly #target: WorkQueueRecord;
  readonly #most: number;

  /** @param most runs that are handled at once */
  constructor(deps: ServerDeps, runs: FlowRuns, target: WorkQueueRecord, most = MOST_RUNS) {
    this.#deps = deps;
    this.#runs = runs;
    this.#target = target;
    this.#most = most;
  }

  /** @throws DomainError `conflict`: the target is being deleted; `busy` */
  async clear(pool: string, queues: readonly QueueConfig[]): Promise<void> {
    const { id, pool: targetPool } = this.#target;
    await retargetAll(this.#deps, queues, { pool: targetPool, queue: id });
    await eachWaiting(this.#deps.kv, { pool, queues, most: this.#most }, async (run) => {
      await this.#runs.move(run, id).catch(ignoreMissing);
    });
  }
}

async function retargetAll(
  { kv, clock }: ServerDeps,
  queues: readonly QueueConfig[],
  target: DeploymentTarget,
): Promise<void> {
  const from = new Set(queues.map(({ id }) => id));
  for (const id of await deploymentsOf(kv, from)) await retarget(kv, id, from, target, clock.now());
}

/** Each `handle` takes its run out of the index. @throws DomainError `busy` when there is more than one request handles */
async function eachWaiting(
  kv: Deno.Kv,
  { pool, queues, most }: { pool: string; queues: readonly QueueConfig[]; most: number },
  handle: (run: string) => Promise<void>,
): Promise<void> {
  let handled = 0;
  for (const { no } of queues) {
    for (;;) {
      const entries = await readAnyWaiting(kv, pool, no);
      if (entries.length === 0) break;
      if (handled >= most) {
        throw new DomainError(
          "busy",
          `${handled} runs were handled, and there are more. Send it again: it goes on.`,
        );
      }
      await Promise.all(entries.map(({ run }) => handle(run)));
      handled += entries.length;
    }
  }
}

/** A run that was deleted meanwhile needs nothing. */
function ignoreMissing(error: unknown): void {
  const isMissing = error instanceof DomainError &&
    (error.code === "not_found" || error.code === "missing_object");
  if (!isMissing) throw error;
}
