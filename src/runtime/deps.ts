import type { Clock } from "./clock.ts";
import type { Ids } from "./ids.ts";
import type { Log } from "./log.ts";
import type { Random } from "./random.ts";

/** The outside world, built once in the entry files and passed to everything that needs it. */
export interface Deps {
  clock: Clock;
  random: Random;
  ids: Ids;
  log: Log;
}

/** {@link Deps} of the server. */
export interface ServerDeps extends Deps {
  kv: Deno.Kv;
  /** Whether other processes may use the same KV (KV Connect): then bells are written and watched. */
  sharedKv: boolean;
  /** Aborts when the server is told to stop: long polls and streams end. */
  shutdown: AbortSignal;
}
