import { randomName } from "../domain/names.ts";
import { enterState, isTerminal, type ProposedState } from "../domain/run_state.ts";
import { DomainError } from "../errors.ts";
import { Commit } from "../kv/commit.ts";
import type { GroupCommit } from "../kv/group_commit.ts";
import { hashKey } from "../kv/hash.ts";
import {
  bellKey,
  flowKey,
  idempotencyKey,
  onceKey,
  poolKey,
  runDocKey,
  runKey,
  runStateKey,
  waitKey,
} from "../kv/keys.ts";
import { type PackedText, packText, readText, storePieces } from "../kv/large_text.ts";
import { type Entry, get } from "../kv/read.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { DeploymentFlowRunCreate, FlowRunCreate } from "../schemas/flow_run.ts";
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
import { type Deployments, INTEGRITY } from "./deployments.ts";
import { policyFields } from "./flow_run_policy.ts";
import type { FlowRunView, FlowRunViews } from "./flow_run_views.ts";
import type { Flows } from "./flows.ts";
import type { Gates } from "./gate/gates.ts";
import { refuseTooLarge, settlingAhead } from "./large_values.ts";
import { fromStateCreate } from "./proposed_state.ts";
import { DEFAULT_AGENT_POOL, type WorkPools } from "./work_pools.ts";
import type { WorkQueues } from "./work_queues.ts";

/** How often creating is tried again when what it points at changed meanwhile. */
const ATTEMPTS = 20;

/** What a new run is made of, whichever way it comes. */
interface NewRun {
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
}

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

  constructor(deps: ServerDeps, parts: CreationParts) {
    this.#deps = deps;
    this.#parts = parts;
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
        this.#targetOf(value, body.work_queue_name ?? null),
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
        labels: merged(
          flow.value.labels,
          value.labels,
          body.labels ?? "{}",
          JSON.stringify({ "prefect.flow.id": value.flow, "prefect.deployment.id": id }),
        ),
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
      const target = await this.#targetNamed(body.work_pool_name ?? null, body.work_queue_name ?? null);
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
    const { run, doc, packed } = this.#build(id, given);
    const stateData = given.body.state?.data ?? null;
    const data = stateData === null ? null : packText(stateData, ids.uuid());
    if (data) packed.push(data);
    // The mark outlives the run: deleted before its creation is repeated, it would come back otherwise.
    const mark = sharedKv ? onceKey(id) : runKey(id);
    const commit = (sharedKv ? new Commit().once(id) : new Commit().checkAbsent(mark)).writeRun(null, run)
      .set(runDocKey(id), doc)
      .set(runStateKey(id, run.state.timestamp), { ...run.state, data: data?.stored ?? null });
    commit.check(given.flow);
    if (given.deployment) commit.check(given.deployment);
    if (idem) commit.checkAbsent(idem).set(idem, id);
    if (given.queue) commit.check(given.queue);
    const waits = run.pool !== null && run.state.type === "SCHEDULED";
    if (waits) commit.set(waitKey(run.pool!, run.queueNo, run.t, id), 0);
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
      autoScheduled: false,
      infrastructureDocumentId: body.infrastructure_document_id ??
        given.deployment?.value.infrastructureDocumentId ?? null,
      infrastructurePid: null,
      createdBy: null,
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

  async #targetOf(deployment: DeploymentRecord, queueName: string | null): Promise<Target> {
    if (deployment.pool === null) {
      if (queueName === null) return NOWHERE;
      const { id } = await this.#parts.queues.ensureWithoutPool(queueName);
      return {
        queue: await this.#parts.queues.requireOpen(id),
        pool: await this.#parts.pools.require(DEFAULT_AGENT_POOL),
      };
    }
    const pool = (await get(this.#deps.kv, poolKey(deployment.pool))).value;
    if (!pool) throw goneTarget("work pool");
    const queue = queueName === null
      ? deployment.queue
      : (await this.#parts.queues.ensure(pool, queueName)).id;
    if (queue === null) throw goneTarget("work queue");
    return { queue: await this.#parts.queues.requireOpen(queue), pool };
  }

  async #targetNamed(poolName: string | null, queueName: string | null): Promise<Target> {
    if (poolName === null && queueName === null) return NOWHERE;
    const pool = poolName === null
      ? await this.#parts.pools.ensureDefaultAgentPool()
      : await this.#parts.pools.require(poolName);
    if (queueName === null) {
      return { queue: await this.#parts.queues.requireOpen(pool.defaultQueue), pool };
    }
    const queue = await this.#parts.queues.find(pool, queueName);
    if (!queue) throw new DomainError("not_found", `Work queue '${pool.name}/${queueName}' not found.`);
    return { queue: await this.#parts.queues.requireOpen(queue.id), pool };
  }
}

type Target = Pick<NewRun, "queue" | "pool">;
const NOWHERE: Target = { queue: undefined, pool: undefined };

/** Objects merged key by key, later ones first. */
export function merged(...texts: JsonText[]): JsonText {
  return JSON.stringify(Object.assign({}, ...texts.map((text) => fromJsonText(text))));
}

const goneTarget = (what: string) =>
  new DomainError(
    "conflict",
    `The ${what} that this run would go to was deleted. Set another one and try again.`,
  );

/** A pooled run takes its slot through the gate, so it cannot be born in a state that holds one. */
function refusePooledState({ queue, state }: NewRun): void {
  if (!queue || state.type === "SCHEDULED" || isTerminal(state.type)) return;
  throw new DomainError(
    "invalid",
    `A run in a work pool is created SCHEDULED, not ${state.type}: it becomes PENDING when it is claimed.`,
    { field: ["state", "type"] },
  );
}
