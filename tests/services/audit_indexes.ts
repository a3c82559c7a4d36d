/**
 * What has to hold between the records and the entries that point at them, looked up in what is stored: every index
 * entry points at its record and every record has its entries, every piece of a large text belongs to exactly one
 * record, and what is kept twice about a run is the same in both places.
 */
import { hashKey } from "../../src/kv/hash.ts";
import {
  type DeploymentRecord,
  type FlowRecord,
  type JournalItem,
  type RunDoc,
  type RunRecord,
  type SchedulingRecord,
  STATE_TYPES,
  type StateRecord,
  type WorkPoolRecord,
  type WorkQueueRecord,
} from "../../src/schemas/records.ts";

/** All of a store, by the text of the key. */
class Snapshot {
  readonly #byKind: Map<string, [key: Deno.KvKey, value: unknown][]>;
  readonly all: ReadonlyMap<string, unknown>;

  constructor(entries: readonly [key: Deno.KvKey, value: unknown][]) {
    this.#byKind = Map.groupBy(entries, ([key]) => String(key[0]));
    this.all = new Map(entries.map(([key, value]) => [textOf(key), value]));
  }

  /** The entries whose key begins with `kind`. */
  of<T>(kind: string): [key: Deno.KvKey, value: T][] {
    return (this.#byKind.get(kind) ?? []) as [Deno.KvKey, T][];
  }

  records<T>(kind: string): T[] {
    return this.of<T>(kind).map(([, value]) => value);
  }
}

const textOf = (key: Deno.KvKey): string => JSON.stringify(key);

/** What is wrong, in words. */
export async function indexFaults(kv: Deno.Kv): Promise<string[]> {
  const entries: [Deno.KvKey, unknown][] = [];
  for await (const { key, value } of kv.list({ prefix: [] }, { batchSize: 500 })) entries.push([key, value]);
  const stored = new Snapshot(entries);
  return [
    ...nameFaults(stored),
    ...idempotencyFaults(stored),
    ...scheduleFaults(stored),
    ...runFaults(stored),
    ...journalFaults(stored),
    ...pieceFaults(stored),
    ...ownerFaults(stored),
  ];
}

/** Each record has its entry by name, and no other entry is there. */
function nameFaults(stored: Snapshot): string[] {
  const expected = new Map<string, string>();
  for (const { id, name } of stored.records<WorkPoolRecord>("pool")) {
    expected.set(textOf(["pool_name", name]), id);
  }
  for (const { id, pool, name } of stored.records<WorkQueueRecord>("queue")) {
    expected.set(textOf(["queue_name", pool, name]), id);
  }
  for (const { id, name } of stored.records<FlowRecord>("flow")) {
    expected.set(textOf(["flow_name", hashKey(name)]), id);
  }
  for (const { id, flow, name } of stored.records<DeploymentRecord>("deployment")) {
    expected.set(textOf(["deployment_name", flow, hashKey(name)]), id);
  }
  return differences(stored, ["pool_name", "queue_name", "flow_name", "deployment_name"], expected);
}

/** A deployment whose schedules have to be looked at stands in the index, at that time. */
function scheduleFaults(stored: Snapshot): string[] {
  const expected = new Map<string, number>();
  for (const [key, { due }] of stored.of<SchedulingRecord>("scheduling")) {
    if (due !== null) expected.set(textOf(["schedule_due", due, key[1]!]), 0);
  }
  return differences(stored, ["schedule_due"], expected);
}

function idempotencyFaults(stored: Snapshot): string[] {
  const flowOf = new Map(stored.records<RunRecord>("run").map(({ id, flow }) => [id, flow]));
  const expected = new Map<string, string>();
  for (const { id, idempotencyKey } of stored.records<RunDoc>("run_doc")) {
    if (idempotencyKey) expected.set(textOf(["idem", flowOf.get(id) ?? "", hashKey(idempotencyKey)]), id);
  }
  return differences(stored, ["idem"], expected);
}

function differences(stored: Snapshot, kinds: readonly string[], expected: Map<string, unknown>): string[] {
  const found = new Map(kinds.flatMap((kind) => stored.of(kind)).map(([key, value]) => [textOf(key), value]));
  return [
    ...[...expected].filter(([key, value]) => found.get(key) !== value).map(([key, value]) =>
      `${key} is ${found.get(key)}, not ${value}`
    ),
    ...[...found].filter(([key]) => !expected.has(key)).map(([key, value]) =>
      `${key} points at ${value}, which is not there or has another name`
    ),
  ];
}

/** A run has one description, and its present state is the last of its history. */
function runFaults(stored: Snapshot): string[] {
  const runs = new Map(stored.records<RunRecord>("run").map((run) => [run.id, run]));
  const docs = new Set(stored.records<RunDoc>("run_doc").map(({ id }) => id));
  const last = new Map(stored.of<StateRecord>("run_state").map(([[, run], state]) => [String(run), state]));
  return [
    ...[...docs].filter((id) => !runs.has(id)).map((id) => `a description of run ${id}, which is not there`),
    ...[...last.keys()].filter((id) => !runs.has(id)).map((id) => `a state of run ${id}, which is not there`),
    ...[...runs.values()].flatMap(({ id, state }) => [
      ...docs.has(id) ? [] : [`run ${id} has no description`],
      ...last.get(id)?.id === state.id ? [] : [`run ${id} is ${state.type}, its history ends otherwise`],
    ]),
  ];
}

/** Whoever folds the journal knows which runs there are and in which states. */
function journalFaults(stored: Snapshot): string[] {
  const folded = new Map<string, number>();
  for (const [run, , after] of stored.records<JournalItem[]>("journal").flat()) {
    if (after < 0) folded.delete(run);
    else folded.set(run, after);
  }
  const runs = stored.records<RunRecord>("run");
  return [
    ...runs.filter(({ id, state }) => folded.get(id) !== STATE_TYPES.indexOf(state.type))
      .map(({ id }) => `the journal ends otherwise for run ${id}`),
    ...folded.size === runs.length ? [] : [`the journal knows ${folded.size} runs of ${runs.length}`],
  ];
}

/** Each piece of a large text belongs to one record, and each record has all its pieces. */
function pieceFaults(stored: Snapshot): string[] {
  const owners = new Map<string, string[]>();
  for (const [key, value] of stored.all) {
    for (const { version, chunks } of largeTextsIn(value)) {
      for (let no = 0; no < chunks; no++) {
        const piece = textOf(["chunk", version, no]);
        owners.set(piece, [...owners.get(piece) ?? [], key]);
      }
    }
  }
  const pieces = new Set(stored.of("chunk").map(([key]) => textOf(key)));
  return [
    ...[...owners].filter(([piece]) => !pieces.has(piece)).map(([piece, by]) => `${by} has no ${piece}`),
    ...[...owners].filter(([, by]) => by.length > 1).map(([piece, by]) => `${piece} belongs to ${by}`),
    ...[...pieces].filter((piece) => !owners.has(piece)).map((piece) => `nothing points at ${piece}`),
  ];
}

function* largeTextsIn(value: unknown): Generator<{ version: string; chunks: number }> {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return;
  const { version, chunks } = value as { version?: unknown; chunks?: unknown };
  if (typeof version === "string" && typeof chunks === "number") yield { version, chunks };
  for (const inner of Object.values(value)) yield* largeTextsIn(inner);
}

/** What belongs to something belongs to something that is there. */
function ownerFaults(stored: Snapshot): string[] {
  const owners: [kind: string, part: number, owner: string][] = [
    ["queue", 0, "pool"],
    ["gate", 1, "pool"],
    ["gate_cfg", 1, "pool"],
  ];
  return owners.flatMap(([kind, part, owner]) =>
    stored.of<{ pool: string }>(kind).flatMap(([key, value]) => {
      const id = part === 0 ? value.pool : key[part]!;
      return stored.all.has(textOf([owner, id]))
        ? []
        : [`${textOf(key)} is of ${owner} ${String(id)}, which is not there`];
    })
  );
}
