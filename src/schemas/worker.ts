import { z } from "zod";
import * as wire from "./wire.ts";

export const WORKER_STATUSES = ["ONLINE", "OFFLINE"] as const;
export type WorkerStatus = (typeof WORKER_STATUSES)[number];

/** A worker of the reference, or one of our own agents: an agent is a worker of each of its pools. */
export const Worker = z.object({
  id: z.string(),
  created: wire.time(),
  updated: wire.time(),
  name: z.string(),
  work_pool_id: z.string(),
  last_heartbeat_time: wire.time().nullable(),
  heartbeat_interval_seconds: z.number().nullable(),
  status: z.enum(WORKER_STATUSES),
}).meta({ id: "WorkerResponse" });
export type Worker = z.output<typeof Worker>;

export const WorkerHeartbeatBody = z.object({
  name: z.string().min(1).max(1_000),
  heartbeat_interval_seconds: wire.int().nullish(),
});

const statuses = () => z.array(z.enum(WORKER_STATUSES)).nullish();

export const WorkerFilter = z.strictObject({
  operator: wire.orDefault(z.enum(["and_", "or_"]), "and_"),
  status: z.strictObject({ any_: statuses(), not_any_: statuses() }).nullish(),
  last_heartbeat_time: z.strictObject({
    before_: wire.instant().nullish(),
    after_: wire.instant().nullish(),
  }).nullish(),
});
export type WorkerFilter = z.output<typeof WorkerFilter>;

export const WorkerListBody = z.object({
  workers: WorkerFilter.nullish(),
  limit: wire.limit(),
  offset: wire.offset(),
});
export type WorkerListBody = z.output<typeof WorkerListBody>;
