import { randomName } from "../domain/names.ts";
import { enterState, isTerminal, type ProposedState } from "../domain/run_state.ts";
import { DomainError } from "../errors.ts";
import { Commit } from "../kv/commit.ts";
import type { GroupCommit } from "../kv/group_commit.ts";
import { hashKey } from "../kv/hash.ts";
import {
  bellKey,
  flowKey,
  gateKey,
  idempotencyKey,
  logKey,
  poolKey,
  queueKey,
  runDocKey,
  runKey,
  runStateKey,
  waitKey,
} from "../kv/keys.ts";
import { dropPieces, type PackedText, packText, readText, storePieces } from "../kv/large_text.ts";
import { type Entry, get, getMany } from "../kv/read.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { DeploymentFlowRunCreate, FlowRunCreate, FlowRunUpdate } from "../schemas/flow_run.ts";
import type {
  DeploymentRecord,
  FlowRecord,
  JsonText,
  LogChunk,
  RunDoc,
  RunRecord,
  StateRecord,
  WorkQueueRecord,
} from "../schemas/records.ts";
import { fromJsonText } from "../schemas/wire.ts";
import { type Deployments, INTEGRITY, refuseTooLarge } from "./deployments.ts";
import type { Flows } from "./flows.ts";
import type { Gates } from "./gate/gates.ts";
import { PoolGoneError } from "./gate/operation.ts";
import { move, MovedError, remove } from "./gate/run_operations.ts";
import { fromStateCreate } from "./proposed_state.ts";
import type { WorkPools } from "./work_pools.ts";
import type { WorkQueues } from "./work_queues.ts";

/** A run as people see it. */
export interface FlowRunView {
  run: RunRecord;
  doc: RunDoc;
  parameters: JsonText;
  context: JsonText;
  jobVariables: JsonText | null;
  /** `data` of the current state. */
  stateData: JsonText | null;
  queueName: string | null;
  poolName: string | null;
}

/** How often creating is tried again when what it points at changed meanwhile. */
const ATTEMPTS = 20;

/** States deleted together with their run; a long history goes after it. */
const STATES_IN_COMMIT = 50;

/** What a new run is made of, whichever way it comes. */
interface NewRun {
  body: DeploymentFlowRunCreate & { flow_version?: string | null | undefined };
  flow: FlowRecord;
  deployment: (Entry<DeploymentRecord> & { value: DeploymentRecord }) | undefined;
  queue: (Entry<WorkQueueRecord> & { value: WorkQueueRecord }) | undefined;
  poolName: string | null;
  parameters: JsonText;
  labels: JsonText;
  tags: string[];
  jobVariables: JsonText | null;
  state: ProposedState;
}

export class FlowRuns {
  readonly #deps: ServerDeps;
  readonly #gates: Gates;
  readonly #group: GroupCommit;
  readonly #flows: Flows;
  readonly #pools: WorkPools;
  readonly #queues: WorkQueues;
  readonly #deployments: Deployments;

  constructor(
    deps: ServerDeps,
    parts: {
      gates: Gates;
      group: GroupCommit;
      flows: Flows;
      pools: WorkPools;
      queues: WorkQueues;
      deployments: Deployments;
    },
  ) {
    this.#deps = deps;
    this.#gates = parts.gates;
    this.#group = parts.group;
    this.#flows = parts.flows;
    this.#pools = parts.pools;
    this.#queues = parts.queues;
    this.#deployments = parts.deployments;
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
      const deployment = await this.#deployments.require(id);
      const { value } = deployment;
      const [parameters, flow] = await Promise.all([
        readText(this.#deps.kv, value.parameters),
        this.#flows.get(value.flow),
      ]);
      return {
        body,
        flow,
        deployment,
        ...await this.#targetOf(value, body.work_queue_name ?? null),
        parameters: merged(parameters, body.parameters),
        // Its own only: the deployment's are added when the job is made, so that later changes of them count.
        jobVariables: body.job_variables ?? "{}",
        labels: merged(
          flow.labels,
          value.labels,
          body.labels ?? "{}",
          JSON.stringify({ "prefect.flow.id": flow.id, "prefect.deployment.id": id }),
        ),
        tags: [...new Set([...value.tags, ...body.tags])].sort(),
        state: fromStateCreate(body.state, "SCHEDULED", this.#deps.clock.now()),
      };
    });
  }

