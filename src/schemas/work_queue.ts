import { z } from "zod";
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

export const WorkQueueCreate = z.strictObject({
  name: wire.keyName(),
  description: wire.shortText().nullish(),
  is_paused: wire.orDefault(wire.bool(), false),
  concurrency_limit: wire.int(0).nullish(),
  priority: wire.positiveInt().nullish(),
  filter: wire.smallJsonObject().nullish(),
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
  filter: wire.smallJsonObject().nullish(),
}).meta({ id: "WorkQueueUpdate" });
export type WorkQueueUpdate = z.output<typeof WorkQueueUpdate>;
