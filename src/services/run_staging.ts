import { randomName } from "../domain/names.ts";
import { enterState, type ProposedState } from "../domain/run_state.ts";
import type { Commit } from "../kv/commit.ts";
import { hashKey } from "../kv/hash.ts";
import { idempotencyKey, runDocKey, runStateKey, waitKey } from "../kv/keys.ts";
import { type PackedText, packText } from "../kv/large_text.ts";
import type { Entry } from "../kv/read.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { DeploymentFlowRunCreate } from "../schemas/flow_run.ts";
import type {
  DeploymentRecord,
  FlowRecord,
  JsonText,
  RunDoc,
  RunRecord,
  WorkPoolRecord,
  WorkQueueRecord,
} from "../schemas/records.ts";
import { fromJsonText } from "../schemas/wire.ts";
import { policyFields } from "./flow_run_policy.ts";
import { refuseTooLarge } from "./large_values.ts";

/** What a new run is made of, whichever way it comes. */
export interface NewRun {
  body: DeploymentFlowRunCreate & { flow_version?: string | null | undefined };
  flow: Entry<FlowRecord> & { value: FlowRecord };
  deployment: (Entry<DeploymentRecord> & { value: DeploymentRecord }) | undefined;
  queue: (Entry<WorkQueueRecord> & { value: WorkQueueRecord }) | undefined;
  pool: WorkPoolRecord | undefined;
  parameters: JsonText;
  labels: JsonText;
  tags: string[];
  jobVariables: JsonText | null;
  state: ProposedState;
  /** Of a run that a schedule made. */
  createdBy?: JsonText;
}

/** A run in the commit that will create it. */
export interface StagedRun {
  run: RunRecord;
  doc: RunDoc;
  /** `data` of its state. */
  stateData: JsonText | null;
  /** Whether it stands in the index of waiting runs. */
  waits: boolean;
  packed: PackedText[];
}

/** Makes the records of new runs. */
export class RunStaging {
  readonly #deps: ServerDeps;

  constructor(deps: ServerDeps) {
    this.#deps = deps;
  }

  /** Puts the run, with all that belongs to it, into a commit; what it points at is checked. */
  stage(commit: Commit, id: string, given: NewRun): StagedRun {
    const { run, doc, packed } = this.#build(id, given);
    const stateData = given.body.state?.data ?? null;
    const data = stateData === null ? null : packText(stateData, this.#deps.ids.uuid());
    if (data) packed.push(data);
    commit.writeRun(null, run)
      .set(runDocKey(id), doc)
      .set(runStateKey(id, run.state.timestamp), { ...run.state, data: data?.stored ?? null })
      .check(given.flow);
    if (given.deployment) commit.check(given.deployment);
    if (given.queue) commit.check(given.queue);
    if (doc.idempotencyKey) commit.set(idempotencyKey(run.flow, hashKey(doc.idempotencyKey)), id);
    const waits = run.pool !== null && run.state.type === "SCHEDULED";
    if (waits) commit.set(waitKey(run.pool!, run.queueNo, run.t, id), 0);
    return { run, doc, stateData, waits, packed };
  }

  #build(id: string, given: NewRun): { run: RunRecord; doc: RunDoc; packed: PackedText[] } {
    const { ids, clock, random } = this.#deps;
    const { body, state } = given;
    const now = clock.now();
    refuseTooLarge(given.parameters, "parameters");
    refuseTooLarge(body.context, "context");
    refuseTooLarge(given.jobVariables ?? "{}", "job_variables");
    if (body.state?.data) refuseTooLarge(body.state.data, "data", { field: ["state", "data"] });
    const pack = (text: JsonText) => packText(text, ids.uuid());
    const parameters = pack(given.parameters);
    const context = pack(body.context);
    const jobVariables = given.jobVariables === null ? null : pack(given.jobVariables);
    const doc: RunDoc = {
      id,
      name: body.name || randomName(random.unit(), random.unit()),
      flowVersion: body.flow_version ?? null,
      deploymentVersion: given.deployment?.value.version ?? null,
      parameters: parameters.stored,
      context: context.stored,
      jobVariables: jobVariables?.stored ?? null,
      idempotencyKey: body.idempotency_key ?? null,
      tags: given.tags,
      labels: given.labels,
      parentTaskRunId: body.parent_task_run_id ?? null,
      autoScheduled: given.createdBy !== undefined,
      infrastructureDocumentId: body.infrastructure_document_id ??
        given.deployment?.value.infrastructureDocumentId ?? null,
      infrastructurePid: null,
      createdBy: given.createdBy ?? null,
      ...policyFields(body.empirical_policy),
      updated: now,
    };
    const packed = [parameters, context, ...jobVariables ? [jobVariables] : []];
    return { run: this.#firstRecord(id, given, state), doc, packed };
  }

  #firstRecord(id: string, given: NewRun, proposed: ProposedState): RunRecord {
    const now = this.#deps.clock.now();
    const state = { ...proposed, id: this.#deps.ids.kin(id), timestamp: now };
    const blank: RunRecord = {
      id,
      flow: given.flow.value.id,
      deployment: given.deployment?.value.id ?? null,
      pool: given.queue?.value.pool ?? null,
      queue: given.queue?.value.id ?? null,
      queueNo: given.queue?.value.no ?? 0,
      t: proposed.details.scheduled_time ?? now,
      // Entered below, from a state that is none of those whose leaving counts.
      state: { ...state, type: "SCHEDULED" },
      attempt: 0,
      token: null,
      session: null,
      started: false,
      pauseKeys: [],
      retryType: null,
      resuming: false,
      runCount: 0,
      expectedStart: null,
      nextStart: null,
      startTime: null,
      endTime: null,
      totalRunTime: 0,
      created: now,
      updated: now,
    };
    return enterState(blank, state);
  }
}

/** Objects merged key by key, later ones first. */
export function merged(...texts: JsonText[]): JsonText {
  return JSON.stringify(Object.assign({}, ...texts.map((text) => fromJsonText(text))));
}

/** Labels of a deployment's run: the flow's, the deployment's, its own, and which flow and deployment it is of. */
export function deploymentRunLabels(
  flow: FlowRecord,
  deployment: DeploymentRecord,
  own: JsonText = "{}",
): JsonText {
  const fixed = JSON.stringify({ "prefect.flow.id": flow.id, "prefect.deployment.id": deployment.id });
  return merged(flow.labels, deployment.labels, own, fixed);
}