  /** A run without a deployment: by an engine, or into a pool. @throws DomainError as above; `conflict`: no such flow */
  async create(body: FlowRunCreate): Promise<{ view: FlowRunView; isNew: boolean }> {
    return await this.#create(body, async () => {
      const { value: flow } = await get(this.#deps.kv, flowKey(body.flow_id));
      if (!flow) throw new DomainError("conflict", INTEGRITY);
      const target = await this.#targetNamed(body.work_pool_name ?? null, body.work_queue_name ?? null);
      return {
        body,
        flow,
        deployment: body.deployment_id ? await this.#deployments.require(body.deployment_id) : undefined,
        ...target,
        parameters: body.parameters,
        jobVariables: body.job_variables ?? "{}",
        labels: merged(flow.labels, body.labels ?? "{}", JSON.stringify({ "prefect.flow.id": flow.id })),
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
        ? idempotencyKey(given.flow.id, hashKey(body.idempotency_key))
        : undefined;
      const known = idem && (await get(this.#deps.kv, idem)).value;
      if (known && known !== id) return { view: await this.get(known), isNew: false };
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
    const commit = new Commit().checkAbsent(runKey(id)).writeRun(null, run).set(runDocKey(id), doc)
      .set(runStateKey(id, run.state.timestamp), { ...run.state, data: data?.stored ?? null });
    if (given.deployment) commit.check(given.deployment);
    if (idem) commit.checkAbsent(idem).set(idem, id);
    if (given.queue) commit.check(given.queue);
    const waits = run.pool !== null && run.state.type === "SCHEDULED";
    if (waits) commit.set(waitKey(run.pool!, run.queueNo, run.t, id), 0);
    if (waits && sharedKv) commit.set(bellKey(run.pool!), ids.token());
    await storePieces(kv, commit, packed);
    try {
      const applied = await this.#group.send(commit);
      // An earlier attempt of the runtime may have been applied.
      if (!applied && (await get(kv, runKey(id))).value === null) return undefined;
    } finally {
      // Also when the outcome is unknown: looking in vain is cheap, not looking would lose the run for seconds.
      if (waits) this.#gates.enqueued(run.pool!, run.queueNo);
    }
    return {
      run,
      doc,
      parameters: given.parameters,
      context: given.body.context,
      jobVariables: given.jobVariables,
      stateData,
      queueName: given.queue?.value.name ?? null,
      poolName: given.poolName,
    };
  }

  #build(id: string, given: NewRun): { run: RunRecord; doc: RunDoc; packed: PackedText[] } {
    const { ids, clock, random } = this.#deps;
    const { body, state } = given;
    const now = clock.now();
    refuseTooLarge(given.parameters, "parameters");
    const pack = (text: JsonText) => packText(text, ids.uuid());
    const parameters = pack(given.parameters);
    const context = pack(body.context);
    const jobVariables = given.jobVariables === null ? null : pack(given.jobVariables);
    const policy = body.empirical_policy;
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
      maxRetries: policy?.max_retries ?? 0,
      retryDelaySeconds: policy?.retry_delay_seconds ?? 0,
      retries: policy?.retries ?? null,
      retryDelay: policy?.retry_delay ?? null,
      updated: now,
    };
    const packed = [parameters, context, ...jobVariables ? [jobVariables] : []];
    return { run: this.#firstRecord(id, given, state), doc, packed };
  }

  #firstRecord(id: string, given: NewRun, proposed: ProposedState): RunRecord {
    const now = this.#deps.clock.now();
    const state = { ...proposed, id: this.#deps.ids.uuid(), timestamp: now };
    const blank: RunRecord = {
      id,
      flow: given.flow.id,
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
      return queueName === null ? NOWHERE : await this.#targetNamed(null, queueName);
    }
    const pool = (await get(this.#deps.kv, poolKey(deployment.pool))).value;
    if (!pool) throw goneTarget("work pool");
    const queue = queueName === null ? deployment.queue : (await this.#queues.ensure(pool, queueName)).id;
    if (queue === null) throw goneTarget("work queue");
    return { queue: await this.#queueEntry(queue), poolName: pool.name };
  }

  async #targetNamed(poolName: string | null, queueName: string | null): Promise<Target> {
    if (poolName === null && queueName === null) return NOWHERE;
    const pool = poolName === null
      ? await this.#pools.ensureDefaultAgentPool()
      : await this.#pools.require(poolName);
    if (queueName === null) return { queue: await this.#queueEntry(pool.defaultQueue), poolName: pool.name };
    const queue = await this.#queues.find(pool, queueName);
    if (!queue) throw new DomainError("not_found", `Work queue '${pool.name}/${queueName}' not found.`);
    return { queue: await this.#queueEntry(queue.id), poolName: pool.name };
  }

  async #queueEntry(id: string) {
    const entry = await get(this.#deps.kv, queueKey(id));
    if (!entry.value || entry.value.state !== "open") throw goneTarget("work queue");
    return { ...entry, value: entry.value };
  }

  /** @throws DomainError `not_found` */
  async get(id: string): Promise<FlowRunView> {
    const [view] = await this.views([id]);
    if (!view) throw new DomainError("not_found", "Flow run not found");
    return view;
  }

  /** The runs that are there, in the order of `ids`. */
  async views(ids: readonly string[]): Promise<FlowRunView[]> {
    const { kv } = this.#deps;
    const [runs, docs] = await Promise.all([getMany(kv, ids.map(runKey)), getMany(kv, ids.map(runDocKey))]);
    const queues = new Set(runs.flatMap(({ value }) => value?.queue ?? []));
    const pools = new Set(runs.flatMap(({ value }) => value?.pool ?? []));
    const [queueEntries, poolEntries] = await Promise.all([
      getMany(kv, [...queues].map(queueKey)),
      getMany(kv, [...pools].map(poolKey)),
    ]);
    const names = new Map(
      [...queueEntries, ...poolEntries].flatMap(({ value }) => value ? [[value.id, value.name]] : []),
    );
    const views = runs.map(async ({ value: run }, i): Promise<FlowRunView | undefined> => {
      const doc = docs[i]?.value;
      if (!run || !doc) return undefined;
      const [parameters, context, jobVariables, stateData] = await Promise.all([
        readText(kv, doc.parameters),
        readText(kv, doc.context),
        doc.jobVariables === null ? null : readText(kv, doc.jobVariables),
        run.state.hasData ? this.#stateData(run) : null,
      ]);
      const queueName = run.queue === null ? null : names.get(run.queue) ?? null;
      const poolName = run.pool === null ? null : names.get(run.pool) ?? null;
      return { run, doc, parameters, context, jobVariables, stateData, queueName, poolName };
    });
    return (await Promise.all(views)).filter((view) => view !== undefined);
  }

  /** `data` of the run's current state. */
  async #stateData(run: RunRecord): Promise<JsonText | null> {
    const { value } = await get(this.#deps.kv, runStateKey(run.id, run.state.timestamp));
    return value?.data ? await readText(this.#deps.kv, value.data) : null;
  }

  /** Only the keys that are present are written. @throws DomainError `not_found` */
  async update(id: string, body: FlowRunUpdate): Promise<void> {
    const { kv, ids, clock } = this.#deps;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const [run, entry] = await Promise.all([get(kv, runKey(id)), get(kv, runDocKey(id))]);
      if (!run.value || !entry.value) throw new DomainError("not_found", "Flow run not found");
      const commit = new Commit().check(entry);
      const packed: PackedText[] = [];
      const doc = { ...entry.value, updated: clock.now() };
      const put = (field: "parameters" | "jobVariables", text: JsonText | null | undefined) => {
        if (!text) return;
        refuseTooLarge(text, field);
        const one = packText(text, ids.uuid());
        dropPieces(commit, doc[field]);
        doc[field] = one.stored;
        packed.push(one);
      };
      put("parameters", body.parameters);
      put("jobVariables", body.job_variables);
      Object.assign(doc, plainFields(body));
      await storePieces(kv, commit, packed);
      if (await this.#group.send(commit.set(runDocKey(id), doc).touchRun(run.value))) return;
    }
    throw new DomainError("contention", "The run changed while it was being written: try again.");
  }

  /** Deletes the run with its logs; a held slot is free then. @throws DomainError `not_found` */
  async delete(id: string): Promise<void> {
    const { kv } = this.#deps;
    const run = (await get(kv, runKey(id))).value;
    if (!run) throw new DomainError("not_found", "Flow run not found");
    if (run.pool === null) await this.#deleteAlone(id);
    else await this.#deleteAtGate(run.pool, id);
    await this.#deleteRest(id);
    await this.#deleteLogs(id);
  }

  async #deleteAtGate(pool: string, id: string): Promise<void> {
    try {
      await this.#gates.of(pool).submit(remove(id, (commit, run) => this.#removeBeside(commit, run)));
    } catch (error) {
      if (error instanceof MovedError) return await this.delete(id);
      if (error instanceof PoolGoneError) return await this.#deleteAlone(id);
      throw error;
    }
  }

  async #deleteAlone(id: string): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const entry = await get(this.#deps.kv, runKey(id));
      if (!entry.value) return;
      const commit = new Commit().check(entry).writeRun(entry.value, null);
      if (entry.value.pool !== null) commit.checkAbsent(gateKey(entry.value.pool));
      await this.#removeBeside(commit, entry.value);
      if ((await commit.send(this.#deps.kv)).ok) return;
    }
    throw new DomainError("contention", "The run changed while it was being deleted: try again.");
  }

  /** Deletes what belongs to a run beside its record and place. */
  async #removeBeside(commit: Commit, run: RunRecord): Promise<void> {
    const { kv } = this.#deps;
    const doc = (await get(kv, runDocKey(run.id))).value;
    commit.delete(runDocKey(run.id));
    for (const text of [doc?.parameters, doc?.context, doc?.jobVariables]) dropPieces(commit, text);
    if (doc?.idempotencyKey) commit.delete(idempotencyKey(run.flow, hashKey(doc.idempotencyKey)));
    for await (
      const { key, value } of kv.list<StateRecord>({ prefix: statesOf(run.id) }, { limit: STATES_IN_COMMIT })
    ) {
      commit.delete(key);
      dropPieces(commit, value.data);
    }
  }

  /** What was too much for the commit that deleted the run. */
  async #deleteRest(id: string): Promise<void> {
    const { kv } = this.#deps;
    for await (const entry of kv.list<StateRecord>({ prefix: statesOf(id) })) {
      const commit = new Commit().check(entry).delete(entry.key);
      dropPieces(commit, entry.value.data);
      await this.#group.send(commit);
    }
  }

  async #deleteLogs(id: string): Promise<void> {
    const { kv } = this.#deps;
    const prefix = logKey(id, 0, "").slice(0, 2) as Deno.KvKey;
    for await (const entry of kv.list<LogChunk>({ prefix }, { batchSize: 100 })) {
      const commit = new Commit().check(entry).delete(entry.key);
      dropPieces(commit, entry.value.lines);
      await this.#group.send(commit);
    }
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
      const queue = await this.#queueEntry(queueId);
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

type Target = Pick<NewRun, "queue" | "poolName">;
const NOWHERE: Target = { queue: undefined, poolName: null };

/** Objects merged key by key, later ones first. */
function merged(...texts: JsonText[]): JsonText {
  return JSON.stringify(Object.assign({}, ...texts.map((text) => fromJsonText(text))));
}

const statesOf = (run: string) => runStateKey(run, 0).slice(0, 2) as Deno.KvKey;

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

function plainFields(body: FlowRunUpdate): Partial<RunDoc> {
  const fields: Partial<RunDoc> = {};
  if (body.name) fields.name = body.name;
  if (body.flow_version !== undefined) fields.flowVersion = body.flow_version;
  if (body.infrastructure_pid !== undefined) fields.infrastructurePid = body.infrastructure_pid;
  if (body.tags) fields.tags = body.tags;
  const policy = body.empirical_policy;
  if (policy) {
    fields.maxRetries = policy.max_retries;
    fields.retryDelaySeconds = policy.retry_delay_seconds;
    fields.retries = policy.retries ?? null;
    fields.retryDelay = policy.retry_delay ?? null;
  }
  return fields;
}
