import type { ServerDeps } from "../runtime/deps.ts";
import type { Services } from "../services/services.ts";
import { InProcessDriver } from "./in_process.ts";
import { lateLoop } from "./late_loop.ts";
import type { Loop, LoopCounter } from "./loop.ts";
import { pauseLoop } from "./pause_loop.ts";
import { scheduleLoop } from "./schedule_loop.ts";

type Parts = Pick<Services, "autoRuns" | "overdueRuns" | "scheduleChanges">;

/** All loops, over the services that do the work. */
export const buildLoops = ({ autoRuns, overdueRuns }: Parts): Loop[] => [
  scheduleLoop(autoRuns),
  lateLoop(overdueRuns),
  pauseLoop(overdueRuns),
];

/** What a server has of its scheduler. */
export interface Scheduler {
  /** What each loop has done, by its name. */
  counters: ReadonlyMap<string, LoopCounter>;
  /** Resolves when the server stops and what was under way has ended. */
  stopped: Promise<void>;
}

/**
 * Starts the scheduler: the one place that decides what drives its loops. A server that stays is driven by its own
 * clock; where instances sleep, whatever wakes them (a cron job, a request) calls `runOnce` of {@link buildLoops}.
 */
export function startScheduler(deps: ServerDeps, services: Parts): Scheduler {
  const drivers = buildLoops(services).map((loop) => ({
    name: loop.name,
    driver: new InProcessDriver(deps, loop),
  }));
  const [schedules] = drivers;
  services.scheduleChanges.listen(() => schedules?.driver.poke());
  const running = drivers.map(({ driver }) => driver.run());
  return {
    counters: new Map(drivers.map(({ name, driver }) => [name, driver.counter])),
    stopped: Promise.all(running).then(() => {}),
  };
}
