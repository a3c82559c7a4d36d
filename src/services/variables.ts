import { matchesVariable } from "../domain/variable_filter.ts";
import { DomainError } from "../errors.ts";
import { Commit } from "../kv/commit.ts";
import { variableKey, variableNameKey } from "../kv/keys.ts";
import { type Entry, get, getMany, listAll } from "../kv/read.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { VariableRecord } from "../schemas/records.ts";
import type {
  VariableCreate,
  VariableFilter,
  VariableListBody,
  VariableUpdate,
} from "../schemas/variable.ts";
import { fitsKey, fromJsonText } from "../schemas/wire.ts";
import { byNameSort } from "./flows.ts";

/** How often a write is tried again when another one came between. */
const ATTEMPTS = 20;

type VariableEntry = Entry<VariableRecord> & { value: VariableRecord };

/** Named values that flows and job templates read. */
export class Variables {
  readonly #deps: ServerDeps;

  constructor(deps: ServerDeps) {
    this.#deps = deps;
  }

  /** @throws DomainError `conflict`: the name is taken */
  async create(body: VariableCreate): Promise<VariableRecord> {
    const { kv, ids, clock, sharedKv } = this.#deps;
    const now = clock.now();
    const variable: VariableRecord = { id: ids.uuid(), ...body, created: now, updated: now };
    const nameKey = variableNameKey(body.name);
    const commit = new Commit().checkAbsent(nameKey).set(nameKey, variable.id)
      .set(variableKey(variable.id), variable);
    if (sharedKv) commit.once(variable.id);
    const { ok } = await commit.send(kv);
    if (!ok && (await get(kv, nameKey)).value !== variable.id) throw taken(body.name);
    return variable;
  }

  /** @throws DomainError `not_found` */
  async get(id: string): Promise<VariableRecord> {
    return (await this.#entry(id)).value;
  }

  /** @throws DomainError `not_found` */
  async byName(name: string): Promise<VariableRecord> {
    return await this.get(await this.#idOf(name));
  }

  /** The parsed values of the variables of these names, as far as there are any. */
  async valuesOf(names: readonly string[]): Promise<Map<string, unknown>> {
    const { kv } = this.#deps;
    const known = [...new Set(names)].filter(fitsKey);
    const ids = (await getMany(kv, known.map(variableNameKey))).flatMap(({ value }) => value ?? []);
    const entries = await getMany(kv, ids.map(variableKey));
    return new Map(entries.flatMap(({ value }) => value ? [[value.name, fromJsonText(value.value)]] : []));
  }

  async list(body: VariableListBody): Promise<VariableRecord[]> {
    const found = (await this.#matching(body.variables)).toSorted(byNameSort(body.sort));
    return found.slice(body.offset, body.offset + body.limit);
  }

  async count(filter: VariableFilter | null | undefined): Promise<number> {
    return (await this.#matching(filter)).length;
  }

  async #matching(filter: VariableFilter | null | undefined): Promise<VariableRecord[]> {
    const entries = await listAll(this.#deps.kv, variableKey("").slice(0, 1) as Deno.KvKey);
    return entries.map(({ value }) => value as VariableRecord).filter((one) => matchesVariable(filter, one));
  }

  /** Only the keys that are present are written. @throws DomainError `not_found`; `conflict`: the new name is taken */
  async update(id: string, body: VariableUpdate): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const entry = await this.#entry(id);
      if (await this.#write(entry, body)) return;
    }
    throw contention();
  }

  async updateByName(name: string, body: VariableUpdate): Promise<void> {
    await this.update(await this.#idOf(name), body);
  }

  async #write(entry: VariableEntry, body: VariableUpdate): Promise<boolean> {
    const { kv, clock } = this.#deps;
    const { value: old } = entry;
    const name = body.name ?? old.name;
    const commit = new Commit().check(entry).set(variableKey(old.id), {
      ...old,
      name,
      value: body.value ?? old.value,
      tags: body.tags ?? old.tags,
      updated: clock.now(),
    });
    if (name !== old.name) {
      const newName = await get(kv, variableNameKey(name));
      if (newName.value) throw taken(name);
      commit.check(newName).set(variableNameKey(name), old.id).delete(variableNameKey(old.name));
    }
    return (await commit.send(kv)).ok;
  }

  /** @throws DomainError `not_found` */
  async delete(id: string): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const entry = await this.#entry(id);
      const commit = new Commit().check(entry).delete(variableKey(id)).delete(
        variableNameKey(entry.value.name),
      );
      if ((await commit.send(this.#deps.kv)).ok) return;
      // An earlier attempt of the runtime may have been applied.
      if (!(await get(this.#deps.kv, variableKey(id))).value) return;
    }
    throw contention();
  }

  async deleteByName(name: string): Promise<void> {
    await this.delete(await this.#idOf(name));
  }

  async #idOf(name: string): Promise<string> {
    const id = fitsKey(name) ? (await get(this.#deps.kv, variableNameKey(name))).value : null;
    if (!id) throw missing();
    return id;
  }

  async #entry(id: string): Promise<VariableEntry> {
    const entry = await get(this.#deps.kv, variableKey(id));
    if (!entry.value) throw missing();
    return { ...entry, value: entry.value };
  }
}

const missing = () => new DomainError("not_found", "Variable not found.");

const taken = (name: string) =>
  new DomainError("conflict", `A variable with the name '${name}' already exists.`);

const contention = () =>
  new DomainError("contention", "The variable changed while it was being written: try again.");
