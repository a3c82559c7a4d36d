import { type ClosedLane, laneName, type WaitEntry } from "../../domain/plan_claim.ts";
import { gateConfigKey, gateKey, queueNameKey, runKey, sessionKey } from "../../kv/keys.ts";
import { QUEUES_PER_CHUNK } from "../../kv/limits.ts";
import { type Entry, get, getMany, listAll } from "../../kv/read.ts";
import { readAllHeads, readLaneHead, readQueueHead } from "../../kv/waiting_index.ts";
import type { GateRecord, QueueConfig, RunRecord, SessionRecord } from "../../schemas/records.ts";

interface Window {
  entries: WaitEntry[];
  complete: boolean;
}

/** With up to this many queues to look at, reading each head is cheaper than scanning over all of them. */
const FEW_QUEUES = 8;
/** Runs kept in memory; beyond it the cache starts over. */
const MOST_RUNS = 5_000;

/** What the gate says about its queues, and their names. */
export interface PoolQueues {
  cfg: number;
  /** Sorted by (priority, id). */
  sorted: QueueConfig[];
  byNo: Map<number, QueueConfig>;
  byId: Map<string, QueueConfig>;
  /** Name by queue id. */
  names: ReadonlyMap<string, string>;
}

/**
 * What was read of a pool. The gate is read first; all else is read after it, and stays true for as long as this
 * process' commits on the gate follow each other unbroken, since whatever else could change it rewrites the gate
 * (docs/gate.md, laws 2 and 7). A lost check, an unknown outcome or a foreign bell ends the cache: make a new one.
 * New waiting runs are the exception, for they come without the gate: {@link dropWindow}.
 */
export class PoolCache {
  readonly pool: string;
  gate: Entry<GateRecord> & { value: GateRecord };
  readonly runs = new Map<string, RunRecord>();
  readonly windows = new Map<number, Window>();
  /** Heads of lanes, by {@link laneName}. */
  readonly lanes = new Map<string, Window>();
  readonly #kv: Deno.Kv;
  readonly #sessions = new Map<string, SessionRecord | null>();
  #queues: PoolQueues | undefined;
  /** Rises when a window was dropped: a head that was being read meanwhile must not be kept. */
  #windowVersion = 0;

  private constructor(kv: Deno.Kv, pool: string, gate: Entry<GateRecord> & { value: GateRecord }) {
    this.#kv = kv;
    this.pool = pool;
    this.gate = gate;
  }

  /** Undefined when the pool does not exist. What `known` says about the queues is used while it holds. */
  static async open(kv: Deno.Kv, pool: string, known?: PoolCache): Promise<PoolCache | undefined> {
    const gate = await get(kv, gateKey(pool));
    if (!gate.value) return undefined;
    const cache = new PoolCache(kv, pool, { ...gate, value: gate.value });
    if (known) cache.#queues = known.#queues;
    return cache;
  }

