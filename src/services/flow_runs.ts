import { DomainError } from "../errors.ts";
import { Commit } from "../kv/commit.ts";
import type { GroupCommit } from "../kv/group_commit.ts";
import { runDocKey, runKey } from "../kv/keys.ts";
import { dropPieces, type PackedText, packText, storePieces } from "../kv/large_text.ts";
import { get } from "../kv/read.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { DeploymentFlowRunCreate, FlowRunCreate, FlowRunUpdate } from "../schemas/flow_run.ts";
import type { JsonText, RunDoc } from "../schemas/records.ts";
import type { Deployments } from "./deployments.ts";
import { type CreationParts, FlowRunCreation } from "./flow_run_creation.ts";
import { FlowRunDeletion } from "./flow_run_deletion.ts";
import { policyFields } from "./flow_run_policy.ts";
import { type FlowRunView, FlowRunViews, type ReadRunView } from "./flow_run_views.ts";
import type { Gates } from "./gate/gates.ts";
import { move, MovedError } from "./gate/run_operations.ts";
import { refuseTooLarge, settlingAhead } from "./large_values.ts";
import { merged } from "./run_staging.ts";
import type { WorkQueues } from "./work_queues.ts";

/** How often a write is tried again when another one came between. */
const ATTEMPTS = 20;

/** One of several runs: its id, or why there is none. */
export interface BulkResult {
  run?: string;
  error?: string;
}

export class FlowRuns {
  readonly #deps: ServerDeps;
  readonly #gates: Gates;
  readonly #group: GroupCommit;
  readonly #queues: WorkQueues;
  readonly #deployments: Deployments;
  readonly #views: FlowRunViews;
  readonly #creation: FlowRunCreation;
  readonly #deletion: FlowRunDeletion;

  constructor(deps: ServerDeps, parts: Omit<CreationParts, "views"> & { deletion: FlowRunDeletion }) {
    this.#deps = deps;
    this.#gates = parts.gates;
    this.#group = parts.group;
    this.#queues = parts.queues;
    this.#deployments = parts.deployments;
    this.#views = new FlowRunViews(deps.kv);
    this.#deletion = parts.deletion;
    this.#creation = new FlowRunCreation(deps, { ...parts, views: this.#views });
  }

  /** {@link FlowRunCreation.createFromDeployment} */
  createFromDeployment(
    id: string,
    body: DeploymentFlowRunCreate,
  ): Promise<{ view: FlowRunView; isNew: boolean }> {
    return this.#creation.createFromDeployment(id, body);
  }

  /**
   * Several runs of a deployment. One that cannot be made keeps none of the others from being made.
   *
   * @throws DomainError `not_found`: no such deployment
   */
  async createManyFromDeployment(
    id: string,
    bodies: readonly DeploymentFlowRunCreate[],
  ): Promise<BulkResult[]> {
    await this.#deployments.require(id);
    return await Promise.all(bodies.map(async (body) => {
      try {
        return { run: (await this.#creation.createFromDeployment(id, body)).view.run.id };
      } catch (error) {
        if (error instanceof DomainError) return { error: error.message };
        throw error;
      }
    }));
  }

  /** {@link FlowRunCreation.create} */
  create(body: FlowRunCreate): Promise<{ view: FlowRunView; isNew: boolean }> {
    return this.#creation.create(body);
  }

  /** {@link FlowRunViews.get} */
  get(id: string): Promise<FlowRunView> {
    return this.#views.get(id);
  }

  /** {@link FlowRunViews.views} */
  views(ids: readonly string[]): Promise<ReadRunView[]> {
    return this.#views.views(ids);
  }

  /** Only the keys that are present are written. @throws DomainError `not_found`, `too_large` */
  async update(id: string, body: FlowRunUpdate): Promise<void> {
    const { kv, ids } = this.#deps;
    const texts: Partial<Record<"parameters" | "jobVariables", PackedText>> = {};
    if (body.parameters) {
      refuseTooLarge(body.parameters, "parameters");
      texts.parameters = packText(body.parameters, ids.uuid());
    }
    if (body.job_variables) {
      refuseTooLarge(body.job_variables, "job_variables");
      texts.jobVariables = packText(body.job_variables, ids.uuid());
    }
    const pieces = new Commit();
    const ahead = await storePieces(kv, pieces, Object.values(texts));
    await settlingAhead(kv, ahead, () =>
      this.#change(id, (doc, commit) => {
        commit.add(pieces);
        const next = { ...doc, ...plainFields(body) };
        for (const field of ["parameters", "jobVariables"] as const) {
          const text = texts[field];
          if (text) next[field] = text.stored;
          if (next[field] !== doc[field]) dropPieces(commit, doc[field]);
        }
        return next;
      }));
  }

  /** Adds the labels to those that are there. @throws DomainError `not_found` */
  async updateLabels(id: string, labels: JsonText): Promise<void> {
    await this.#change(id, (doc) => ({ ...doc, labels: merged(doc.labels, labels) }));
  }

  /** Writes what `alter` makes of the run's description; it may add to the commit. */
  async #change(id: string, alter: (doc: RunDoc, commit: Commit) => RunDoc): Promise<void> {
    const { kv, clock } = this.#deps;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const [run, entry] = await Promise.all([get(kv, runKey(id)), get(kv, runDocKey(id))]);
      if (!run.value || !entry.value) throw new DomainError("not_found", "Flow run not found");
      const commit = new Commit().check(entry).touchRun(run.value);
      commit.set(runDocKey(id), { ...alter(entry.value, commit), updated: clock.now() });
      if (await this.#group.send(commit)) return;
    }
    throw new DomainError("contention", "The run changed while it was being written: try again.");
  }

  /** {@link FlowRunDeletion.delete} */
  delete(id: string): Promise<void> {
    return this.#deletion.delete(id);
  }

  /**
   * Moves a waiting run to another queue, of any pool. False when it does not wait any more.
   *
   * @throws DomainError `not_found`, `conflict` when the queue is being deleted
   */
  async move(id: string, queueId: string): Promise<boolean> {
    const { kv, clock } = this.#deps;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const run = (await get(kv, runKey(id))).value;
      if (!run) throw new DomainError("not_found", "Flow run not found");
      if (run.pool === null) return false;
      const queue = await this.#queues.requireOpen(queueId);
      try {
        return await this.#gates.of(run.pool).submit(move(id, queueId, () => clock.now()));
      } catch (error) {
        if (!(error instanceof MovedError)) throw error;
      } finally {
        // Also when the outcome is unknown: looking in vain is cheap.
        this.#gates.enqueued(queue.value.pool, queue.value.no);
      }
    }
    throw new DomainError("contention", "The run was moved by others at the same time: try again.");
  }
}

function plainFields(body: FlowRunUpdate): Partial<RunDoc> {
  const fields: Partial<RunDoc> = {};
  if (body.name) fields.name = body.name;
  if (body.flow_version !== undefined) fields.flowVersion = body.flow_version;
  if (body.infrastructure_pid !== undefined) fields.infrastructurePid = body.infrastructure_pid;
  if (body.tags) fields.tags = body.tags;
  if (body.job_variables === null) fields.jobVariables = null;
  if (body.empirical_policy) Object.assign(fields, policyFields(body.empirical_policy));
  return fields;
}
