import { isTerminal } from "../domain/run_state.ts";
import { DomainError } from "../errors.ts";
import { Commit } from "../kv/commit.ts";
import type { GroupCommit } from "../kv/group_commit.ts";
import { hashKey } from "../kv/hash.ts";
import { bellKey, flowKey, idempotencyKey, onceKey, runKey } from "../kv/keys.ts";
import { readText, storePieces } from "../kv/large_text.ts";
import { get } from "../kv/read.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { DeploymentFlowRunCreate, FlowRunCreate } from "../schemas/flow_run.ts";
import type { DeploymentRecord, JsonText } from "../schemas/records.ts";
import { type Deployments, INTEGRITY } from "./deployments.ts";
import type { FlowRunView, FlowRunViews } from "./flow_run_views.ts";
import type { Flows } from "./flows.ts";
import type { Gates } from "./gate/gates.ts";
import { settlingAhead } from "./large_values.ts";
import { fromStateCreate } from "./proposed_state.ts";
import { deploymentRunLabels, merged, type NewRun, RunStaging } from "./run_staging.ts";
import { RunTargets } from "./run_targets.ts";
import type { WorkPools } from "./work_pools.ts";
import type { WorkQueues } from "./work_queues.ts";

/** How often creating is tried again when what it points at changed meanwhile. */
const ATTEMPTS = 20;

/** What creating a run needs of the other use cases. */
export interface CreationParts {
  gates: Gates;
  group: GroupCommit;
  flows: Flows;
  pools: WorkPools;
  queues: WorkQueues;
  deployments: Deployments;
  views: FlowRunViews;
}

/** Creates runs: of a deployment, by an engine, or into a pool. */
export class FlowRunCreation {
  readonly #deps: ServerDeps;
  readonly #parts: CreationParts;
  readonly #staging: RunStaging;
  readonly #targets: RunTargets;

  constructor(deps: ServerDeps, parts: CreationParts) {
    this.#deps = deps;
    this.#parts = parts;
    this.#staging = new RunStaging(deps);
    this.#targets = new RunTargets(deps, parts);
  }

