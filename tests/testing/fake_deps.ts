import type { ServerDeps } from "../../src/runtime/deps.ts";
import { buildIds } from "../../src/runtime/ids.ts";
import { silentLog } from "../../src/runtime/log.ts";
import type { Instant } from "../../src/schemas/records.ts";
import { FakeClock } from "./fake_clock.ts";
import { FakeKv } from "./fake_kv.ts";
import { FakeKvStore } from "./fake_kv_store.ts";
import { SeededRandom } from "./seeded_random.ts";
import type { SimScheduler } from "./sim_scheduler.ts";

/** Deps of a server whose time the test moves. */
export interface FakeDeps extends ServerDeps {
  clock: FakeClock;
  random: SeededRandom;
  /** Aborts `shutdown`. */
  controller: AbortController;
  /** {@link FakeClock.advance}. */
  advance(ms: number): Promise<void>;
}

/** Without options: an empty fake KV, a fixed start, seed 1. The KV is the caller's to close. */
export function fakeDeps(options: { kv?: Deno.Kv; start?: Instant; seed?: number } = {}): FakeDeps {
  const clock = new FakeClock(options.start);
  const random = new SeededRandom(options.seed ?? 1);
  const controller = new AbortController();
  return {
    clock,
    random,
    ids: buildIds(clock, random),
    log: silentLog,
    kv: options.kv ?? new FakeKv(new FakeKvStore()),
    sharedKv: false,
    shutdown: controller.signal,
    controller,
    advance: (ms) => clock.advance(ms),
  };
}

/** Deps of a simulated server. */
export interface SimDeps extends ServerDeps {
  /** Aborts `shutdown`. */
  controller: AbortController;
}

/**
 * Deps of the simulated process `who`: time is the scheduler's, random numbers follow from its seed. The process
 * takes itself for one of several, so it writes and watches bells.
 */
export function simDeps(scheduler: SimScheduler, who: string, kv: Deno.Kv): SimDeps {
  const random = scheduler.random.fork(who);
  const controller = new AbortController();
  const clock = {
    now: () => scheduler.now(),
    monotonic: () => scheduler.now() / 1000,
    sleep: (ms: number, signal?: AbortSignal) => scheduler.sleep(who, ms, signal),
  };
  return {
    clock,
    random,
    ids: buildIds(clock, random),
    log: silentLog,
    kv,
    sharedKv: true,
    shutdown: controller.signal,
    controller,
  };
}
