import { DomainError } from "../errors.ts";
import { queueKey, runKey } from "../kv/keys.ts";
import { get, getMany } from "../kv/read.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { RunRecord, WorkQueueRecord } from "../schemas/records.ts";
import type { Deployments } from "./deployments.ts";
import type { FlowRuns } from "./flow_runs.ts";

/** Waiting runs that are looked at, and then moved, at once. */
const AT_ONCE = 200;

/** A deployment was pointed at another pool or queue, and what waits for it follows. */
export class MoveWaiting {
  readonly #deps: ServerDeps;
  readonly #deployments: Deployments;
  readonly #runs: FlowRuns;

  constructor(deps: ServerDeps, { deployments, runs }: { deployments: Deployments; runs: FlowRuns }) {
    this.#deps = deps;
    this.#deployments = deployments;
    this.#runs = runs;
  }

  /**
   * Afterwards no run of the deployment that waited when this was called waits elsewhere than where the deployment
   * points. Runs keep their time and so their place in the order; what is held stays with its holder. Each run goes
   * through the gate that it leaves, so a claim gets it here or there, never twice.
   *
   * Nothing is remembered between runs: broken off, the same call again goes on where it was. It reads the index of all
   * waiting runs, not of this deployment's alone.
   *
   * @returns how many were moved
   * @throws DomainError `not_found`: no such deployment; `conflict`: its queue is being deleted
   */
  async follow(deployment: string): Promise<number> {
    let moved = 0;
    for await (const entries of this.#waiting()) {
      // Read again for each part: the deployment may be pointed elsewhere meanwhile.
      const target = await this.#target(deployment);
      if (!target) return moved; // it points nowhere, so what waits stays
      const elsewhere = entries.filter(({ pool, queueNo }) => pool !== target.pool || queueNo !== target.no);
      const records = await getMany(this.#deps.kv, elsewhere.map(({ run }) => runKey(run)));
      const own = records.flatMap(({ value }) => value?.deployment === deployment ? [value] : []);
      const results = await Promise.all(own.map((run) => this.#move(run, target)));
      moved += results.filter(Boolean).length;
    }
    return moved;
  }

  /** The index of waiting runs and the lanes, in parts. What is moved meanwhile may come again, at its new place. */
  async *#waiting(): AsyncGenerator<{ pool: string; queueNo: number; run: string }[]> {
    for (const kind of ["wait", "lane"]) {
      let part: { pool: string; queueNo: number; run: string }[] = [];
      for await (const { key } of this.#deps.kv.list({ prefix: [kind] }, { batchSize: AT_ONCE })) {
        part.push({ pool: key[1] as string, queueNo: key[2] as number, run: key.at(-1) as string });
        if (part.length < AT_ONCE) continue;
        yield part;
        part = [];
      }
      if (part.length > 0) yield part;
    }
  }

  async #target(deployment: string): Promise<WorkQueueRecord | null> {
    const { queue } = (await this.#deployments.require(deployment)).value;
    return queue === null ? null : (await get(this.#deps.kv, queueKey(queue))).value;
  }

  /** False when it does not wait any more. */
  async #move(run: RunRecord, target: WorkQueueRecord): Promise<boolean> {
    try {
      return await this.#runs.move(run.id, target.id);
    } catch (error) {
      const isDeleted = error instanceof DomainError && error.code === "not_found" &&
        (await get(this.#deps.kv, runKey(run.id))).value === null;
      if (isDeleted) return false;
      throw error;
    }
  }
}
