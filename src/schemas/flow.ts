import { z } from "zod";
import * as wire from "./wire.ts";

export const Flow = z.object({
  id: z.string(),
  created: wire.time(),
  updated: wire.time(),
  name: z.string(),
  tags: z.array(z.string()),
  labels: z.record(z.string(), z.unknown()),
}).meta({ id: "Flow" });
export type Flow = z.output<typeof Flow>;

export const FlowCreate = z.strictObject({
  name: wire.name(),
  tags: wire.orDefault(wire.tags(), []),
  labels: wire.orDefault(wire.labels(), "{}"),
}).meta({ id: "FlowCreate" });
export type FlowCreate = z.output<typeof FlowCreate>;
