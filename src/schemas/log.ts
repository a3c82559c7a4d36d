import { z } from "zod";
import * as wire from "./wire.ts";

export const LogCreate = z.strictObject({
  name: z.string(),
  level: wire.int(),
  message: z.string(),
  timestamp: wire.instant(),
  flow_run_id: wire.uuid().nullish(),
  task_run_id: wire.uuid().nullish(),
}).meta({ id: "LogCreate" });
export type LogCreate = z.output<typeof LogCreate>;

export const Log = z.object({
  id: z.string(),
  created: wire.time(),
  updated: wire.time(),
  name: z.string(),
  level: z.number(),
  message: z.string(),
  timestamp: wire.time(),
  flow_run_id: z.string().nullable(),
  task_run_id: z.string().nullable(),
}).meta({ id: "Log" });
export type Log = z.output<typeof Log>;
