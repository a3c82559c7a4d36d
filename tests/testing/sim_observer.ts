/**
 * Looks at every commit of a simulated world and holds it against the gate protocol (docs/gate.md). What the records
 * say by themselves (I1, I2, I3, I6, I10) is `audit.ts`; here is what two moments say together.
 */
import { type JournalItem, type RunRecord, TERMINAL_TYPES, THIRD_PARTY } from "../../src/schemas/records.ts";
import { Stored } from "../services/audit.ts";
import { isGuarded, lawBroken } from "./commit_laws.ts";
import type { AppliedCommit, FakeKvStore } from "./fake_kv_store.ts";

const KINDS = ["run", "gate", "gate_cfg", "queue", "session", "lease", "wait", "lane", "dlimit"];

interface Place {
  queueNo: number;
  t: number;
  run: string;
}

/** A waiting run that a claim of the process `who` has to see. Absent `who`: of any process. */
interface Visible {
  who: string | undefined;
  since: number;
}

export class SimObserver {
  /** The first thing that was wrong. */
  fault: string | undefined;
  readonly #store: FakeKvStore;
  readonly #now: () => number;
  readonly #keepsLaws: boolean;
  #before: Stored;
  #commits = 0;
  /** By wait entry. */
  readonly #visible = new Map<string, Visible>();
  /** The last gate commit of a process: its number and its time. */
  readonly #lastOf = new Map<string, { commit: number; at: number }>();

  /** @param keepsLaws false for planted bugs that break a law of commits: then the records have to show it */
  constructor(store: FakeKvStore, now: () => number, keepsLaws = true) {
    this.#store = store;
    this.#now = now;
    this.#keepsLaws = keepsLaws;
    this.#before = this.#look();
    store.onCommit = (commit) => {
      const fault = this.#judge(commit);
      if (fault !== undefined) this.fault ??= `${fault}\n  in a commit of ${commit.who}`;
    };
  }

  /** The records after the last commit. */
  get stored(): Stored {
    return this.#before;
  }

  /** A process was told that the run was created there: from its next look on, its claims see it. */
  acknowledged(who: string, run: RunRecord): void {
    const key = placeKey(run.pool ?? "", { queueNo: run.queueNo, t: run.t, run: run.id });
    if (!this.#visible.has(key)) this.#visible.set(key, { who, since: this.#commits });
  }

  #look(): Stored {
    const stored = new Stored();
    for (const kind of KINDS) {
      for (const { key, value } of this.#store.peekAll([kind])) stored.add(key, value);
    }
    return stored;
  }

  #judge(commit: AppliedCommit): string | undefined {
    this.#commits++;
    const before = this.#before;
    const after = this.#before = this.#look();
    const fault = this.#lawFault(commit) ?? journalFault(commit) ?? after.faults()[0] ??
      historyFault(commit, before, after) ?? limitFault(before, after) ??
      this.#orderFault(commit, before, after);
    this.#forgetLeft(commit, after);
    this.#noteVisible(commit, after);
    return fault;
  }

  /** A run that left a place is not known there when it comes back. */
  #forgetLeft({ mutations }: AppliedCommit, after: Stored): void {
    for (const { type, key } of mutations) {
      if (type !== "delete" || (key[0] !== "wait" && key[0] !== "lane")) continue;
      const [pool, queueNo] = [String(key[1]), Number(key[2])];
      const [t, run] = [Number(key.at(-2)), String(key.at(-1))];
      const isThere = after.waitsOf(run).some((one) =>
        one.pool === pool && one.queueNo === queueNo && one.t === t
      );
      if (!isThere) this.#visible.delete(placeKey(pool, { queueNo, t, run }));
    }
  }

  #lawFault(commit: AppliedCommit): string | undefined {
    if (!this.#keepsLaws) return undefined;
    const parts = { checks: [...commit.checks], mutations: [...commit.mutations] };
    const broken = lawBroken(parts);
    const keys = commit.mutations.map(({ type, key }) => `${type} ${key.join("/")}`).join(", ");
    if (broken) return `law: a commit ${broken}: ${keys}`;
    return isGuarded(parts) || lawBroken(parts) === undefined ? undefined : `law: ${keys}`;
  }

  /** What a gate commit put into the index is known to whoever commits on that gate next. */
  #noteVisible({ who, mutations }: AppliedCommit, after: Stored): void {
    const pools = mutations.filter(({ key }) => key[0] === "gate").map(({ key }) => String(key[1]));
    for (const pool of pools) {
      for (const wait of after.waits) {
        const isWritten = mutations.some(({ type, key }) =>
          type === "set" && key[0] === "wait" && key[4] === wait.run
        );
        if (wait.pool === pool && isWritten) {
          this.#visible.set(placeKey(pool, wait), { who: undefined, since: this.#commits });
        }
      }
      this.#lastOf.set(`${who} ${pool}`, { commit: this.#commits, at: this.#now() });
    }
  }

  /**
   * I12. A run that a commit granted to a claim has no waiting run before it that the claim had to see: one that a
   * gate commit put there, or whose creation this process had acknowledged before its previous commit on the gate,
   * due by then, in a queue that is neither paused nor full. (The sim's agents draw from all queues.)
   */
  #orderFault({ who }: AppliedCommit, before: Stored, after: Stored): string | undefined {
    for (const lease of after.leases) {
      const isGrant = lease.value.claimId !== null && before.leasesOf(lease.run).length === 0;
      if (!isGrant) continue;
      const place = before.waitsOf(lease.run)[0];
      const last = this.#lastOf.get(`${who} ${lease.pool}`);
      if (!place || !last) continue;
      const configs = after.configs.get(lease.pool) ?? [];
      const rank = (queueNo: number) => {
        const at = configs.find(({ no }) => no === queueNo);
        return at ? [at.priority, at.id] as const : [Infinity, ""] as const;
      };
      for (const other of [...after.waits, ...after.parked]) {
        if (
          other.pool !== lease.pool || other.t > last.at ||
          before.waitsOf(other.run)[0]?.queueNo !== other.queueNo
        ) {
          continue;
        }
        const visible = this.#visible.get(placeKey(other.pool, other));
        const isKnown = visible !== undefined && (visible.who === undefined || visible.who === who) &&
          visible.since < last.commit;
        if (!isKnown || !isGrantable(after, other)) continue;
        const order = compare([...rank(other.queueNo), other.t, other.run], [
          ...rank(place.queueNo),
          place.t,
          place.run,
        ]);
        if (order < 0) {
          return `I12: run ${lease.run} was granted before run ${other.run}, which stands before it`;
        }
      }
    }
    return undefined;
  }
}

