import { z } from "zod";
import { STATE_TYPES } from "./records.ts";
import * as wire from "./wire.ts";

/** A run that holds a slot. */
export const FlowRunSlotSummary = z.object({
  id: z.string(),
  name: z.string(),
  state_type: z.enum(STATE_TYPES).nullable(),
  state_name: z.string().nullable(),
  start_time: wire.time().nullable(),
  state_timestamp: wire.time().nullable(),
  /** Seconds. */
  time_in_current_state: z.number().nullable(),
}).meta({ id: "FlowRunSlotSummary" });
export type FlowRunSlotSummary = z.output<typeof FlowRunSlotSummary>;

const slots = { active_slots: z.int(), concurrency_limit: z.int().nullable() };
const page = { count: z.int(), limit: z.int(), pages: z.int(), page: z.int() };

export const WorkPoolConcurrencyStatus = z.object({
  ...slots,
  queues: z.array(
    z.object({
      queue_id: z.string(),
      queue_name: z.string(),
      ...slots,
      flow_runs: z.array(FlowRunSlotSummary),
      flow_run_count: z.int().nullable(),
    }).meta({ id: "WorkQueueConcurrencyStatusDetail" }),
  ),
  ...page,
}).meta({ id: "WorkPoolConcurrencyStatus" });

export const WorkQueueConcurrencyStatus = z.object({
  ...slots,
  flow_runs: z.array(FlowRunSlotSummary),
  ...page,
}).meta({ id: "WorkQueueConcurrencyStatus" });

const request = { page: wire.orDefault(wire.int(1), 1), limit: wire.limit() };

export const WorkQueueConcurrencyBody = z.object(request);
/** Pages are of queues; each shows at most `flow_run_limit` of its runs. */
export const WorkPoolConcurrencyBody = z.object({
  ...request,
  flow_run_limit: wire.orDefault(wire.int(0, 200), 10),
});
