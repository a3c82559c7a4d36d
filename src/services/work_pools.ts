import { Gate } from "../domain/gate.ts";
import { DomainError } from "../errors.ts";
import { Commit } from "../kv/commit.ts";
import {
  gateConfigKey,
  gateKey,
  poolKey,
  poolNameKey,
  queueKey,
  queueNameKey,
  queuePolledKey,
} from "../kv/keys.ts";
import { packText, readText, storeAhead, storePieces } from "../kv/large_text.ts";
import { get, getMany, listAll } from "../kv/read.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { WorkPoolFilter } from "../schemas/filter.ts";
import type { GateRecord, Instant, JsonText, WorkPoolRecord } from "../schemas/records.ts";
import { fitsKey } from "../schemas/wire.ts";
import { NO_STORAGE, type WorkPoolCreate, type WorkPoolUpdate } from "../schemas/work_pool.ts";
import { AgentList } from "./agent_list.ts";
import { updatePool } from "./gate/config_operations.ts";
import type { Gates } from "./gate/gates.ts";
import { readQueueConfigs } from "./gate/pool_cache.ts";
import { settlingAhead } from "./large_values.ts";
import { isRecent } from "./polls.ts";
import { type Clearing, removeQueues } from "./queue_removal.ts";
import { validateTemplate } from "./template_check.ts";
import { dropWorkers, hasOnlineWorker } from "./workers.ts";

/** A pool as people see it. */
export interface WorkPoolView {
  pool: WorkPoolRecord;
  gate: GateRecord;
  baseJobTemplate: JsonText;
  status: "READY" | "NOT_READY" | "PAUSED" | null;
  /** Agents of ours that send heartbeats. */
  agentsOnline: number;
}

/** The pool of queues that were made without one. */
export const DEFAULT_AGENT_POOL = "default-agent-pool";

export class WorkPools {
  readonly #deps: ServerDeps;
  readonly #gates: Gates;
  readonly #agents: AgentList;

  constructor(deps: ServerDeps, gates: Gates) {
    this.#deps = deps;
    this.#gates = gates;
    this.#agents = new AgentList(deps);
  }

  /** @throws DomainError `conflict`: the name is taken; `forbidden`: it is reserved; `invalid`: a bad template */
  async create(body: WorkPoolCreate): Promise<WorkPoolView> {
    if (isReserved(body.name)) throw reserved("");
    validateTemplate(body.base_job_template);
    return await this.#create(body);
  }

  /** The pool of that name, made when it is missing. */
  async ensureDefaultAgentPool(): Promise<WorkPoolRecord> {
    const existing = await this.find(DEFAULT_AGENT_POOL);
    if (existing) return existing;
    const body = {
      name: DEFAULT_AGENT_POOL,
      type: "prefect-agent",
      base_job_template: "{}",
      is_paused: false,
    };
    try {
      return (await this.#create(body)).pool;
    } catch (error) {
      if (error instanceof DomainError && error.code === "conflict") {
        return await this.require(DEFAULT_AGENT_POOL);
      }
      throw error;
    }
  }

  async #create(body: WorkPoolCreate): Promise<WorkPoolView> {
    const { kv, ids, clock, sharedKv } = this.#deps;
    const now = clock.now();
    const template = packText(body.base_job_template, ids.uuid());
    const pool: WorkPoolRecord = {
      id: ids.uuid(),
      name: body.name,
      description: body.description ?? null,
      type: body.type,
      baseJobTemplate: template.stored,
      storageConfiguration: body.storage_configuration ?? NO_STORAGE,
      defaultQueue: ids.uuid(),
      nextQueueNo: 1,
      created: now,
      updated: now,
    };
    const commit = new Commit().checkAbsent(poolNameKey(pool.name)).set(poolNameKey(pool.name), pool.id)
      .set(poolKey(pool.id), pool)
      .set(gateKey(pool.id), Gate.empty({ paused: body.is_paused, limit: body.concurrency_limit ?? null }))
      .set(gateConfigKey(pool.id, 0), [{
        no: 0,
        id: pool.defaultQueue,
        priority: 1,
        paused: false,
        limit: null,
      }])
      .set(queueNameKey(pool.id, "default"), pool.defaultQueue)
      .set(queueKey(pool.defaultQueue), {
        id: pool.defaultQueue,
        pool: pool.id,
        no: 0,
        state: "open",
        name: "default",
        description: "The work pool's default queue.",
        filter: null,
        created: now,
        updated: now,
      });
    if (sharedKv) commit.once(pool.id);
    await storePieces(kv, commit, [template]);
    const { ok } = await commit.send(kv);
    if (!ok && (await get(kv, poolNameKey(pool.name))).value !== pool.id) {
      throw new DomainError("conflict", "A work pool with this name already exists.");
    }
    return await this.#view(pool);
  }

