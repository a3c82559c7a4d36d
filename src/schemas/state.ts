import { z } from "zod";
import { STATE_TYPES } from "./records.ts";
import * as wire from "./wire.ts";

const text = z.string().max(2_000).nullish();

/** Details a client may send; unknown keys are ignored, as the reference does here and nowhere else. */
export const StateDetailsInput = z.object({
  scheduled_time: wire.instant().nullish(),
  child_flow_run_id: wire.uuid().nullish(),
  cache_key: text,
  cache_expiration: wire.instant().nullish(),
  deferred: wire.bool().nullish(),
  untrackable_result: wire.bool().nullish(),
  pause_timeout: wire.instant().nullish(),
  pause_reschedule: wire.bool().nullish(),
  pause_key: text,
  run_input_keyset: wire.texts(255).nullish(),
  refresh_cache: wire.bool().nullish(),
  retriable: wire.bool().nullish(),
  transition_id: wire.uuid().nullish(),
  task_parameters_id: wire.uuid().nullish(),
  traceparent: text,
  deployment_concurrency_lease_id: wire.uuid().nullish(),
});

/** A proposed state. `id` and `timestamp` come from 2.20 clients and are ignored: the server makes both. */
export const StateCreate = z.strictObject({
  type: z.enum(STATE_TYPES),
  name: z.string().max(255).nullish(),
  message: z.string().nullish(),
  data: wire.json().optional(),
  state_details: StateDetailsInput.nullish(),
  id: z.unknown().optional(),
  timestamp: z.unknown().optional(),
}).meta({ id: "StateCreate" });
export type StateCreate = z.output<typeof StateCreate>;

export const StateDetails = z.object({
  flow_run_id: z.string().nullable(),
  task_run_id: z.string().nullable(),
  child_flow_run_id: z.string().nullable(),
  scheduled_time: wire.time().nullable(),
  cache_key: z.string().nullable(),
  cache_expiration: wire.time().nullable(),
  deferred: z.boolean().nullable(),
  untrackable_result: z.boolean(),
  pause_timeout: wire.time().nullable(),
  pause_reschedule: z.boolean(),
  pause_key: z.string().nullable(),
  run_input_keyset: z.record(z.string(), z.string()).nullable(),
  refresh_cache: z.boolean().nullable(),
  retriable: z.boolean().nullable(),
  transition_id: z.string().nullable(),
  task_parameters_id: z.string().nullable(),
  traceparent: z.string().nullable(),
  deployment_concurrency_lease_id: z.string().nullable(),
}).meta({ id: "StateDetails" });

export const State = z.object({
  id: z.string(),
  type: z.enum(STATE_TYPES),
  name: z.string(),
  timestamp: wire.time(),
  message: z.string().nullable(),
  data: z.unknown(),
  state_details: StateDetails,
}).meta({ id: "State" });
export type State = z.output<typeof State>;

export const SetStateBody = z.object({
  state: StateCreate,
  force: wire.orDefault(wire.bool(), false),
}).meta({ id: "SetStateBody" });

export const SET_STATE_STATUSES = ["ACCEPT", "REJECT", "ABORT", "WAIT"] as const;
export type SetStateStatus = (typeof SET_STATE_STATUSES)[number];

/** The answer to a proposed state: what was decided, why, and the state that the run has now. */
export const OrchestrationResult = z.object({
  state: State.nullable(),
  status: z.enum(SET_STATE_STATUSES),
  details: z.object({
    type: z.string(),
    reason: z.string().nullish(),
    delay_seconds: z.number().optional(),
  }),
}).meta({ id: "OrchestrationResult" });
export type OrchestrationResult = z.output<typeof OrchestrationResult>;
