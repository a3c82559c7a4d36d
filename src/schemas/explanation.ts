/** Why a run has not started. Ours: the reference has no such answer. */
import { z } from "zod";
import { STATE_TYPES } from "./records.ts";
import * as wire from "./wire.ts";

/** A run that holds a slot which another one waits for. */
export const SlotHolder = z.object({
  flow_run_id: z.string(),
  name: z.string(),
  state_type: z.enum(STATE_TYPES),
  state_name: z.string(),
  /** Since when it has had the slot. */
  since: wire.time(),
  /** The agent's name and host; null when a Prefect agent, worker or engine holds it. */
  agent: z.string().nullable(),
  host: z.string().nullable(),
}).meta({ id: "SlotHolder" });
export type SlotHolder = z.output<typeof SlotHolder>;

export const REASON_KINDS = [
  "not_due",
  "pool_paused",
  "queue_paused",
  "pool_full",
  "queue_full",
  "deployment_full",
  "behind",
  "no_agent",
  "agents_full",
  "no_pool",
  "suspended",
  "handed_out",
  "started",
  "ended",
] as const;

export const Reason = z.object({
  kind: z.enum(REASON_KINDS),
  /** One sentence for people. */
  message: z.string(),
  /** When the run is due, for `not_due`. */
  due: wire.time().nullable(),
  /** Runs that stand before this one and will be handed out first, for `behind`. */
  ahead: z.number().nullable(),
  limit: z.number().nullable(),
  held: z.number().nullable(),
  /** Who holds the slots, the longest holder first; at most ten. */
  holders: z.array(SlotHolder),
}).meta({ id: "Reason" });
export type Reason = z.output<typeof Reason>;

export const Explanation = z.object({
  flow_run_id: z.string(),
  state_type: z.enum(STATE_TYPES),
  state_name: z.string(),
  /** Whether the next claim of an agent that draws from the run's queue gets it. */
  startable: z.boolean(),
  /** What holds the run up, the first thing to look at first. Empty when nothing does. */
  reasons: z.array(Reason),
}).meta({ id: "Explanation" });
export type Explanation = z.output<typeof Explanation>;