  /** Undefined when there is none of that name. */
  async find(name: string): Promise<WorkPoolRecord | undefined> {
    if (!fitsKey(name)) return undefined;
    const { value: id } = await get(this.#deps.kv, poolNameKey(name));
    if (!id) return undefined;
    return (await get(this.#deps.kv, poolKey(id))).value ?? undefined;
  }

  /** @throws DomainError `not_found` */
  async require(name: string): Promise<WorkPoolRecord> {
    const pool = await this.find(name);
    if (!pool) throw new DomainError("not_found", `Work pool "${name}" not found.`);
    return pool;
  }

  async get(name: string): Promise<WorkPoolView> {
    return await this.#view(await this.require(name));
  }

  /** By name. */
  async list(
    filter: WorkPoolFilter | null | undefined,
    page: { limit: number; offset: number },
  ): Promise<WorkPoolView[]> {
    const pools = await this.matching(filter);
    const chosen = pools.toSorted((a, b) => (a.name < b.name ? -1 : 1)).slice(
      page.offset,
      page.offset + page.limit,
    );
    // What is deleted while the others are read is in no list any more.
    const views = await Promise.all(chosen.map((pool) => this.#viewIfThere(pool)));
    return views.flatMap((view) => view ?? []);
  }

  async count(filter: WorkPoolFilter | null | undefined): Promise<number> {
    return (await this.matching(filter)).length;
  }

  /** The pools that the filter matches; all without one. */
  async matching(filter: WorkPoolFilter | null | undefined): Promise<WorkPoolRecord[]> {
    const entries = await listAll(this.#deps.kv, poolKey("").slice(0, 1) as Deno.KvKey);
    const pools = entries.map(({ value }) => value as WorkPoolRecord);
    return pools.filter((pool) => matchesPool(filter, pool));
  }

  /** Only the keys that are present are written. Raising or clearing a limit wakes what waits. */
  async update(name: string, body: WorkPoolUpdate): Promise<void> {
    const isSwitch = Object.keys(body).every((key) => key === "is_paused" || key === "concurrency_limit");
    if (isReserved(name) && !isSwitch) {
      throw reserved(" and can only be updated to set concurrency limits or pause");
    }
    const pool = await this.require(name);
    if (body.base_job_template) validateTemplate(body.base_job_template);
    const { kv, ids, clock } = this.#deps;
    const template = body.base_job_template
      ? await storeAhead(kv, packText(body.base_job_template, ids.uuid()))
      : undefined;
    const change = {
      description: body.description,
      paused: body.is_paused ?? undefined,
      limit: "concurrency_limit" in body ? body.concurrency_limit ?? null : undefined,
      storageConfiguration: body.storage_configuration ?? undefined,
      baseJobTemplate: template,
    };
    await settlingAhead(
      kv,
      [template],
      () => this.#gates.of(pool.id).submit(updatePool(kv, change, clock.now())),
    );
  }

  /**
   * Deletes the pool with its queues and workers, after `clearing` has taken away what is in use.
   *
   * @throws DomainError `conflict` with the counts when it is in use; `busy`: there is more to clear
   */
  async delete(name: string, clearing?: Clearing): Promise<void> {
    if (isReserved(name)) throw reserved(" and can not be deleted");
    const { kv } = this.#deps;
    const { id: pool } = await this.require(name);
    const queues = await readQueueConfigs(kv, pool);
    await removeQueues(this.#deps, this.#gates, { pool, queues, andPool: true, clearing });
    await dropWorkers(kv, pool);
  }

  async #view(pool: WorkPoolRecord): Promise<WorkPoolView> {
    const view = await this.#viewIfThere(pool);
    if (!view) throw new DomainError("not_found", `Work pool "${pool.name}" not found.`);
    return view;
  }

  async #viewIfThere(pool: WorkPoolRecord): Promise<WorkPoolView | undefined> {
    const { kv } = this.#deps;
    const [gate, baseJobTemplate, agentsOnline] = await Promise.all([
      this.#gates.read(pool.id),
      readText(kv, pool.baseJobTemplate),
      this.#agents.onlineIn(pool.id),
    ]);
    if (!gate) return undefined;
    return {
      pool,
      gate,
      baseJobTemplate,
      status: await this.#status(pool, gate, agentsOnline),
      agentsOnline,
    };
  }

  /** Computed, never stored: a pool is ready when a worker is online, or when one of its queues was asked lately. */
  async #status(
    pool: WorkPoolRecord,
    gate: GateRecord,
    agentsOnline: number,
  ): Promise<WorkPoolView["status"]> {
    if (pool.type === "prefect-agent") return null;
    if (gate.paused) return "PAUSED";
    const now: Instant = this.#deps.clock.now();
    if (agentsOnline > 0 || await hasOnlineWorker(this.#deps.kv, pool.id, now)) return "READY";
    const queues = await readQueueConfigs(this.#deps.kv, pool.id);
    const polled = await getMany(this.#deps.kv, queues.map(({ id }) => queuePolledKey(id)));
    return polled.some(({ value }) => isRecent(value, now)) ? "READY" : "NOT_READY";
  }
}

const isReserved = (name: string): boolean => /^prefect/i.test(name);

const reserved = (what: string) =>
  new DomainError("forbidden", `Work pools starting with 'Prefect' are reserved for internal use${what}.`);

function matchesPool(filter: WorkPoolFilter | null | undefined, pool: WorkPoolRecord): boolean {
  if (!filter) return true;
  const clauses: boolean[] = [];
  if (filter.id?.any_) clauses.push(filter.id.any_.includes(pool.id));
  if (filter.name?.any_) clauses.push(filter.name.any_.includes(pool.name));
  if (filter.type?.any_) clauses.push(filter.type.any_.includes(pool.type));
  if (clauses.length === 0) return true;
  return filter.operator === "or_" ? clauses.some(Boolean) : clauses.every(Boolean);
}
