/** Writes runs as servers do, at random, straight to the store: for tests of what is read of them. */
import { Commit } from "../../src/kv/commit.ts";
import { runDocKey, runKey } from "../../src/kv/keys.ts";
import { get } from "../../src/kv/read.ts";
import {
  type Instant,
  type RunDoc,
  type RunRecord,
  STATE_TYPES,
  type StateType,
  TERMINAL_TYPES,
} from "../../src/schemas/records.ts";
import { SIM_START } from "./sim_scheduler.ts";
import type { SeededRandom } from "./seeded_random.ts";

/** Texts that break what joins or counts them carelessly. */
export const ODD_TEXTS = [
  "a\tb",
  "nul\0nul",
  '"quoted" \\',
  "走行中",
  "ß\u{1F600}",
  "\ud800 alone",
  "x".repeat(700),
];

export const uuidOf = (kind: string, n: number): string =>
  `${kind.padEnd(8, "0").slice(0, 8)}-0000-4000-8000-${String(n).padStart(12, "0")}`;

/** Ids of what runs belong to. */
export const FLOWS = [0, 1, 2].map((n) => uuidOf("f", n));
export const DEPLOYMENTS = Array.from({ length: 24 }, (_, n) => uuidOf("d", n));
export const POOLS = [0, 1].map((n) => uuidOf("a", n));
export const QUEUES = [0, 1, 2, 3].map((n) => uuidOf("b", n));
export const PARENTS = [0, 1].map((n) => uuidOf("c", n));
export const TAGS = ["red", "green", "blue", "x".repeat(40), "走"];
export const STATE_NAMES = ["Scheduled", "Late", "Running", "Completed", "Failed", "Cancelling"];

const HOUR = 3_600_000_000;

export class RunWriter {
  readonly #kv: Deno.Kv;
  readonly #random: SeededRandom;
  readonly #newId: () => string;
  /** The runs that are there. */
  readonly ids: string[] = [];

  constructor(kv: Deno.Kv, random: SeededRandom, newId: () => string) {
    this.#kv = kv;
    this.#random = random;
    this.#newId = newId;
  }

  /** One commit that creates, changes or deletes some runs. */
  async write(): Promise<void> {
    const random = this.#random;
    const kind = random.unit();
    if (this.ids.length < 20 || (kind < 0.3 && this.ids.length < 600)) await this.create(1 + random.int(12));
    else if (kind < 0.75) await this.change(1 + random.int(6));
    else if (kind < 0.92) await this.#describe();
    else await this.#delete(1 + random.int(3));
  }

  async create(count: number): Promise<void> {
    const commit = new Commit().once(this.#newId());
    for (let i = 0; i < count; i++) {
      const run = this.#run(this.#newId());
      commit.writeRun(null, run).set(runDocKey(run.id), this.#doc(run.id));
      this.ids.push(run.id);
    }
    await commit.send(this.#kv);
  }

  async change(count: number): Promise<void> {
    const commit = new Commit();
    const ids = new Set(Array.from({ length: count }, () => this.#pick(this.ids)));
    for (const id of ids) {
      const entry = await get(this.#kv, runKey(id));
      if (!entry.value) continue;
      commit.check(entry).writeRun(entry.value, { ...this.#run(entry.value.id), flow: entry.value.flow });
    }
    if (!commit.isEmpty) await commit.send(this.#kv);
  }

  /** As people rename: the record is not checked, so that the journal may tell a state that it has no longer. */
  async #describe(): Promise<void> {
    const id = this.#pick(this.ids);
    const [run, doc] = [await get(this.#kv, runKey(id)), await get(this.#kv, runDocKey(id))];
    if (!run.value || !doc.value) return;
    const seen = this.#random.chance(0.3)
      ? { ...run.value, state: { ...run.value.state, type: this.#pick(STATE_TYPES) } }
      : run.value;
    await new Commit().check(doc).set(runDocKey(id), this.#doc(id)).touchRun(seen).send(this.#kv);
  }

  async #delete(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const at = this.#random.int(this.ids.length);
      const entry = await get(this.#kv, runKey(this.ids[at]!));
      if (!entry.value) continue;
      await new Commit().check(entry).writeRun(entry.value, null).delete(runDocKey(entry.value.id)).send(
        this.#kv,
      );
      this.ids.splice(at, 1);
    }
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#random.int(items.length)]!;
  }

  #maybe<T>(chance: number, value: T): T | null {
    return this.#random.chance(chance) ? value : null;
  }

  /** Of whole minutes within some hours, so that times are equal now and then. */
  #time(): Instant {
    return SIM_START + this.#random.int(600) * (HOUR / 60);
  }

  #run(id: string): RunRecord {
    const random = this.#random;
    const type: StateType = random.chance(0.6) ? this.#pick([...TERMINAL_TYPES]) : this.#pick(STATE_TYPES);
    const name = random.chance(0.05) ? this.#pick(ODD_TEXTS) : this.#pick(STATE_NAMES);
    const isEnded = TERMINAL_TYPES.has(type);
    return {
      id,
      flow: this.#pick(FLOWS),
      deployment: this.#maybe(0.8, this.#pick(DEPLOYMENTS)),
      pool: this.#maybe(0.8, this.#pick(POOLS)),
      queue: this.#maybe(0.8, this.#pick(QUEUES)),
      queueNo: 0,
      t: 0,
      state: {
        id,
        type,
        name,
        timestamp: this.#time(),
        message: null,
        hasData: false,
        persisted: false,
        details: {},
      },
      attempt: 0,
      token: null,
      session: null,
      started: false,
      pauseKeys: [],
      retryType: null,
      resuming: false,
      runCount: 0,
      expectedStart: this.#maybe(0.95, this.#time()),
      nextStart: type === "SCHEDULED" ? this.#time() : null,
      startTime: this.#maybe(isEnded ? 0.9 : 0.4, this.#time()),
      endTime: isEnded ? this.#time() : null,
      totalRunTime: random.int(100) * 1e6,
      created: 0,
      updated: 0,
    };
  }

  #doc(id: string): RunDoc {
    const random = this.#random;
    return {
      id,
      name: random.chance(0.08) ? this.#pick(ODD_TEXTS) : `run-${random.int(40)}`,
      flowVersion: this.#maybe(0.3, `v${random.int(3)}`),
      deploymentVersion: null,
      parameters: "{}",
      context: "{}",
      jobVariables: null,
      idempotencyKey: this.#maybe(0.2, `key-${random.int(20)}`),
      tags: random.chance(0.03)
        ? Array.from({ length: 40 }, (_, i) => `tag ${i} 走行中`)
        : TAGS.filter(() => random.chance(0.3)),
      labels: "{}",
      parentTaskRunId: this.#maybe(0.1, this.#pick(PARENTS)),
      autoScheduled: false,
      infrastructureDocumentId: null,
      infrastructurePid: null,
      createdBy: this.#maybe(0.2, JSON.stringify({ id: this.#pick(PARENTS), type: "SCHEDULE" })),
      maxRetries: 0,
      retryDelaySeconds: 0,
      retries: null,
      retryDelay: null,
      updated: 0,
    };
  }
}
