/**
 * The invariants of the gate protocol, looked up in what is stored: docs/gate.md, I1, I2, I3, I6, I10. Written from
 * the protocol's words, not from the code under test.
 */
import type {
  DeploymentLimitRecord,
  GateRecord,
  LeaseRecord,
  QueueConfig,
  RunRecord,
  SessionRecord,
  WorkQueueRecord,
} from "../../src/schemas/records.ts";

const HOLDING = ["PENDING", "RUNNING", "CANCELLING"];

interface Lease {
  pool: string;
  session: string;
  run: string;
  value: LeaseRecord;
}

interface Wait {
  pool: string;
  queueNo: number;
  t: number;
  run: string;
}

interface Lane extends Wait {
  deployment: string;
}

/** All records of one moment (when nothing writes meanwhile). */
export class Stored {
  readonly runs = new Map<string, RunRecord>();
  readonly gates = new Map<string, GateRecord>();
  readonly queues: WorkQueueRecord[] = [];
  readonly configs = new Map<string, QueueConfig[]>();
  readonly sessions = new Set<string>();
  readonly leases: Lease[] = [];
  readonly waits: Wait[] = [];
  /** Runs that their deployment's limit keeps out of the index. */
  readonly parked: Lane[] = [];
  readonly limits = new Map<string, DeploymentLimitRecord>();

  add(key: Deno.KvKey, value: unknown): void {
    const [kind, first, second, third, fourth] = key;
    switch (kind) {
      case "run":
        this.runs.set(String(first), value as RunRecord);
        break;
      case "gate":
        this.gates.set(String(first), value as GateRecord);
        break;
      case "gate_cfg":
        this.configs.set(String(first), [
          ...this.configs.get(String(first)) ?? [],
          ...value as QueueConfig[],
        ]);
        break;
      case "queue":
        this.queues.push(value as WorkQueueRecord);
        break;
      case "session":
        if ((value as SessionRecord).state) this.sessions.add(`${String(first)}/${String(second)}`);
        break;
      case "lease":
        this.leases.push({
          pool: String(first),
          session: String(second),
          run: String(third),
          value: value as LeaseRecord,
        });
        break;
      case "dlimit":
        this.limits.set(String(first), value as DeploymentLimitRecord);
        break;
      case "lane":
        this.parked.push({
          pool: String(first),
          queueNo: Number(second),
          deployment: String(third),
          t: Number(fourth),
          run: String(key[5]),
        });
        break;
      case "wait":
        this.waits.push({
          pool: String(first),
          queueNo: Number(second),
          t: Number(third),
          run: String(fourth),
        });
    }
  }

  leasesOf(run: string): Lease[] {
    return this.leases.filter((lease) => lease.run === run);
  }
  waitsOf(run: string): Wait[] {
    return [...this.waits, ...this.parked].filter((wait) => wait.run === run);
  }

  /** What is wrong, in words. */
  faults(): string[] {
    return [
      ...this.#countFaults(),
      ...this.#leaseFaults(),
      ...this.#runFaults(),
      ...this.#queueFaults(),
      ...this.#limitFaults(),
      ...this.#laneFaults(),
    ];
  }

