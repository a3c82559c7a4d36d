import { matchesFlow } from "../domain/object_filters.ts";
import { DomainError } from "../errors.ts";
import { Commit } from "../kv/commit.ts";
import type { GroupCommit } from "../kv/group_commit.ts";
import { hashKey } from "../kv/hash.ts";
import { flowKey, flowNameKey } from "../kv/keys.ts";
import { type Entry, get, listAll } from "../kv/read.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { FlowFilter, NameSort } from "../schemas/filter.ts";
import type { FlowCreate, FlowUpdate } from "../schemas/flow.ts";
import type { DeploymentRecord, FlowRecord, Instant } from "../schemas/records.ts";

/** How often a write is tried again when another one came between. */
const ATTEMPTS = 20;

export class Flows {
  readonly #deps: ServerDeps;
  readonly #group: GroupCommit;

  constructor(deps: ServerDeps, group: GroupCommit) {
    this.#deps = deps;
    this.#group = group;
  }

  /** A flow of that name that exists already is returned unchanged. */
  async create(body: FlowCreate): Promise<{ flow: FlowRecord; isNew: boolean }> {
    const existing = await this.byNameOrUndefined(body.name);
    if (existing) return { flow: existing, isNew: false };
    const now = this.#deps.clock.now();
    const flow: FlowRecord = { id: this.#deps.ids.uuid(), ...body, created: now, updated: now };
    const nameKey = flowNameKey(hashKey(body.name));
    const commit = new Commit().checkAbsent(nameKey).set(nameKey, flow.id).set(flowKey(flow.id), flow);
    if (this.#deps.sharedKv) commit.once(flow.id);
    if (await this.#group.send(commit)) return { flow, isNew: true };
    const winner = await this.byName(body.name);
    return { flow: winner, isNew: winner.id === flow.id };
  }

  /** @throws DomainError `not_found` */
  async get(id: string): Promise<FlowRecord> {
    const { value } = await get(this.#deps.kv, flowKey(id));
    if (!value) throw new DomainError("not_found", "Flow not found");
    return value;
  }

  /** @throws DomainError `not_found` */
  async byName(name: string): Promise<FlowRecord> {
    const flow = await this.byNameOrUndefined(name);
    if (!flow) throw new DomainError("not_found", `Flow ${name} not found`);
    return flow;
  }

  async byNameOrUndefined(name: string): Promise<FlowRecord | undefined> {
    const { value: id } = await get(this.#deps.kv, flowNameKey(hashKey(name)));
    return id ? (await get(this.#deps.kv, flowKey(id))).value ?? undefined : undefined;
  }

  /**
   * The record with its version, for what belongs to the flow: it is checked in its commit.
   *
   * @throws DomainError `not_found`; `conflict`: it is being deleted
   */
  async requireOpen(id: string): Promise<Entry<FlowRecord> & { value: FlowRecord }> {
    const entry = await get(this.#deps.kv, flowKey(id));
    if (!entry.value) throw new DomainError("not_found", "Flow not found");
    if (entry.value.closing) throw new DomainError("conflict", "The flow is being deleted.");
    return { ...entry, value: entry.value };
  }

  /** Only the keys that are present are written. @throws DomainError `not_found` */
  async update(id: string, body: FlowUpdate): Promise<void> {
    const updated = this.#deps.clock.now();
    await this.#change(id, (flow) => ({ ...flow, tags: body.tags ?? flow.tags, updated }));
  }

  /** Closes the flow for new deployments and runs, or opens it again. @throws DomainError `not_found` */
  async setClosing(id: string, closing: boolean): Promise<void> {
    await this.#change(id, ({ closing: _, ...flow }) => closing ? { ...flow, closing } : flow);
  }

  async #change(id: string, change: (flow: FlowRecord) => FlowRecord): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const entry = await get(this.#deps.kv, flowKey(id));
      if (!entry.value) throw new DomainError("not_found", "Flow not found");
      const commit = new Commit().check(entry).set(flowKey(id), change(entry.value));
      if (await this.#group.send(commit)) return;
    }
    throw contention();
  }

  /** The record of a closed flow, to be read before one looks what is left of it. @throws DomainError `conflict` */
  async requireClosed(id: string): Promise<Entry<FlowRecord> & { value: FlowRecord }> {
    const entry = await get(this.#deps.kv, flowKey(id));
    if (!entry.value?.closing) {
      throw new DomainError("conflict", "The flow was taken back into use meanwhile. Delete again.");
    }
    return { ...entry, value: entry.value };
  }

  /** Deletes the flow alone, if it has been closed ever since it was read. @throws DomainError `contention` */
  async drop({ value: flow, ...version }: Entry<FlowRecord> & { value: FlowRecord }): Promise<void> {
    const { kv } = this.#deps;
    const commit = new Commit().check(version).delete(flowKey(flow.id)).delete(
      flowNameKey(hashKey(flow.name)),
    );
    const { ok } = await commit.send(kv);
    // An earlier attempt of the runtime may have been applied.
    if (!ok && (await get(kv, flowKey(flow.id))).value) throw contention();
  }

  /** The flows that the filter matches; all without one. */
  async matching(filter: FlowFilter | null | undefined): Promise<FlowRecord[]> {
    const { kv } = this.#deps;
    const flows = (await listAll<FlowRecord>(kv, ["flow"])).map(({ value }) => value);
    const asksDeployments = typeof filter?.deployment?.is_null_ === "boolean";
    const deployments = asksDeployments ? await listAll<DeploymentRecord>(kv, ["deployment"]) : [];
    const deployed = new Set(deployments.map(({ value }) => value.flow));
    return flows.filter((flow) => matchesFlow(filter, flow, (id) => deployed.has(id)));
  }
}

const contention = () =>
  new DomainError("contention", "The flow changed while it was being written: try again.");

interface Named {
  id: string;
  name: string;
  created: Instant;
  updated: Instant;
}

/** Compares by the sort; ties by id. */
export function byNameSort(sort: NameSort): (a: Named, b: Named) => number {
  const compare = (a: string | number, b: string | number) => a < b ? -1 : a > b ? 1 : 0;
  const byId = (a: Named, b: Named) => compare(a.id, b.id);
  switch (sort) {
    case "CREATED_DESC":
      return (a, b) => compare(b.created, a.created) || byId(b, a);
    case "UPDATED_DESC":
      return (a, b) => compare(b.updated, a.updated) || byId(b, a);
    case "NAME_ASC":
      return (a, b) => compare(a.name, b.name) || byId(a, b);
    case "NAME_DESC":
      return (a, b) => compare(b.name, a.name) || byId(b, a);
  }
}