  /** Whether the gate is still the one that was read. */
  async isCurrent(): Promise<boolean> {
    const gate = await get(this.#kv, gateKey(this.pool));
    return gate.versionstamp === this.gate.versionstamp;
  }

  async queues(): Promise<PoolQueues> {
    if (this.#queues?.cfg === this.gate.value.cfg) return this.#queues;
    const [configs, names] = await Promise.all([
      readQueueConfigs(this.#kv, this.pool),
      listAll(this.#kv, queueNameKey(this.pool, "").slice(0, 2) as Deno.KvKey, { batchSize: 500 }),
    ]);
    this.#queues = {
      ...indexQueues(configs, this.gate.value.cfg),
      names: new Map(names.map(({ key, value }) => [value as string, key[2] as string])),
    };
    return this.#queues;
  }

  /** What this process' last commit made of them; it is used while the gate says the same version. */
  keepQueues(queues: PoolQueues): void {
    this.#queues = queues;
  }

  async session(id: string): Promise<SessionRecord | null> {
    const known = this.#sessions.get(id);
    if (known !== undefined) return known;
    const { value } = await get(this.#kv, sessionKey(this.pool, id));
    this.#sessions.set(id, value);
    return value;
  }

  /** The session ends with the batch that is being decided; were that not applied, the whole cache would go. */
  endSession(id: string): void {
    this.#sessions.set(id, null);
  }

  /** The run's record, wherever the run is; null when it is not there. */
  async run(id: string): Promise<RunRecord | null> {
    return this.runs.get(id) ?? (await get(this.#kv, runKey(id))).value;
  }

  /** Reads the records that are not in memory yet. Runs of other pools are not kept: no gate of ours guards them. */
  async loadRuns(ids: Iterable<string>): Promise<void> {
    const unknown = [...new Set(ids)].filter((id) => !this.runs.has(id));
    if (this.runs.size + unknown.length > MOST_RUNS) this.runs.clear();
    for (const { value } of await getMany(this.#kv, unknown.map(runKey))) {
      if (value?.pool === this.pool) this.runs.set(value.id, value);
    }
  }

  /** Reads on where a plan came to the end of what is known; `eligible` are the queues that it may draw from. */
  async loadWindows(queueNos: ReadonlySet<number>, eligible: readonly QueueConfig[]): Promise<void> {
    const version = this.#windowVersion;
    const unread = eligible.filter(({ no }) => !this.windows.has(no));
    if (unread.length > FEW_QUEUES) {
      const heads = await readAllHeads(this.#kv, this.pool);
      if (version !== this.#windowVersion) return;
      for (const { no } of unread) this.windows.set(no, heads.get(no) ?? { entries: [], complete: true });
      return;
    }
    await Promise.all([...queueNos].map(async (no) => {
      const known = this.windows.get(no)?.entries ?? [];
      const head = await readQueueHead(this.#kv, this.pool, no, known.at(-1));
      if (version !== this.#windowVersion) return;
      this.windows.set(no, { entries: [...known, ...head.entries], complete: head.complete });
    }));
  }

  /** Reads on in lanes where a plan came to the end of what is known. Only commits of this gate change lanes. */
  async loadLanes(lanes: Iterable<Pick<ClosedLane, "deployment" | "queueNo">>): Promise<void> {
    await Promise.all([...lanes].map(async ({ deployment, queueNo }) => {
      const name = laneName(queueNo, deployment);
      const known = this.lanes.get(name)?.entries ?? [];
      const head = await readLaneHead(this.#kv, { pool: this.pool, queueNo, deployment }, known.at(-1));
      this.lanes.set(name, { entries: [...known, ...head.entries], complete: head.complete });
    }));
  }

  /** A waiting run came, moved or left other than by a grant. */
  dropWindow(queueNo: number): void {
    this.#windowVersion++;
    this.windows.delete(queueNo);
    for (const name of this.lanes.keys()) if (name.startsWith(`${queueNo}/`)) this.lanes.delete(name);
  }

  /** A run that was read as waiting is gone: the gate was rewritten meanwhile, as a commit will find out. */
  forget(run: string): void {
    for (const queueNo of this.windows.keys()) this.removeWaiting(queueNo, run);
  }

  /** A waiting run was granted or parked. */
  removeWaiting(queueNo: number, run: string): void {
    const lanes = [...this.lanes].filter(([name]) => name.startsWith(`${queueNo}/`)).map(([, lane]) => lane);
    for (const window of [this.windows.get(queueNo), ...lanes]) {
      if (window) window.entries = window.entries.filter((entry) => entry.run !== run);
    }
  }
}

export function indexQueues(configs: readonly QueueConfig[], cfg: number): Omit<PoolQueues, "names"> {
  return {
    cfg,
    sorted: configs.toSorted((a, b) => a.priority - b.priority || (a.id < b.id ? -1 : 1)),
    byNo: new Map(configs.map((queue) => [queue.no, queue])),
    byId: new Map(configs.map((queue) => [queue.id, queue])),
  };
}

/** The queues of a pool, in no particular order. */
export async function readQueueConfigs(kv: Deno.Kv, pool: string): Promise<QueueConfig[]> {
  const chunks = await listAll(kv, gateConfigKey(pool, 0).slice(0, 2) as Deno.KvKey);
  return chunks.flatMap((chunk) => chunk.value as QueueConfig[]);
}

/** The queue of that number as the gate has it; undefined when there is none. */
export async function readQueueConfig(
  kv: Deno.Kv,
  pool: string,
  no: number,
): Promise<QueueConfig | undefined> {
  const { value } = await get(kv, gateConfigKey(pool, chunkOf(no)));
  return value?.find((config) => config.no === no);
}

/** Which chunk of the configuration a queue stands in. */
export const chunkOf = (queueNo: number): number => Math.floor(queueNo / QUEUES_PER_CHUNK);