  /** I1: what a deployment's limit counts is leases. */
  #limitFaults(): string[] {
    return [...this.limits].flatMap(([deployment, { occ, counting }]) => {
      const held = this.leases.filter(({ value }) => value.deployment === deployment).length;
      return counting || occ === held ? [] : [`I1: deployment ${deployment} counts ${occ}, ${held} leases`];
    });
  }

  /** I5: while a deployment has room, every lane with runs may be drawn from; its limit knows all its lanes. */
  #laneFaults(): string[] {
    const lanes = new Map(this.parked.map((one) => [`${one.pool}/${one.queueNo}/${one.deployment}`, one]));
    return [...lanes.values()].flatMap(({ pool, queueNo, deployment }) => {
      const limit = this.limits.get(deployment);
      if (!limit) return [`I5: a lane of deployment ${deployment}, which has no limit`];
      const isKnown = limit.lanes.some(([of, no]) => of === pool && no === queueNo);
      if (!isKnown) return [`I5: deployment ${deployment} does not know its lane in queue ${queueNo}`];
      const isOpen = this.gates.get(pool)?.open?.some(([of, no]) => of === deployment && no === queueNo);
      const hasRoom = limit.limit === null || limit.occ < limit.limit;
      return hasRoom && !isOpen
        ? [`I5: deployment ${deployment} has room, its lane in queue ${queueNo} is closed`]
        : [];
    });
  }

  /** I1: counts are leases. */
  #countFaults(): string[] {
    return [...this.gates].flatMap(([pool, gate]) => {
      const leases = this.leases.filter((lease) => lease.pool === pool);
      const counted: Record<string, number> = {};
      for (const { value } of leases) counted[value.queueNo] = (counted[value.queueNo] ?? 0) + 1;
      const stated: Record<string, number> = {};
      for (let i = 0; i < gate.q.length; i += 2) stated[gate.q[i]!] = gate.q[i + 1]!;
      const faults: string[] = [];
      if (gate.occ !== leases.length) faults.push(`I1: pool counts ${gate.occ}, ${leases.length} leases`);
      if (JSON.stringify(sorted(counted)) !== JSON.stringify(sorted(stated))) {
        faults.push(`I1: queues count ${JSON.stringify(stated)}, leases ${JSON.stringify(counted)}`);
      }
      return faults;
    });
  }

  /** I2, I6: a lease belongs to a run that is held by its session. */
  #leaseFaults(): string[] {
    return this.leases.flatMap(({ pool, session, run, value }) => {
      const record = this.runs.get(run);
      const faults: string[] = [];
      if (!record) return [`I2: a lease of run ${run}, which is not there`];
      if (!this.gates.has(pool)) faults.push(`I6: a lease in pool ${pool}, which is not there`);
      if (record.pool !== pool || record.session !== session || record.queueNo !== value.queueNo) {
        faults.push(`I2: run ${run} (${record.state.type}) is not held by the session of its lease`);
      }
      if (session !== "tp" && !this.sessions.has(`${pool}/${session}`)) {
        faults.push(`I6: ${session} is not there`);
      }
      return faults;
    });
  }

  /** I2, I3: a held run has its one lease, a waiting one its one place, any other neither. */
  #runFaults(): string[] {
    const leasesOf = Map.groupBy(this.leases, ({ run }) => run);
    const waitsOf = Map.groupBy([...this.waits, ...this.parked], ({ run }) => run);
    return [...this.runs.values()].flatMap((run) => {
      const { id, state } = run;
      const isHeld = run.session !== null;
      const isWaiting = run.pool !== null && !isHeld && state.type === "SCHEDULED";
      const faults: string[] = [];
      const leases = leasesOf.get(id)?.length ?? 0;
      const places = waitsOf.get(id) ?? [];
      const expectedLeases = isHeld ? 1 : 0;
      if (leases !== expectedLeases) faults.push(`I2: run ${id} (${state.type}) has ${leases} leases`);
      if (places.length !== (isWaiting ? 1 : 0)) {
        faults.push(`I3: run ${id} (${state.type}) waits ${places.length} times`);
      }
      const place = places[0];
      if (
        isWaiting && place && (place.pool !== run.pool || place.queueNo !== run.queueNo || place.t !== run.t)
      ) {
        faults.push(`I3: run ${id} waits at a place that is not its own`);
      }
      if (run.pool !== null && HOLDING.includes(state.type) && !isHeld) {
        faults.push(`I1: run ${id} is ${state.type} and not held`);
      }
      return faults;
    });
  }

  /** I3, I10: what waits is a run in a queue that is there. */
  #queueFaults(): string[] {
    const queues = new Set(this.queues.map(({ pool, no }) => `${pool}/${no}`));
    const faults = [...this.waits, ...this.parked].flatMap(({ pool, queueNo, run }) => {
      const isThere = queues.has(`${pool}/${queueNo}`);
      return [
        ...isThere ? [] : [`I10: run ${run} waits in a queue that is gone`],
        ...this.runs.has(run) ? [] : [`I3: run ${run}, which is not there, waits`],
      ];
    });
    for (const { id, pool } of this.queues) {
      const isConfigured = this.configs.get(pool)?.some((config) => config.id === id);
      if (!this.gates.has(pool) || !isConfigured) {
        faults.push(`I10: queue ${id} has no pool or no configuration`);
      }
    }
    return faults;
  }
}

const KINDS = ["run", "gate", "gate_cfg", "queue", "session", "lease", "wait", "lane", "dlimit"];

/** Reads everything that the invariants are about. */
export async function readAll(kv: Deno.Kv): Promise<Stored> {
  const stored = new Stored();
  for (const kind of KINDS) {
    for await (const { key, value } of kv.list({ prefix: [kind] }, { batchSize: 500 })) {
      stored.add(key, value);
    }
  }
  return stored;
}

const sorted = (counts: Record<string, number>) =>
  Object.entries(counts).sort(([a], [b]) => Number(a) - Number(b));