  /**
   * A run of a deployment, in the deployment's pool and queue. With an idempotency key that the flow has seen, the
   * run made then.
   *
   * @throws DomainError `not_found`: no such deployment; `conflict`: its pool or queue was deleted; `invalid`
   */
  async createFromDeployment(
    id: string,
    body: DeploymentFlowRunCreate,
  ): Promise<{ view: FlowRunView; isNew: boolean }> {
    return await this.#create(body, async () => {
      const deployment = await this.#parts.deployments.require(id);
      const { value } = deployment;
      const [parameters, flow, target] = await Promise.all([
        this.#parametersOf(value, body),
        this.#parts.flows.requireOpen(value.flow),
        this.#targets.of(value, body.work_queue_name ?? null),
      ]);
      await this.#parts.deployments.checks.checkRunVariables(target.pool, value, body);
      return {
        body,
        flow,
        deployment,
        ...target,
        parameters,
        // Its own only: the deployment's are added when the job is made, so that later changes of them count.
        jobVariables: body.job_variables ?? "{}",
        labels: deploymentRunLabels(flow.value, value, body.labels ?? "{}"),
        tags: [...new Set([...value.tags, ...body.tags])].sort(),
        state: fromStateCreate(body.state, "SCHEDULED", this.#deps.clock.now()),
      };
    });
  }

  /** The deployment's parameters under the run's own. */
  async #parametersOf(deployment: DeploymentRecord, body: DeploymentFlowRunCreate): Promise<JsonText> {
    const both = merged(await readText(this.#deps.kv, deployment.parameters), body.parameters);
    return await this.#parts.deployments.checks.runParameters(both, deployment, body);
  }

  /** A run without a deployment: by an engine, or into a pool. @throws DomainError as above; `conflict`: no such flow */
  async create(body: FlowRunCreate): Promise<{ view: FlowRunView; isNew: boolean }> {
    return await this.#create(body, async () => {
      const { value, ...version } = await get(this.#deps.kv, flowKey(body.flow_id));
      if (!value || value.closing) throw new DomainError("conflict", INTEGRITY);
      const flow = { value, ...version };
      const target = await this.#targets.named(body.work_pool_name ?? null, body.work_queue_name ?? null);
      return {
        body,
        flow,
        deployment: body.deployment_id
          ? await this.#parts.deployments.require(body.deployment_id)
          : undefined,
        ...target,
        parameters: body.parameters,
        jobVariables: body.job_variables ?? "{}",
        labels: merged(value.labels, body.labels ?? "{}", JSON.stringify({ "prefect.flow.id": value.id })),
        tags: body.tags,
        state: fromStateCreate(body.state, target.queue ? "SCHEDULED" : "PENDING", this.#deps.clock.now()),
      };
    });
  }

  async #create(
    body: { idempotency_key?: string | null | undefined },
    prepare: () => Promise<NewRun>,
  ): Promise<{ view: FlowRunView; isNew: boolean }> {
    const id = this.#deps.ids.uuid();
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const given = await prepare();
      const idem = body.idempotency_key
        ? idempotencyKey(given.flow.value.id, hashKey(body.idempotency_key))
        : undefined;
      const known = idem && (await get(this.#deps.kv, idem)).value;
      if (known && known !== id) {
        const [view] = await this.#parts.views.views([known]);
        if (view) return { view, isNew: false };
        continue; // deleted just now, and the key with it
      }
      const view = await this.#enqueue(id, given, idem);
      if (view) return { view, isNew: true };
    }
    throw new DomainError(
      "contention",
      "What the run points at changed while it was being created: try again.",
    );
  }

  /**
   * Undefined when something changed meanwhile. The queue and the deployment are checked, so that a run never lands
   * in a queue that is being deleted or where its deployment no longer points.
   */
  async #enqueue(id: string, given: NewRun, idem: Deno.KvKey | undefined): Promise<FlowRunView | undefined> {
    const { kv, sharedKv, ids } = this.#deps;
    refusePooledState(given);
    // The mark outlives the run: deleted before its creation is repeated, it would come back otherwise.
    const mark = sharedKv ? onceKey(id) : runKey(id);
    const commit = sharedKv ? new Commit().once(id) : new Commit().checkAbsent(mark);
    const { run, doc, stateData, waits, packed } = this.#staging.stage(commit, id, given);
    if (idem) commit.checkAbsent(idem);
    if (waits && sharedKv) commit.set(bellKey(run.pool!), ids.token());
    const ahead = await storePieces(kv, commit, packed);
    const isMade = await settlingAhead(kv, ahead, async () => {
      try {
        const applied = await this.#parts.group.send(commit);
        // An earlier attempt of the runtime may have been applied.
        return applied || (await get<unknown>(kv, mark)).value !== null;
      } finally {
        // Also when the outcome is unknown: looking in vain is cheap, not looking would lose the run for seconds.
        if (waits) this.#parts.gates.enqueued(run.pool!, run.queueNo);
      }
    });
    if (!isMade) return undefined;
    return {
      run,
      doc,
      parameters: given.parameters,
      context: given.body.context,
      jobVariables: given.jobVariables,
      stateData,
      queueName: given.queue?.value.name ?? null,
      poolName: given.pool?.name ?? null,
    };
  }
}

/** A pooled run takes its slot through the gate, so it cannot be born in a state that holds one. */
function refusePooledState({ queue, state }: NewRun): void {
  if (!queue || state.type === "SCHEDULED" || isTerminal(state.type)) return;
  throw new DomainError(
    "invalid",
    `A run in a work pool is created SCHEDULED, not ${state.type}: it becomes PENDING when it is claimed.`,
    { field: ["state", "type"] },
  );
}
