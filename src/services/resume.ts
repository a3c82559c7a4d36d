import type { Answer } from "../domain/plan_transition.ts";
import { DomainError } from "../errors.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { JsonText, RunRecord, StateDetails } from "../schemas/records.ts";
import type { StateCreate } from "../schemas/state.ts";
import type { FlowRunInputs } from "./flow_run_inputs.ts";
import type { FlowRunView } from "./flow_run_views.ts";
import type { FlowRuns } from "./flow_runs.ts";
import { describeViolations, schemaViolations, UnusableSchemaError } from "./json_schema.ts";
import { refuseTooLarge, settlingAhead } from "./large_values.ts";
import type { SetState, SetStateView } from "./set_state.ts";

/** What became of the wish to resume a run. */
export interface ResumeView {
  answer: Answer;
  /** Null when the run is not paused. */
  run: RunRecord | null;
  stateData: JsonText | null;
  isWritten: boolean;
}

/** How often it is looked anew what the run is waiting for. */
const ATTEMPTS = 20;

/** Ends pauses of runs, with the input that they ask for. */
export class Resume {
  readonly #deps: ServerDeps;
  readonly #parts: { runs: FlowRuns; inputs: FlowRunInputs; setState: SetState };

  constructor(deps: ServerDeps, parts: { runs: FlowRuns; inputs: FlowRunInputs; setState: SetState }) {
    this.#deps = deps;
    this.#parts = parts;
  }

  /**
   * A run whose process waits runs on under whoever holds it; a suspended one is scheduled now. The input is checked
   * against the schema that the run asked with, and stored in the commit of the state.
   *
   * @throws DomainError `not_found`, `too_large`
   */
  async resume(id: string, input: JsonText | null): Promise<ResumeView> {
    refuseTooLarge(input ?? "{}", "run_input");
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const view = await this.#parts.runs.get(id);
      const { state } = view.run;
      if (state.type !== "PAUSED") return notPaused();
      const keys = state.details.run_input_keyset;
      const problem = keys && await this.#problemOf(id, keys, input);
      if (problem) return rejected(view, problem);
      const answer = await this.#propose(view.run, keys?.["response"], input);
      if (answer.isWritten || answer.run.state.id === state.id || answer.answer.status !== "ABORT") {
        return answer;
      }
    }
    throw new DomainError("contention", "The run changed while it was being resumed: try again.");
  }

  /** What the input lacks, in words; undefined when it is as the run asked for. */
  async #problemOf(run: string, keys: Record<string, string>, input: JsonText | null) {
    const schemaKey = keys["schema"];
    if (schemaKey === undefined) return undefined;
    const schema = await this.#parts.inputs.find(run, schemaKey);
    if (schema === undefined) return `The run has no input '${schemaKey}' with the schema of its input.`;
    try {
      const violations = schemaViolations(JSON.parse(schema), JSON.parse(input ?? "{}"));
      return violations.length > 0 ? `Reason: ${describeViolations(violations)}` : undefined;
    } catch (error) {
      if (error instanceof SyntaxError) return "The schema of the run's input is no JSON.";
      if (error instanceof UnusableSchemaError) return error.message;
      throw error;
    }
  }

  async #propose(
    run: RunRecord,
    responseKey: string | undefined,
    input: JsonText | null,
  ): Promise<SetStateView> {
    const { kv } = this.#deps;
    const asked = { run: run.id, state: nextState(run.state.details), force: false, token: undefined };
    const isGiven = responseKey !== undefined && input !== null && input !== "{}";
    const response = isGiven ? await this.#parts.inputs.prepare(run.id, responseKey, input) : undefined;
    return await settlingAhead(
      kv,
      [response?.ahead],
      () => this.#parts.setState.propose({ ...asked, resumes: run.state.id, beside: response?.commit }),
    );
  }
}

const nextState = ({ pause_reschedule: isSuspended }: StateDetails): StateCreate =>
  isSuspended ? { type: "SCHEDULED", name: "Resuming" } : { type: "RUNNING" };

const notPaused = (): ResumeView => ({
  answer: { status: "ABORT", reason: "Cannot resume a flow run that is not paused." },
  run: null,
  stateData: null,
  isWritten: false,
});

const rejected = ({ run, stateData }: FlowRunView, reason: string): ResumeView => ({
  answer: { status: "REJECT", reason },
  run,
  stateData,
  isWritten: false,
});
