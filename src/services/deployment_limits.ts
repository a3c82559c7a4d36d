import { DeploymentLimit } from "../domain/deployment_limit.ts";
import { Gate } from "../domain/gate.ts";
import { DomainError } from "../errors.ts";
import { Commit } from "../kv/commit.ts";
import { deploymentLimitKey, gateKey, poolKey } from "../kv/keys.ts";
import { type Entry, get, listAll } from "../kv/read.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { CollisionStrategy, DeploymentLimitRecord, LeaseRecord } from "../schemas/records.ts";
import type { Gates } from "./gate/gates.ts";
import { PoolGoneError } from "./gate/operation.ts";
import { openLanes, rewriteGate } from "./gate/lane_operations.ts";

/** Pools whose lanes are opened in the commit that raises a limit: what KV can check beside the limit. */
const GATES_AT_ONCE = 8;
const ATTEMPTS = 20;

export interface WantedLimit {
  /** Null: none. */
  limit: number | null;
  strategy: CollisionStrategy;
}

/** Sets the concurrency limits of deployments, while their runs go on. */
export class DeploymentLimits {
  readonly #deps: ServerDeps;
  readonly #gates: Gates;

  constructor(deps: ServerDeps, gates: Gates) {
    this.#deps = deps;
    this.#gates = gates;
  }

  /** Null for a deployment that never had a limit. */
  async get(deployment: string): Promise<DeploymentLimitRecord | null> {
    return (await get(this.#deps.kv, deploymentLimitKey(deployment))).value;
  }

  /**
   * From then on no run of the deployment starts above the limit. Can be repeated after any failure.
   *
   * @throws DomainError `contention`, `unknown_outcome`
   */
  async set(deployment: string, wanted: WantedLimit): Promise<void> {
    const key = deploymentLimitKey(deployment);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const entry = await get(this.#deps.kv, key);
      if (!entry.value && wanted.limit === null) return;
      if (!entry.value) {
        const counting = { ...wanted, limit: null, occ: 0, lanes: [], counting: true as const };
        await new Commit().check(entry).set(key, counting).send(this.#deps.kv);
      } else if (entry.value.counting) {
        if (await this.#count(deployment, wanted)) return;
      } else if (await this.#change(deployment, { ...entry, value: entry.value }, wanted)) return;
    }
    throw new DomainError("contention", "The deployment's runs change too fast for a new limit: try again.");
  }

  /**
   * The first limit. Since the record is there, whatever takes or frees a slot of the deployment changes it too, but
   * for what was decided before it was there. So every gate is rewritten once, which lets such decisions fail; what is
   * counted after that, and committed while the record is unchanged, is exact.
   */
  async #count(deployment: string, wanted: WantedLimit): Promise<boolean> {
    await this.#rewriteGates();
    const { kv } = this.#deps;
    const entry = await get(kv, deploymentLimitKey(deployment));
    const leases = await listAll(kv, ["lease"], { batchSize: 500 });
    const occ = leases.filter(({ value }) => (value as LeaseRecord).deployment === deployment).length;
    const lanes = entry.value?.lanes ?? [];
    const commit = new Commit().check(entry).set(deploymentLimitKey(deployment), { ...wanted, occ, lanes });
    return (await commit.send(kv)).ok;
  }

  async #rewriteGates(): Promise<void> {
    const pools = await listAll(this.#deps.kv, poolKey("").slice(0, 1) as Deno.KvKey);
    for (const { key } of pools) {
      await this.#gates.of(String(key[1])).submit(rewriteGate()).catch((error) => {
        if (!(error instanceof PoolGoneError)) throw error;
      });
    }
  }

  /** A limit that leaves room opens all lanes, in the same commit. */
  async #change(
    deployment: string,
    entry: Entry<DeploymentLimitRecord> & { value: DeploymentLimitRecord },
    wanted: WantedLimit,
  ): Promise<boolean> {
    const { value } = entry;
    if (value.limit === wanted.limit && value.strategy === wanted.strategy) return true;
    const next = new DeploymentLimit({ ...value, ...wanted });
    const pools = next.hasRoom ? [...new Set(next.lanes.map(([pool]) => pool))] : [];
    const commit = new Commit().check(entry).set(deploymentLimitKey(deployment), next.toRecord());
    for (const pool of pools.slice(0, GATES_AT_ONCE)) {
      await this.#openIn(pool, { commit, deployment, lanes: next.lanes });
    }
    try {
      if (!(await commit.send(this.#deps.kv)).ok) return false;
    } finally {
      for (const pool of pools) this.#gates.ring(pool); // also when the outcome is unknown
    }
    for (const pool of pools.slice(GATES_AT_ONCE)) {
      await this.#gates.of(pool).submit(openLanes(deployment)).catch((error) => {
        if (!(error instanceof PoolGoneError)) throw error;
      });
    }
    return true;
  }

  async #openIn(
    pool: string,
    { commit, deployment, lanes }: { commit: Commit; deployment: string; lanes: DeploymentLimit["lanes"] },
  ): Promise<void> {
    const entry = await get(this.#deps.kv, gateKey(pool));
    if (!entry.value) return; // deleted with its runs
    const gate = new Gate(entry.value);
    for (const [of, queueNo] of lanes) if (of === pool) gate.openLane(deployment, queueNo);
    commit.check(entry).set(gateKey(pool), gate.toRecord(this.#deps.ids.op()));
  }
}
