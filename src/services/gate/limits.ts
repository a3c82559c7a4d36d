import { DeploymentLimit } from "../../domain/deployment_limit.ts";
import { Gate } from "../../domain/gate.ts";
import type { Commit } from "../../kv/commit.ts";
import { deploymentLimitKey, gateKey } from "../../kv/keys.ts";
import { type Entry, get, getMany } from "../../kv/read.ts";
import type { DeploymentLimitRecord, GateRecord } from "../../schemas/records.ts";

/** Other pools whose lanes one commit opens: with the own gate and the limit itself that is what KV can check. */
const MOST_OTHER_GATES = 7;

interface LoadedLimit {
  entry: Entry<DeploymentLimitRecord>;
  limit: DeploymentLimit;
}

interface OtherGate {
  entry: Entry<GateRecord>;
  gate: Gate;
  isChanged: boolean;
}

/**
 * The limits of deployments on a batch's overlay. They are read anew for each batch, since commits of other pools'
 * gates change them too, and are checked by the commit that changes them. When a slot of a deployment comes free, all
 * its lanes are opened, in other pools too: that costs as much as there are lanes, never as there are runs.
 */
export class Limits {
  /** Other pools in which something may have become startable. */
  readonly ringsIn = new Set<string>();
  readonly #kv: Deno.Kv;
  readonly #pool: string;
  readonly #gate: Gate;
  readonly #limits = new Map<string, LoadedLimit | null>();
  readonly #others = new Map<string, OtherGate>();

  constructor(kv: Deno.Kv, pool: string, gate: Gate) {
    this.#kv = kv;
    this.#pool = pool;
    this.#gate = gate;
  }

  /** Reads what is not known yet. To be called after the runs were read whose limits are asked for. */
  async load(deployments: Iterable<string | null>): Promise<void> {
    const unknown = [...new Set(deployments)].filter((one) =>
      one !== null && !this.#limits.has(one)
    ) as string[];
    const entries = await getMany(this.#kv, unknown.map(deploymentLimitKey));
    for (const [i, entry] of entries.entries()) {
      const limit = entry.value && new DeploymentLimit(entry.value);
      this.#limits.set(unknown[i]!, limit && { entry, limit });
      if (limit) await this.#loadOthers(limit);
    }
  }

  async #loadOthers(limit: DeploymentLimit): Promise<void> {
    const pools = new Set(limit.lanes.map(([pool]) => pool).filter((pool) => pool !== this.#pool));
    for (const pool of [...pools].slice(0, MOST_OTHER_GATES)) {
      if (this.#others.has(pool)) continue;
      const entry = await get(this.#kv, gateKey(pool));
      if (entry.value) this.#others.set(pool, { entry, gate: new Gate(entry.value), isChanged: false });
    }
  }

  /** The deployment's limit; null: none, undefined: not read yet. */
  get(deployment: string): DeploymentLimit | null | undefined {
    const loaded = this.#limits.get(deployment);
    return loaded && loaded.limit;
  }

  /** The same, to plan with. */
  copies(): { get(deployment: string): DeploymentLimit | null | undefined } {
    const copies = new Map([...this.#limits].map(([id, loaded]) => [id, loaded && loaded.limit.copy()]));
    return { get: (deployment) => copies.get(deployment) };
  }

  /** A run of the deployment takes a slot. */
  take(deployment: string | null): void {
    this.#require(deployment)?.take();
  }

  /** A run of the deployment gives its slot back. */
  free(deployment: string | null): void {
    const limit = this.#require(deployment);
    if (!limit) return;
    limit.free();
    if (limit.hasRoom) this.#openLanes(deployment!, limit);
  }

  /** A limit that was forgotten to be read would be a slot that is never counted. */
  #require(deployment: string | null): DeploymentLimit | null {
    if (deployment === null) return null;
    const limit = this.get(deployment);
    if (limit === undefined) throw new Error(`The limit of deployment ${deployment} was not read.`);
    return limit;
  }

  #openLanes(deployment: string, limit: DeploymentLimit): void {
    for (const [pool, queueNo] of limit.lanes) {
      if (pool === this.#pool) {
        this.#gate.openLane(deployment, queueNo);
        continue;
      }
      const other = this.#others.get(pool);
      if (!other) continue; // the pool is gone, and its runs with it
      other.gate.openLane(deployment, queueNo);
      other.isChanged = true;
      this.ringsIn.add(pool);
    }
  }

  /** Checks that the commit needs for a slot of this deployment that is taken or freed. */
  costOf(deployment: string | null): number {
    const limit = deployment === null ? undefined : this.get(deployment);
    if (!limit) return 0;
    const pools = new Set(limit.lanes.map(([pool]) => pool).filter((pool) => this.#others.has(pool)));
    const unchanged = [...pools].filter((pool) => !this.#others.get(pool)!.isChanged);
    return unchanged.length + (limit.isChanged ? 0 : 1);
  }

  /** Checks that {@link stage} will add. */
  get checks(): number {
    return this.#changedLimits().length + this.#changedOthers().length;
  }

  /** Adds what changed to the commit. `op`: its id. */
  stage(commit: Commit, op: number): void {
    for (const { entry, limit } of this.#changedLimits()) {
      commit.check(entry).set(entry.key, limit.toRecord());
    }
    for (const { entry, gate } of this.#changedOthers()) {
      commit.check(entry).set(entry.key, gate.toRecord(op));
    }
  }

  #changedLimits(): LoadedLimit[] {
    return [...this.#limits.values()].filter((loaded) => loaded?.limit.isChanged) as LoadedLimit[];
  }

  #changedOthers(): OtherGate[] {
    return [...this.#others.values()].filter(({ isChanged }) => isChanged);
  }
}
