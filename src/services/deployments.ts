import { DomainError } from "../errors.ts";
import { Commit } from "../kv/commit.ts";
import { hashKey } from "../kv/hash.ts";
import {
  deploymentKey,
  deploymentNameKey,
  deploymentPolledKey,
  flowKey,
  poolKey,
  queueKey,
  queuePolledKey,
} from "../kv/keys.ts";
import { dropPieces, type PackedText, packText, readText, storePieces } from "../kv/large_text.ts";
import { type Entry, get, listAll } from "../kv/read.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import { CommandError, findShellPlaceholder } from "../schemas/command.ts";
import type { DeploymentCreate, DeploymentScheduleCreate, DeploymentUpdate } from "../schemas/deployment.ts";
import type { DeploymentListBody } from "../schemas/filter.ts";
import type { DeploymentRecord, FlowRecord, Instant, JsonText } from "../schemas/records.ts";
import { formatInstant, fromJsonText } from "../schemas/wire.ts";
import { byNameSort, type Flows, matchesIdAndName } from "./flows.ts";
import { refuseTooLarge } from "./large_values.ts";
import { isRecent } from "./polls.ts";
import type { WorkPools } from "./work_pools.ts";
import type { WorkQueues } from "./work_queues.ts";

/** A deployment as people see it. */
export interface DeploymentView {
  deployment: DeploymentRecord;
  parameters: JsonText;
  jobVariables: JsonText;
  parameterSchema: JsonText;
  /** Null when the deployment points nowhere, or at something that was deleted. */
  poolName: string | null;
  queueName: string | null;
  lastPolled: Instant | null;
  status: "READY" | "NOT_READY";
}

/** How often a write is tried again when another one came between. */
const ATTEMPTS = 20;

export class Deployments {
  readonly #deps: ServerDeps;
  readonly #flows: Flows;
  readonly #pools: WorkPools;
  readonly #queues: WorkQueues;

  constructor(deps: ServerDeps, flows: Flows, pools: WorkPools, queues: WorkQueues) {
    this.#deps = deps;
    this.#flows = flows;
    this.#pools = pools;
    this.#queues = queues;
  }

  /**
   * Makes the deployment, or updates the one of that name of the flow; only the keys that are present are written.
   *
   * @throws DomainError `conflict`: no such flow; `not_found`: no such pool; `invalid`
   */
  async upsert(body: DeploymentCreate): Promise<{ view: DeploymentView; isNew: boolean }> {
    const { kv, ids, clock, sharedKv } = this.#deps;
    const nameKey = deploymentNameKey(body.flow_id, hashKey(body.name));
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const { value: flow, ...flowVersion } = await get(kv, flowKey(body.flow_id));
      if (!flow || flow.closing) throw new DomainError("conflict", INTEGRITY);
      const { value: known, ...nameVersion } = await get(kv, nameKey);
      if (known) {
        const changed = await this.#change(known, { schedules: [], ...body }, body.labels ?? undefined);
        if (changed) return { view: await this.#view(changed), isNew: false };
        continue;
      }
      const deployment = fresh(ids.uuid(), body, flow, clock.now());
      const commit = new Commit().check({ key: nameKey, versionstamp: nameVersion.versionstamp })
        .set(nameKey, deployment.id)
        .check(flowVersion);
      if (sharedKv) commit.once(deployment.id);
      const written = await this.#write(commit, deployment, body, undefined);
      const isOurs = written || (await get(kv, nameKey)).value === deployment.id;
      if (isOurs) return { view: await this.get(deployment.id), isNew: true };
    }
    throw contention();
  }

