import type { Answer } from "../domain/plan_transition.ts";
import { DomainError } from "../errors.ts";
import type { FlowRunFilter } from "../schemas/filter.ts";
import type { StateCreate } from "../schemas/state.ts";
import type { FlowRunList } from "./flow_run_list.ts";
import type { FlowRuns } from "./flow_runs.ts";
import type { SetState, SetStateView } from "./set_state.ts";

/** Which runs: those that match, newest first, at most `limit`. */
export interface Selection {
  filter: FlowRunFilter | null | undefined;
  limit: number;
}

/** What became of one run's proposed state; without a view: nothing was changed, for the reason of the answer. */
export interface BulkStateResult {
  run: string;
  answer: Answer;
  view: SetStateView | null;
}

/** The same for many runs, each by itself: one that is refused holds none of the others up. */
export class FlowRunBulk {
  readonly #parts: { runs: FlowRuns; list: FlowRunList; setState: SetState };

  constructor(parts: { runs: FlowRuns; list: FlowRunList; setState: SetState }) {
    this.#parts = parts;
  }

  /** Ids of the deleted runs. */
  async delete(selection: Selection): Promise<string[]> {
    const ids = await this.#select(selection);
    const deleted = await Promise.all(
      ids.map((id) =>
        this.#parts.runs.delete(id).then(() => [id], (error) => {
          if (error instanceof DomainError && error.code === "not_found") return []; // somebody else was faster
          throw error;
        })
      ),
    );
    return deleted.flat();
  }

  async setState(
    selection: Selection,
    proposal: { state: StateCreate; force: boolean },
  ): Promise<BulkStateResult[]> {
    const ids = await this.#select(selection);
    return await Promise.all(ids.map(async (run) => {
      try {
        // Without the token of the request, which speaks for one run.
        const view = await this.#parts.setState.propose({ run, ...proposal, token: undefined });
        return { run, answer: view.answer, view };
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
        return { run, answer: { status: "ABORT", reason: error.message } as const, view: null };
      }
    }));
  }

  async #select({ filter, limit }: Selection): Promise<string[]> {
    const views = await this.#parts.list.list({ flow_runs: filter, sort: "ID_DESC", limit, offset: 0 });
    return views.map(({ run }) => run.id);
  }
}
