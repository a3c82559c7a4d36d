/** What happens to runs → objects of the wire. */
import type { FlowRunOrchestrationResult } from "../schemas/flow_run_bulk.ts";
import type { Graph } from "../schemas/flow_run_graph.ts";
import type { FlowRunInput } from "../schemas/flow_run_input.ts";
import type { RunRecord } from "../schemas/records.ts";
import type { OrchestrationResult, State } from "../schemas/state.ts";
import { formatInstant, formatOptional } from "../schemas/wire.ts";
import type { BulkStateResult } from "../services/flow_run_bulk.ts";
import type { FlowRunInputView } from "../services/flow_run_inputs.ts";
import type { StateView } from "../services/flow_run_states.ts";
import type { ResumeView } from "../services/resume.ts";
import type { SetStateView } from "../services/set_state.ts";
import { toState } from "./shapes.ts";

export const toHistoryState = ({ run, state, data }: StateView): State => toState(run, state, data);

export function toGraph(run: RunRecord, states: readonly StateView[]): Graph {
  return {
    start_time: formatOptional(run.startTime),
    end_time: formatOptional(run.endTime),
    root_node_ids: [],
    nodes: [],
    artifacts: [],
    states: states.map(({ state: { id, timestamp, type, name } }) => ({
      id,
      timestamp: formatInstant(timestamp),
      type,
      name,
    })),
  };
}

export const toOrchestrationResult = ({ answer, run, stateData }: SetStateView): OrchestrationResult =>
  orchestrated(answer, toState(run.id, run.state, stateData));

/** A refused input has the details of an abort, whatever the status: a quirk of the reference. */
export function toResumeResult({ answer, run, stateData, isWritten }: ResumeView): OrchestrationResult {
  const result = orchestrated(answer, run && toState(run.id, run.state, stateData));
  const isQuirk = answer.status === "REJECT" && !isWritten;
  return isQuirk ? { ...result, details: { ...result.details, type: "abort_details" } } : result;
}

export const toBulkStateResult = ({ run, answer, view }: BulkStateResult): FlowRunOrchestrationResult => ({
  flow_run_id: run,
  ...orchestrated(answer, view && toState(run, view.run.state, view.stateData)),
});

function orchestrated(answer: SetStateView["answer"], state: State | null): OrchestrationResult {
  const { status, reason, delaySeconds } = answer;
  return {
    state,
    status,
    details: {
      type: `${status.toLowerCase()}_details`,
      ...(status === "ACCEPT" ? {} : { reason }),
      ...(delaySeconds === undefined ? {} : { delay_seconds: delaySeconds }),
    },
  };
}

export function toFlowRunInput({ run, input, value }: FlowRunInputView): FlowRunInput {
  const created = formatInstant(input.created);
  return {
    id: input.id,
    created,
    updated: created,
    flow_run_id: run,
    key: input.key,
    value,
    sender: input.sender,
  };
}