  /** @throws DomainError `not_found`, `invalid` */
  async update(id: string, body: DeploymentUpdate): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (await this.#change(id, body, undefined)) return;
    }
    throw contention();
  }

  /** Undefined when another change came between. */
  async #change(
    id: string,
    body: DeploymentUpdate,
    labels: JsonText | undefined,
  ): Promise<DeploymentRecord | undefined> {
    const entry = await this.#entry(id, "Deployment not found.");
    const old = entry.value;
    const deployment = {
      ...old,
      labels: labels === undefined ? old.labels : JSON.stringify({ ...parse(old.labels), ...parse(labels) }),
      updated: this.#deps.clock.now(),
    };
    return await this.#write(new Commit().check(entry), deployment, body, old);
  }

  /** Writes `deployment` with the keys that `body` has. */
  async #write(
    commit: Commit,
    deployment: DeploymentRecord,
    body: DeploymentUpdate,
    old: DeploymentRecord | undefined,
  ): Promise<DeploymentRecord | undefined> {
    const { kv } = this.#deps;
    validateCommand(body);
    const next = { ...deployment, ...plainFields(body), ...await this.#target(deployment, body) };
    const isRetargeted = next.pool !== deployment.pool || next.queue !== deployment.queue;
    // Whoever deletes the queue closes it first, and then looks which deployments point there.
    if (isRetargeted && next.queue !== null) commit.check(await this.#queues.requireOpen(next.queue));
    if (body.schedules) next.schedules = this.#schedules(deployment.id, body.schedules);
    await storePieces(kv, commit, this.#packTexts(next, body, (dropped) => dropPieces(commit, dropped), old));
    // When an earlier attempt of the runtime was applied, this says false: writing the same again changes nothing.
    const { ok } = await commit.set(deploymentKey(next.id), next).send(kv);
    return ok ? next : undefined;
  }

  #packTexts(
    next: DeploymentRecord,
    body: DeploymentUpdate,
    drop: (stored: DeploymentRecord["parameters"]) => void,
    old: DeploymentRecord | undefined,
  ): PackedText[] {
    const packed: PackedText[] = [];
    const put = (
      field: "parameters" | "jobVariables" | "parameterSchema",
      text: JsonText | null | undefined,
    ) => {
      if (text === null || text === undefined) return;
      refuseTooLarge(text, field);
      const one = packText(text, this.#deps.ids.uuid());
      if (old) drop(old[field]);
      next[field] = one.stored;
      packed.push(one);
    };
    put("parameters", body.parameters);
    put("jobVariables", body.job_variables ?? body.infra_overrides);
    put("parameterSchema", body.parameter_openapi_schema);
    return packed;
  }

  /** The pool and queue that the body names; a queue that is missing is made. */
  async #target(deployment: DeploymentRecord, body: DeploymentUpdate): Promise<Partial<DeploymentRecord>> {
    const { work_pool_name: poolName, work_queue_name: queueName } = body;
    if (poolName) {
      const pool = await this.#pools.require(poolName);
      const queue = queueName ? (await this.#queues.ensure(pool, queueName)).id : pool.defaultQueue;
      return { pool: pool.id, queue };
    }
    if (queueName) {
      const own = deployment.pool ? (await get(this.#deps.kv, poolKey(deployment.pool))).value : null;
      const queue = own
        ? await this.#queues.ensure(own, queueName)
        : await this.#queues.ensureWithoutPool(queueName);
      return { pool: queue.pool, queue: queue.id };
    }
    return poolName === null && queueName === null ? { pool: null, queue: null } : {};
  }

  /** Schedules are kept as they were sent, with what every created object has. */
  #schedules(deployment: string, schedules: readonly DeploymentScheduleCreate[]): JsonText {
    const now = formatInstant(this.#deps.clock.now());
    return JSON.stringify(schedules.map((given) => ({
      id: this.#deps.ids.uuid(),
      created: now,
      updated: now,
      deployment_id: deployment,
      schedule: given.schedule,
      active: given.active,
      max_scheduled_runs: given.max_scheduled_runs ?? null,
      parameters: given.parameters ?? {},
      slug: given.slug ?? null,
      catchup: given.catchup ?? false,
      max_active_runs: given.max_active_runs ?? null,
    })));
  }

  /** @throws DomainError `not_found` */
  async get(id: string): Promise<DeploymentView> {
    return await this.#view((await this.#entry(id)).value);
  }

  /** The record with its version, for what has to check it. @throws DomainError `not_found` */
  async require(id: string): Promise<Entry<DeploymentRecord> & { value: DeploymentRecord }> {
    return await this.#entry(id);
  }

  /** @throws DomainError `not_found` */
  async byName(flowName: string, name: string): Promise<DeploymentView> {
    const flow = await this.#flows.byNameOrUndefined(flowName);
    const id = flow && (await get(this.#deps.kv, deploymentNameKey(flow.id, hashKey(name)))).value;
    if (!id) throw new DomainError("not_found", "Deployment not found");
    return await this.get(id);
  }

  async list(body: DeploymentListBody): Promise<DeploymentView[]> {
    const { kv } = this.#deps;
    const entries = await listAll(kv, deploymentKey("").slice(0, 1) as Deno.KvKey);
    const flows = body.flows && idsOf(await this.#flows.matching(body.flows));
    const pools = body.work_pools && idsOf(await this.#pools.matching(body.work_pools));
    const queues = body.work_pool_queues && idsOf(await this.#queues.matching(body.work_pool_queues));
    const chosen = entries.map(({ value }) => value as DeploymentRecord)
      .filter((deployment) =>
        matchesIdAndName(body.deployments, deployment) &&
        (!flows || flows.has(deployment.flow)) &&
        (!pools || (deployment.pool !== null && pools.has(deployment.pool))) &&
        (!queues || (deployment.queue !== null && queues.has(deployment.queue)))
      )
      .toSorted(byNameSort(body.sort))
      .slice(body.offset, body.offset + body.limit);
    return await Promise.all(chosen.map((deployment) => this.#view(deployment)));
  }

  /** Runs of the deployment stay. @throws DomainError `not_found` */
  async delete(id: string): Promise<void> {
    const { kv } = this.#deps;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const entry = await this.#entry(id);
      const { value: deployment } = entry;
      const commit = new Commit().check(entry).delete(deploymentKey(id))
        .delete(deploymentNameKey(deployment.flow, hashKey(deployment.name)))
        .delete(deploymentPolledKey(id));
      for (const field of ["parameters", "jobVariables", "parameterSchema"] as const) {
        dropPieces(commit, deployment[field]);
      }
      if ((await commit.send(kv)).ok || !(await get(kv, deploymentKey(id))).value) return;
    }
    throw contention();
  }

  async #entry(id: string, missing = "Deployment not found") {
    const entry = await get(this.#deps.kv, deploymentKey(id));
    if (!entry.value) throw new DomainError("not_found", missing);
    return { ...entry, value: entry.value };
  }

  async #view(deployment: DeploymentRecord): Promise<DeploymentView> {
    const { kv, clock } = this.#deps;
    const [parameters, jobVariables, parameterSchema, pool, queue, own, polled] = await Promise.all([
      readText(kv, deployment.parameters),
      readText(kv, deployment.jobVariables),
      readText(kv, deployment.parameterSchema),
      deployment.pool ? get(kv, poolKey(deployment.pool)) : null,
      deployment.queue ? get(kv, queueKey(deployment.queue)) : null,
      get(kv, deploymentPolledKey(deployment.id)),
      deployment.queue ? get(kv, queuePolledKey(deployment.queue)) : null,
    ]);
    const lastPolled = Math.max(own.value ?? 0, polled?.value ?? 0) || null;
    return {
      deployment,
      parameters,
      jobVariables,
      parameterSchema,
      poolName: pool?.value?.name ?? null,
      queueName: queue?.value?.name ?? null,
      lastPolled,
      status: isRecent(lastPolled, clock.now()) ? "READY" : "NOT_READY",
    };
  }
}

/** What the reference says when something points at an object that is not there. */
export const INTEGRITY =
  "Data integrity conflict. This usually means a unique or foreign key constraint was violated. " +
  "See server logs for details.";

const contention = () =>
  new DomainError("contention", "The deployment changed while it was being written: try again.");

const parse = (text: JsonText) => fromJsonText(text) as Record<string, unknown>;

const idsOf = (objects: readonly { id: string }[]): Set<string> => new Set(objects.map(({ id }) => id));

function fresh(id: string, body: DeploymentCreate, flow: FlowRecord, now: Instant): DeploymentRecord {
  return {
    id,
    name: body.name,
    flow: flow.id,
    version: null,
    description: null,
    paused: false,
    pool: null,
    queue: null,
    tags: [],
    labels: JSON.stringify({
      "prefect.flow.id": flow.id,
      ...parse(flow.labels),
      ...parse(body.labels ?? "{}"),
    }),
    parameters: "{}",
    jobVariables: "{}",
    parameterSchema: "{}",
    enforceParameterSchema: true,
    schedules: "[]",
    concurrencyLimit: null,
    concurrencyOptions: null,
    pullSteps: "[]",
    path: null,
    entrypoint: null,
    storageDocumentId: null,
    infrastructureDocumentId: null,
    created: now,
    updated: now,
  };
}

/** The fields that are written as they came; null clears what may be null. */
function plainFields(body: DeploymentUpdate): Partial<DeploymentRecord> {
  const fields: Partial<DeploymentRecord> = {};
  if (body.version !== undefined) fields.version = body.version;
  if (body.description !== undefined) fields.description = body.description;
  if (body.path !== undefined) fields.path = body.path;
  if (body.entrypoint !== undefined) fields.entrypoint = body.entrypoint;
  if (body.storage_document_id !== undefined) fields.storageDocumentId = body.storage_document_id;
  if (body.infrastructure_document_id !== undefined) {
    fields.infrastructureDocumentId = body.infrastructure_document_id;
  }
  if (body.concurrency_limit !== undefined) fields.concurrencyLimit = body.concurrency_limit;
  if (body.concurrency_options !== undefined) fields.concurrencyOptions = body.concurrency_options;
  if (typeof body.paused === "boolean") fields.paused = body.paused;
  if (typeof body.enforce_parameter_schema === "boolean") {
    fields.enforceParameterSchema = body.enforce_parameter_schema;
  }
  if (body.tags) fields.tags = body.tags;
  if (body.pull_steps) fields.pullSteps = JSON.stringify(body.pull_steps);
  return fields;
}

/** A placeholder inside a shell script would let a parameter's value become code. */
function validateCommand(body: DeploymentUpdate): void {
  const variables = body.job_variables ?? body.infra_overrides;
  const command = variables ? parse(variables)["command"] : undefined;
  if (typeof command !== "string") return;
  const field = ["job_variables", "command"];
  try {
    const found = findShellPlaceholder(command);
    if (found) throw new DomainError("invalid", found.message, { field });
  } catch (error) {
    if (error instanceof CommandError) {
      throw new DomainError("invalid", error.message, { cause: error, field });
    }
    throw error;
  }
}
