import { z } from "zod";
import type { JsonText } from "./records.ts";
import * as wire from "./wire.ts";

const step = () => wire.orDefault(wire.object().nullable(), null);

/** Where bundles and results are stored; kept as text with every field. */
const storageConfiguration = () =>
  z.strictObject({
    bundle_upload_step: step(),
    bundle_execution_step: step(),
    default_result_storage_block_id: wire.orDefault(wire.uuid().nullable(), null),
  }).meta({ id: "WorkPoolStorageConfiguration" }).transform((given): JsonText => JSON.stringify(given))
    .refine((text) => text.length <= 10_000, { message: "Object should have at most 10000 characters" });

/** The storage configuration of a pool that was made without one. */
export const NO_STORAGE: JsonText = JSON.stringify({
  bundle_upload_step: null,
  bundle_execution_step: null,
  default_result_storage_block_id: null,
});

/**
 * `status` is null for pools of type prefect-agent, as in the reference. `active_slots` is null without a limit
 * there; here it always counts (ours, harmless: clients read a number or null).
 */
export const WorkPool = z.object({
  id: z.string(),
  created: wire.time(),
  updated: wire.time(),
  name: z.string(),
  description: z.string().nullable(),
  type: z.string(),
  base_job_template: z.record(z.string(), z.unknown()),
  is_paused: z.boolean(),
  concurrency_limit: z.number().nullable(),
  status: z.enum(["READY", "NOT_READY", "PAUSED"]).nullable(),
  default_queue_id: z.string(),
  storage_configuration: z.record(z.string(), z.unknown()),
  active_slots: z.number().nullable(),
  /** Ours: what the reference does not know. Absent from servers of the first release. */
  sluice: z.object({
    /** Agents that send heartbeats, computed when it is read. */
    agents_online: z.number(),
  }).optional(),
}).meta({ id: "WorkPool" });
export type WorkPool = z.output<typeof WorkPool>;

/** Trimmed of spaces and quotes a pool's name must not be empty. */
const poolName = () =>
  z.string().superRefine((value, context) => {
    if (value.replace(/^[\s'"]+|[\s'"]+$/g, "") !== "") return;
    context.addIssue({ code: "custom", message: "name cannot be an empty string" });
  }).pipe(wire.keyName()).meta({ pattern: wire.NAME.source });

export const WorkPoolCreate = z.strictObject({
  name: poolName(),
  description: wire.shortText().nullish(),
  type: wire.orDefault(z.string().max(255), "prefect-agent"),
  base_job_template: wire.orDefault(wire.jsonObject(), "{}"),
  is_paused: wire.orDefault(wire.bool(), false),
  concurrency_limit: wire.int(0).nullish(),
  storage_configuration: storageConfiguration().nullish(),
}).meta({ id: "WorkPoolCreate" });
export type WorkPoolCreate = z.output<typeof WorkPoolCreate>;

/** Only the keys that are present are written; null clears the limit. */
export const WorkPoolUpdate = z.strictObject({
  description: wire.shortText().nullish(),
  is_paused: wire.bool().nullish(),
  base_job_template: wire.jsonObject().nullish(),
  concurrency_limit: wire.int(0).nullish(),
  storage_configuration: storageConfiguration().nullish(),
}).meta({ id: "WorkPoolUpdate" });
export type WorkPoolUpdate = z.output<typeof WorkPoolUpdate>;
