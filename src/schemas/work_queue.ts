import { z } from "zod";
import type { JsonText } from "./records.ts";
import * as wire from "./wire.ts";

export const WorkQueue = z.object({
  id: z.string(),
  created: wire.time(),
  updated: wire.time(),
  name: z.string(),
  description: z.string().nullable(),
  is_paused: z.boolean(),
  concurrency_limit: z.number().nullable(),
  priority: z.number(),
  work_pool_id: z.string(),
  filter: z.unknown(),
  last_polled: wire.time().nullable(),
  work_pool_name: z.string(),
  status: z.enum(["READY", "NOT_READY", "PAUSED"]),
  active_slots: z.number().nullable(),
}).meta({ id: "WorkQueue" });
export type WorkQueue = z.output<typeof WorkQueue>;

/** Deprecated in the reference: restricts what `get_runs` of the queue answers. Unknown keys are ignored there. */
export const QueueFilter = z.object({
  tags: z.array(z.string()).nullish().transform((tags) => tags ?? null),
  deployment_ids: z.array(wire.uuid()).nullish().transform((ids) => ids ?? null),
}).meta({ id: "QueueFilter" });
export type QueueFilter = z.output<typeof QueueFilter>;

const queueFilter = () =>
  QueueFilter.transform((given): JsonText => JSON.stringify(given)).refine((text) => text.length <= 10_000, {
    message: "Object should have at most 10000 characters",
  });

/** Whether the queue is asked for work, and whether what waits there is late. */
export const WorkQueueStatusDetail = z.object({
  healthy: z.boolean(),
  late_runs_count: z.int(),
  last_polled: wire.time().nullable(),
  health_check_policy: z.object({
    maximum_late_runs: z.int().nullable(),
    maximum_seconds_since_last_polled: z.int().nullable(),
  }).meta({ id: "WorkQueueHealthPolicy" }),
}).meta({ id: "WorkQueueStatusDetail" });
export type WorkQueueStatusDetail = z.output<typeof WorkQueueStatusDetail>;

export const WorkQueueCreate = z.strictObject({
  name: wire.keyName(),
  description: wire.shortText().nullish(),
  is_paused: wire.orDefault(wire.bool(), false),
  concurrency_limit: wire.int(0).nullish(),
  priority: wire.positiveInt().nullish(),
  filter: queueFilter().nullish(),
}).meta({ id: "WorkQueueCreate" });
export type WorkQueueCreate = z.output<typeof WorkQueueCreate>;

/** Only the keys that are present are written. The reference checks no pattern on a new name; a path needs one. */
export const WorkQueueUpdate = z.strictObject({
  name: wire.keyName().nullish(),
  description: wire.shortText().nullish(),
  is_paused: wire.bool().nullish(),
  concurrency_limit: wire.int(0).nullish(),
  priority: wire.positiveInt().nullish(),
  last_polled: wire.instant().nullish(),
  filter: queueFilter().nullish(),
}).meta({ id: "WorkQueueUpdate" });
export type WorkQueueUpdate = z.output<typeof WorkQueueUpdate>;
