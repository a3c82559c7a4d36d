/** When a worker counts as online. Computed whenever somebody looks, never stored. */
import type { Instant } from "../schemas/records.ts";
import type { WorkerFilter, WorkerStatus } from "../schemas/worker.ts";
import { combine, inPeriod, isAny, isNotAny } from "./clauses.ts";

/** Seconds between heartbeats of a worker that did not say (the reference's default). */
const DEFAULT_INTERVAL_SECONDS = 30;
/** So many intervals may pass without a heartbeat (the reference's default). */
const MISSED_INTERVALS = 3;

export interface Beating {
  lastHeartbeat: Instant;
  /** Seconds; null when the worker did not say. */
  interval: number | null;
}

export function workerStatus({ lastHeartbeat, interval }: Beating, now: Instant): WorkerStatus {
  const longest = MISSED_INTERVALS * (interval ?? DEFAULT_INTERVAL_SECONDS) * 1e6;
  return now - lastHeartbeat > longest ? "OFFLINE" : "ONLINE";
}

/** Absent and null clauses constrain nothing. */
export function matchesWorker(
  filter: WorkerFilter | null | undefined,
  worker: Beating,
  now: Instant,
): boolean {
  if (!filter) return true;
  const status = workerStatus(worker, now);
  return combine(filter.operator, [
    filter.status &&
    combine("and_", [isAny(filter.status.any_, status), isNotAny(filter.status.not_any_, status)]),
    filter.last_heartbeat_time && inPeriod(filter.last_heartbeat_time, worker.lastHeartbeat, false),
  ]);
}
