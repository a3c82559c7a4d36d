import { DomainError } from "../errors.ts";
import { Commit } from "../kv/commit.ts";
import type { GroupCommit } from "../kv/group_commit.ts";
import { hashKey } from "../kv/hash.ts";
import { gateKey, idempotencyKey, logKey, runDocKey, runKey, runStateKey } from "../kv/keys.ts";
import { dropPieces, type PackedText, packText, storePieces } from "../kv/large_text.ts";
import { get } from "../kv/read.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { DeploymentFlowRunCreate, FlowRunCreate, FlowRunUpdate } from "../schemas/flow_run.ts";
import type { JsonText, LogChunk, RunDoc, RunRecord, StateRecord } from "../schemas/records.ts";
import { refuseTooLarge } from "./deployments.ts";
import { type CreationParts, FlowRunCreation } from "./flow_run_creation.ts";
import { type FlowRunView, FlowRunViews } from "./flow_run_views.ts";
import type { Gates } from "./gate/gates.ts";
import { PoolGoneError } from "./gate/operation.ts";
import { move, MovedError, remove } from "./gate/run_operations.ts";
import type { WorkQueues } from "./work_queues.ts";

/** How often a write is tried again when another one came between. */
const ATTEMPTS = 20;

/** So much of a history is deleted together with its run; the rest goes after it. */
const MOST_MUTATIONS = 200;

export class FlowRuns {
  readonly #deps: ServerDeps;
  readonly #gates: Gates;
  readonly #group: GroupCommit;
  readonly #queues: WorkQueues;
  readonly #views: FlowRunViews;
  readonly #creation: FlowRunCreation;

  constructor(deps: ServerDeps, parts: Omit<CreationParts, "views">) {
    this.#deps = deps;
    this.#gates = parts.gates;
    this.#group = parts.group;
    this.#queues = parts.queues;
    this.#views = new FlowRunViews(deps.kv);
    this.#creation = new FlowRunCreation(deps, { ...parts, views: this.#views });
  }

  /** {@link FlowRunCreation.createFromDeployment} */
  createFromDeployment(
    id: string,
    body: DeploymentFlowRunCreate,
  ): Promise<{ view: FlowRunView; isNew: boolean }> {
    return this.#creation.createFromDeployment(id, body);
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
  views(ids: readonly string[]): Promise<FlowRunView[]> {
    return this.#views.views(ids);
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
    for await (const { key, value } of kv.list<StateRecord>({ prefix: statesOf(run.id) })) {
      if (commit.mutations > MOST_MUTATIONS) break;
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

const statesOf = (run: string) => runStateKey(run, 0).slice(0, 2) as Deno.KvKey;

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
