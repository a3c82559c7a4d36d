import { DomainError } from "../errors.ts";
import type { DeploymentFilter, FlowRunFilter } from "../schemas/filter.ts";
import type { DeploymentQueries } from "./deployment_queries.ts";
import type { Deployments } from "./deployments.ts";
import type { FlowRunList } from "./flow_run_list.ts";
import type { SetState } from "./set_state.ts";

/** Runs that are cancelled side by side: the gate puts them into few commits. */
const BATCH = 200;

interface Parts {
  deployments: Deployments;
  queries: DeploymentQueries;
  runs: FlowRunList;
  setState: SetState;
}

/** Deletes deployments, with their runs cancelled or left. */
export class DeploymentRemoval {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Deletes the deployment. Its runs stay; one that waits is cancelled when it would be handed out.
   *
   * With `cancels`, its runs that have not ended are cancelled before: those that wait at once, those that run by
   * their agents. Sent again after a failure, it goes on where it was.
   *
   * @throws DomainError `not_found`
   */
  async delete(id: string, options: { cancels: boolean; signal: AbortSignal }): Promise<void> {
    const { deployments } = this.#parts;
    await deployments.require(id);
    if (options.cancels) await this.#cancelRuns(id, options.signal);
    await deployments.delete(id);
    // Created while the others were cancelled; none can follow.
    if (options.cancels) await this.#cancelRuns(id, options.signal);
  }

  /** At most `limit` of those that match, in the order of their names. Answers which. */
  async deleteMatching(filter: DeploymentFilter | null | undefined, limit: number): Promise<string[]> {
    const page = { sort: "NAME_ASC", limit, offset: 0 } as const;
    const found = await this.#parts.queries.page({ deployments: filter }, page);
    const deleted: string[] = [];
    for (const { id } of found) {
      try {
        await this.#parts.deployments.delete(id);
        deleted.push(id);
      } catch (error) {
        if (!isMissing(error)) throw error; // deleted by somebody else: theirs
      }
    }
    return deleted;
  }

  async #cancelRuns(deployment: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      const ids = await this.#parts.runs.idsOf({ flow_runs: unendedOf(deployment) });
      if (ids.length === 0) return;
      let changed = 0;
      for (let i = 0; i < ids.length; i += BATCH) {
        if (signal.aborted) {
          throw new DomainError("contention", "Not all runs are cancelled yet: send the request again.");
        }
        const cancelled = await Promise.all(ids.slice(i, i + BATCH).map((id) => this.#cancel(id)));
        changed += cancelled.filter(Boolean).length;
      }
      if (changed === 0) {
        throw new DomainError("conflict", `${ids.length} runs of the deployment cannot be cancelled now.`);
      }
    }
  }

  /** Whether the run is another one now, or gone. */
  async #cancel(run: string): Promise<boolean> {
    try {
      const { isWritten } = await this.#parts.setState.propose({
        run,
        state: { type: "CANCELLING", message: "The deployment is being deleted." },
        force: true,
        token: undefined,
      });
      return isWritten;
    } catch (error) {
      if (!isMissing(error)) throw error;
      return true;
    }
  }
}

/** Runs that are being cancelled need nothing more. */
const unendedOf = (deployment: string): FlowRunFilter => ({
  operator: "and_",
  deployment_id: { operator: "and_", any_: [deployment] },
  state: { operator: "and_", type: { any_: ["SCHEDULED", "PENDING", "RUNNING", "PAUSED"] } },
});

const isMissing = (error: unknown): boolean =>
  error instanceof DomainError && (error.code === "not_found" || error.code === "missing_object");
