/** When a worker, or an agent of ours, counts as online. Computed whenever somebody looks, never stored. */
import type { Instant, SessionRecord } from "../schemas/records.ts";
import type { WorkerFilter, WorkerStatus } from "../schemas/worker.ts";
import { combine, inPeriod, isAny, isNotAny } from "./clauses.ts";

/** Seconds between heartbeats of a worker that did not say (the reference's default). */
const DEFAULT_INTERVAL_SECONDS = 30;
/** So many intervals may pass without a heartbeat (the reference's default). */
const MISSED_INTERVALS = 3;
/** How often agents send heartbeats when nobody said otherwise. */
export const DEFAULT_HEARTBEAT_SECONDS = 5;
/** No agent is given up earlier than after so long, however often it is to be heard. */
const LEAST_AGENT_SECONDS = 10;

export interface Beating {
  lastHeartbeat: Instant;
  /** Seconds; null when the worker did not say. */
  interval: number | null;
  /** Seconds of silence that are forgiven at least. */
  least?: number;
}

export function workerStatus({ lastHeartbeat, interval, least = 0 }: Beating, now: Instant): WorkerStatus {
  const longest = Math.max(least, MISSED_INTERVALS * (interval ?? DEFAULT_INTERVAL_SECONDS)) * 1e6;
  return now - lastHeartbeat > longest ? "OFFLINE" : "ONLINE";
}

/** The heartbeats of an agent at one of its pools. */
export const agentBeat = (
  { seen }: Pick<SessionRecord, "seen">,
  heartbeatSeconds = DEFAULT_HEARTBEAT_SECONDS,
): Required<Beating> => ({ lastHeartbeat: seen, interval: heartbeatSeconds, least: LEAST_AGENT_SECONDS });

export const isAgentOnline = (
  session: Pick<SessionRecord, "seen" | "state">,
  heartbeatSeconds: number | undefined,
  now: Instant,
): boolean =>
  session.state !== "ended" && workerStatus(agentBeat(session, heartbeatSeconds), now) === "ONLINE";

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
