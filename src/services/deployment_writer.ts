import { DomainError } from "../errors.ts";
import { poolKey } from "../kv/keys.ts";
import { readText } from "../kv/large_text.ts";
import { get } from "../kv/read.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { DeploymentUpdate } from "../schemas/deployment.ts";
import type { DeploymentRecord } from "../schemas/records.ts";
import { checkCommand, type DeploymentChecks, type Doing } from "./deployment_checks.ts";
import type { DeploymentDraft } from "./deployment_draft.ts";
import { refuseTooLarge } from "./large_values.ts";
import type { WorkPools } from "./work_pools.ts";
import type { WorkQueues } from "./work_queues.ts";

/** Puts the fields of a request into a deployment that is being written, once they are checked. */
export class DeploymentWriter {
  readonly #deps: ServerDeps;
  readonly #pools: WorkPools;
  readonly #queues: WorkQueues;
  readonly #checks: DeploymentChecks;

  constructor(
    deps: ServerDeps,
    parts: { pools: WorkPools; queues: WorkQueues; checks: DeploymentChecks },
  ) {
    this.#deps = deps;
    this.#pools = parts.pools;
    this.#queues = parts.queues;
    this.#checks = parts.checks;
  }

  /**
   * Everything that `body` has but schedules and labels.
   *
   * @throws DomainError `not_found`: no such pool or limit; `invalid`, `conflict`, `bad_request`, `too_large`
   */
  async fill(draft: DeploymentDraft, body: DeploymentUpdate, doing: Doing): Promise<void> {
    if (body.global_concurrency_limit_id) {
      throw new DomainError("not_found", "Concurrency limit not found: give concurrency_limit instead.");
    }
    Object.assign(
      draft.next,
      plainFields(body),
      limitFields(draft.next, body.concurrency_limit, this.#deps),
    );
    await this.#point(draft, body);
    if (body.pull_steps) draft.put("pullSteps", JSON.stringify(body.pull_steps));
    if (body.pull_steps === null) draft.dropPullSteps();
    if (body.parameter_openapi_schema) {
      refuseTooLarge(body.parameter_openapi_schema, "parameter_openapi_schema");
      draft.put("parameterSchema", body.parameter_openapi_schema);
    }
    await this.#fillParameters(draft, body, doing);
    await this.#fillJobVariables(draft, body, doing);
  }

  async #fillParameters(draft: DeploymentDraft, body: DeploymentUpdate, doing: Doing): Promise<void> {
    if (!body.parameters) return;
    refuseTooLarge(body.parameters, "parameters");
    const parameters = await this.#checks.fillParameters(body.parameters, doing);
    if (draft.next.enforceParameterSchema) {
      const schema = body.parameter_openapi_schema ??
        await readText(this.#deps.kv, draft.next.parameterSchema);
      this.#checks.checkParameters(parameters, schema, doing);
    }
    draft.put("parameters", parameters);
  }

  async #fillJobVariables(draft: DeploymentDraft, body: DeploymentUpdate, doing: Doing): Promise<void> {
    const given = body.job_variables ?? body.infra_overrides;
    // Clients send an empty object with every update; it clears nothing.
    if (!given || (given === "{}" && doing === "updating deployment")) return;
    refuseTooLarge(given, "job_variables");
    checkCommand(given);
    const pool = draft.next.pool && (await get(this.#deps.kv, poolKey(draft.next.pool))).value;
    if (pool && given !== "{}") await this.#checks.checkJobVariables(pool.baseJobTemplate, [given], doing);
    draft.put("jobVariables", given);
  }

  async #point(draft: DeploymentDraft, body: DeploymentUpdate): Promise<void> {
    const { next } = draft;
    const { pool, queue } = { ...next, ...await this.#target(next, body) };
    const isRetargeted = pool !== next.pool || queue !== next.queue;
    Object.assign(next, { pool, queue });
    // Whoever deletes the queue closes it first, and then looks which deployments point there.
    if (isRetargeted && queue !== null) draft.commit.check(await this.#queues.requireOpen(queue));
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
}

/** The fields that are written as they came; null clears what may be null. */
export function plainFields(body: DeploymentUpdate): Partial<DeploymentRecord> {
  const fields: Partial<DeploymentRecord> = {};
  if (body.version !== undefined) fields.version = body.version;
  if (body.description !== undefined) fields.description = body.description;
  if (body.path !== undefined) fields.path = body.path;
  if (body.entrypoint !== undefined) fields.entrypoint = body.entrypoint;
  if (body.storage_document_id !== undefined) fields.storageDocumentId = body.storage_document_id;
  if (body.infrastructure_document_id !== undefined) {
    fields.infrastructureDocumentId = body.infrastructure_document_id;
  }
  if (body.concurrency_options !== undefined) {
    fields.concurrencyOptions = body.concurrency_options && JSON.stringify(body.concurrency_options);
  }
  // What 2.20 clients call active is what is not paused.
  const paused = body.paused ??
    (typeof body.is_schedule_active === "boolean" ? !body.is_schedule_active : null);
  if (paused !== null) fields.paused = paused;
  if (typeof body.enforce_parameter_schema === "boolean") {
    fields.enforceParameterSchema = body.enforce_parameter_schema;
  }
  if (body.tags) fields.tags = body.tags;
  return fields;
}

/** The limit as it is from now on; a limit that stays keeps its id. */
export function limitFields(
  { limit }: DeploymentRecord,
  value: number | null | undefined,
  { ids, clock }: ServerDeps,
): Partial<DeploymentRecord> {
  if (value === undefined) return {};
  if (value === null) return { concurrencyLimit: null, limit: null };
  const now = clock.now();
  return {
    concurrencyLimit: value,
    limit: { id: limit?.id ?? ids.uuid(), created: limit?.created ?? now, updated: now },
  };
}
