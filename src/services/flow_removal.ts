import { DomainError } from "../errors.ts";
import { deploymentKey, runKey } from "../kv/keys.ts";
import { get } from "../kv/read.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { FlowFilter } from "../schemas/filter.ts";
import type { DeploymentRecord, RunRecord } from "../schemas/records.ts";
import type { FlowRemovalQuery } from "../schemas/removal.ts";
import type { Deployments } from "./deployments.ts";
import { byNameSort, type Flows } from "./flows.ts";
import type { FlowRuns } from "./flow_runs.ts";
import type { SetState } from "./set_state.ts";

/** Runs that one request handles: some seconds' worth, so that no client gives up before it is answered. */
const MOST_RUNS = 2_000;
/** Runs that are handled at the same time, so that they share commits. */
const AT_ONCE = 50;

interface Parts {
  flows: Flows;
  deployments: Deployments;
  runs: FlowRuns;
  setState: SetState;
}

/**
 * Deletes flows with their deployments and runs: close, list, delete in bounded batches, and the flow last. A server
 * that stops on the way leaves the flow closed; the same request again goes on.
 */
export class FlowRemoval {
  readonly #deps: ServerDeps;
  readonly #parts: Parts;
  readonly #most: number;

  /** @param most runs that are handled at once */
  constructor(deps: ServerDeps, parts: Parts, most = MOST_RUNS) {
    this.#deps = deps;
    this.#parts = parts;
    this.#most = most;
  }

  /**
   * @throws DomainError `not_found`; `conflict` with the count when runs hold slots, unless they are to be cancelled,
   * and then until their processes have ended; `busy`: there is more to do
   */
  async delete(id: string, { cascade }: FlowRemovalQuery = {}): Promise<void> {
    const { flows } = this.#parts;
    await flows.setClosing(id, true);
    const { held, idle } = await this.#runsOf(id);
    if (held.length > 0 && !cascade) {
      await flows.setClosing(id, false);
      throw new DomainError(
        "conflict",
        `${held.length} runs of this flow hold slots. Wait until they end, or delete with ?cascade=cancel.`,
      );
    }
    await this.#inBatches(held, (run) => this.#cancel(run));
    for (const deployment of await this.#deploymentsOf(id)) {
      await this.#parts.deployments.delete(deployment).catch(ignoreMissing);
    }
    await this.#inBatches(
      idle.slice(0, this.#most),
      (run) => this.#parts.runs.delete(run).catch(ignoreMissing),
    );
    if (idle.length > this.#most) {
      throw new DomainError(
        "busy",
        `${this.#most} runs were deleted, and there are more. Send it again: it goes on.`,
      );
    }
    const closed = await flows.requireClosed(id);
    const [runs, deployments] = await Promise.all([this.#runsOf(id), this.#deploymentsOf(id)]);
    if (runs.held.length > 0) {
      throw new DomainError(
        "conflict",
        `${runs.held.length} runs of this flow hold slots and are being cancelled. ` +
          "Delete again when their processes have ended.",
      );
    }
    if (runs.idle.length > 0 || deployments.length > 0) {
      throw new DomainError("conflict", "A run or a deployment of the flow came meanwhile. Delete again.");
    }
    await flows.drop(closed);
  }

  /** Deletes flows that match, at most `limit`. Tells which; those whose runs hold slots stay. */
  async deleteMatching(filter: FlowFilter | null | undefined, limit: number): Promise<string[]> {
    const flows = (await this.#parts.flows.matching(filter)).toSorted(byNameSort("NAME_ASC")).slice(0, limit);
    const deleted: string[] = [];
    for (const { id } of flows) {
      const isDeleted = await this.delete(id).then(() => true, (error) => {
        if (error instanceof DomainError && error.code === "conflict") return false;
        throw error;
      });
      if (isDeleted) deleted.push(id);
    }
    return deleted;
  }

  async #runsOf(flow: string): Promise<{ held: string[]; idle: string[] }> {
    const found = { held: [] as string[], idle: [] as string[] };
    const prefix = runKey("").slice(0, 1) as Deno.KvKey;
    for await (const { value } of this.#deps.kv.list<RunRecord>({ prefix }, { batchSize: 500 })) {
      if (value.flow !== flow) continue;
      (value.session === null ? found.idle : found.held).push(value.id);
    }
    return found;
  }

  async #deploymentsOf(flow: string): Promise<string[]> {
    const prefix = deploymentKey("").slice(0, 1) as Deno.KvKey;
    const found: string[] = [];
    for await (const { value } of this.#deps.kv.list<DeploymentRecord>({ prefix }, { batchSize: 500 })) {
      if (value.flow === flow) found.push(value.id);
    }
    return found;
  }

  async #inBatches(ids: readonly string[], handle: (id: string) => Promise<unknown>): Promise<void> {
    for (let i = 0; i < ids.length; i += AT_ONCE) await Promise.all(ids.slice(i, i + AT_ONCE).map(handle));
  }

  async #cancel(id: string): Promise<void> {
    const { value } = await get(this.#deps.kv, runKey(id));
    if (!value || value.state.type === "CANCELLING") return;
    const state = { type: "CANCELLING" as const, message: "The run's flow is being deleted." };
    await this.#parts.setState.propose({ run: id, state, force: false, token: undefined }).catch(
      ignoreMissing,
    );
  }
}

/** What was deleted meanwhile needs nothing. */
function ignoreMissing(error: unknown): void {
  const isMissing = error instanceof DomainError &&
    (error.code === "not_found" || error.code === "missing_object");
  if (!isMissing) throw error;
}
