/** Bugs to plant in a simulated world, from outside: each is a short cut of docs/gate.md that looks harmless. */
import { Gate } from "../../src/domain/gate.ts";
import { DeploymentLimit } from "../../src/domain/deployment_limit.ts";
import { Gatekeeper } from "../../src/services/gate/gatekeeper.ts";
import { Limits } from "../../src/services/gate/limits.ts";
import { PoolCache } from "../../src/services/gate/pool_cache.ts";
import { FakeAtomicOperation } from "./fake_atomic.ts";
import type { FakeKv } from "./fake_kv.ts";
import { runWorld, type WorldOptions, type WorldResult } from "./sim_world.ts";

type Plant = (seed: number) => Promise<WorldResult>;

const run = (seed: number, options: Omit<WorldOptions, "seed"> = {}): Promise<WorldResult> =>
  runWorld({ seed, ...options });

/** Runs a world, and takes back afterwards what was planted in a class. */
async function planted(seed: number, takeBack: () => void): Promise<WorldResult> {
  try {
    return await run(seed);
  } finally {
    takeBack();
  }
}

export const PLANTED_BUGS: Record<string, Plant> = {
  /** A run is created without checking that it has not been yet: the runtime's repeat writes it a second time. */
  H1: (seed) => run(seed, { keepsLaws: false, openKv: withoutCreationCheck }),

  /** The window is read before the gate: what was read for an old gate serves a new one. */
  H6(seed) {
    const { open } = PoolCache;
    const known = new WeakMap<Deno.Kv, Map<string, PoolCache>>();
    PoolCache.open = async (kv, pool, before) => {
      const cache = await open.call(PoolCache, kv, pool, before);
      const pools = known.get(kv) ?? new Map<string, PoolCache>();
      const old = pools.get(pool);
      if (cache && old) {
        for (const [no, window] of old.windows) cache.windows.set(no, window);
        for (const [id, record] of old.runs) cache.runs.set(id, record);
      }
      if (cache) known.set(kv, pools.set(pool, cache));
      return cache;
    };
    return planted(seed, () => PoolCache.open = open);
  },

  /** Parking a run does not write its deployment's limit, since it takes no slot. */
  H7(seed) {
    const { addLane } = DeploymentLimit.prototype;
    DeploymentLimit.prototype.addLane = () => {};
    return planted(seed, () => DeploymentLimit.prototype.addLane = addLane);
  },

  /** A slot that comes free opens one lane, not all. */
  H8(seed) {
    const { free } = Limits.prototype;
    Limits.prototype.free = function (deployment) {
      const limit = deployment === null ? null : this.get(deployment);
      if (limit) {
        Object.defineProperty(limit, "lanes", { value: limit.lanes.slice(0, 1), configurable: true });
      }
      free.call(this, deployment);
      if (limit) Reflect.deleteProperty(limit, "lanes");
    };
    return planted(seed, () => Limits.prototype.free = free);
  },

  /** A limit that is raised or cleared opens no lane. */
  H9(seed) {
    const { openLane } = Gate.prototype;
    Gate.prototype.openLane = function (deployment, queueNo) {
      if (!new Error().stack?.includes("deployment_limits.ts")) openLane.call(this, deployment, queueNo);
    };
    return planted(seed, () => Gate.prototype.openLane = openLane);
  },

  /** The runs that are going on are counted for a first limit while claims that know of none are being decided. */
  H11(seed) {
    const { submit } = Gatekeeper.prototype;
    Gatekeeper.prototype.submit = function (operation) {
      const isRewrite = operation.kind === "state" && operation.run === undefined;
      return isRewrite ? Promise.resolve(undefined as never) : submit.call(this, operation) as never;
    };
    return planted(seed, () => Gatekeeper.prototype.submit = submit);
  },

  /** Each claim of a batch is decided on the counts before the batch. */
  H12(seed) {
    const { copy } = Gate.prototype;
    Gate.prototype.copy = function () {
      return Object.assign(copy.call(this), { take() {} });
    };
    return planted(seed, () => Gate.prototype.copy = copy);
  },

  /** Only claims look whether there is room; a third party's PENDING or RUNNING just takes a slot. */
  H17(seed) {
    const { copy, blocked, blockedIn } = Gate.prototype;
    const ofClaims = new WeakSet<Gate>();
    Gate.prototype.copy = function () {
      const made = copy.call(this);
      ofClaims.add(made);
      return made;
    };
    Gate.prototype.blocked = function () {
      return ofClaims.has(this) ? blocked.call(this) : undefined;
    };
    Gate.prototype.blockedIn = function (queue) {
      return ofClaims.has(this) ? blockedIn.call(this, queue) : undefined;
    };
    return planted(seed, () => Object.assign(Gate.prototype, { copy, blocked, blockedIn }));
  },
};

/** A world with the bug of that name planted; without one when undefined. */
export function withBug(name: string | undefined, seed: number): Promise<WorldResult> {
  const plant = name === undefined ? run : PLANTED_BUGS[name];
  if (!plant) throw new Error(`there is no bug '${name}'`);
  return plant(seed);
}

function withoutCreationCheck(kv: FakeKv): Deno.Kv {
  const atomic = kv.atomic.bind(kv);
  kv.atomic = () =>
    new FakeAtomicOperation((checks, mutations) => {
      const kept = checks.filter(({ key, versionstamp }) =>
        key[0] !== "once" && (key[0] !== "run" || versionstamp !== null)
      );
      return atomic().check(...kept).mutate(...mutations).commit();
    });
  return kv;
}
