import { z } from "zod";
import * as wire from "./wire.ts";

export const FlowRunInput = z.object({
  id: z.string(),
  created: wire.time(),
  updated: wire.time(),
  flow_run_id: z.string(),
  key: z.string(),
  value: z.string(),
  sender: z.string().nullable(),
}).meta({ id: "FlowRunInput" });
export type FlowRunInput = z.output<typeof FlowRunInput>;

export const FlowRunInputCreateBody = z.object({
  key: z.string().min(1).max(2_000),
  value: z.string(),
  sender: z.string().max(2_000).nullish(),
});
export type FlowRunInputCreateBody = z.output<typeof FlowRunInputCreateBody>;

export const FlowRunInputListBody = z.object({
  prefix: z.string(),
  limit: wire.orDefault(wire.int(0), 1),
  exclude_keys: wire.orDefault(z.array(z.string()), []),
});
export type FlowRunInputListBody = z.output<typeof FlowRunInputListBody>;

export const ResumeBody = z.object({ run_input: wire.jsonObject().nullish() });
export type ResumeBody = z.output<typeof ResumeBody>;