function isGrantable(stored: Stored, { pool, queueNo, run }: Place & { pool: string }): boolean {
  const limit = stored.limits.get(stored.runs.get(run)?.deployment ?? "");
  if (limit && limit.limit !== null && limit.occ >= limit.limit) return false;
  const config = stored.configs.get(pool)?.find(({ no }) => no === queueNo);
  if (!config || config.paused || config.closing) return false;
  const held = stored.leases.filter((lease) => lease.pool === pool && lease.value.queueNo === queueNo).length;
  return config.limit === null || held < config.limit;
}

/** Every commit that writes a run says so in the journal. */
function journalFault({ mutations }: AppliedCommit): string | undefined {
  const noted = new Set(
    mutations.filter(({ key }) => key[0] === "journal")
      .flatMap((mutation) => mutation.type === "set" ? mutation.value as JournalItem[] : []).map(([run]) =>
        run
      ),
  );
  const missing = mutations.find(({ key }) => key[0] === "run" && !noted.has(String(key[1])));
  return missing && `journal: run ${String(missing.key[1])} was written without an entry`;
}

/**
 * I7, I8: a held run keeps its token; an ended run changes only by being started or scheduled anew. One commit may
 * take a run through several states: each step counts.
 */
function historyFault({ mutations }: AppliedCommit, before: Stored, after: Stored): string | undefined {
  for (const run of after.runs.values()) {
    const old = before.runs.get(run.id);
    if (!old || run.state.id === old.state.id) continue;
    const steps = mutations.flatMap((mutation) =>
      mutation.type === "set" && mutation.key[0] === "run_state" && mutation.key[1] === run.id
        ? [(mutation.value as RunRecord["state"]).type]
        : []
    );
    const isAgents = old.session !== null && old.session !== THIRD_PARTY;
    const changesHands = run.session !== null && (run.token !== old.token || run.session !== old.session);
    if (isAgents && changesHands && steps.length === 1) {
      return `I7: run ${run.id} was granted to another while it was held`;
    }
    let from = old.state.type;
    for (const to of steps) {
      if (TERMINAL_TYPES.has(from) && !["SCHEDULED", "RUNNING"].includes(to)) {
        return `I8: run ${run.id} ended as ${from} and became ${to}`;
      }
      from = to;
    }
  }
  return undefined;
}

/** I4, I9: a commit that raises a count leaves it within the limit, and raises none that is paused or closing. */
function limitFault(before: Stored, after: Stored): string | undefined {
  for (const [pool, gate] of after.gates) {
    const held = (stored: Stored, no?: number) =>
      stored.leases.filter((lease) => lease.pool === pool && (no === undefined || lease.value.queueNo === no))
        .length;
    if (held(after) > held(before)) {
      if (gate.limit !== null && held(after) > gate.limit) {
        return `I4: ${held(after)} held, the pool's limit is ${gate.limit}`;
      }
    }
    const granted = after.leases.filter((lease) =>
      lease.pool === pool && before.leasesOf(lease.run).length === 0
    );
    if (granted.length > 0 && gate.paused) return "I9: a grant in a paused pool";
    for (const { no, limit, paused, closing } of after.configs.get(pool) ?? []) {
      if (held(after, no) > held(before, no) && limit !== null && held(after, no) > limit) {
        return `I4: ${held(after, no)} held in queue ${no}, its limit is ${limit}`;
      }
      if ((paused || closing) && granted.some(({ value }) => value.queueNo === no)) {
        return `I9: a grant in queue ${no}, which is paused or being deleted`;
      }
    }
  }
  for (const [deployment, { limit }] of after.limits) {
    const held = (stored: Stored) =>
      stored.leases.filter(({ value }) => value.deployment === deployment).length;
    if (limit !== null && held(after) > held(before) && held(after) > limit) {
      return `I4: ${held(after)} held by a deployment, its limit is ${limit}`;
    }
  }
  return undefined;
}

const placeKey = (pool: string, { queueNo, t, run }: Place): string => `${pool} ${queueNo} ${t} ${run}`;

function compare(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  for (const [i, part] of a.entries()) {
    const other = b[i]!;
    if (part !== other) return part < other ? -1 : 1;
  }
  return 0;
}
