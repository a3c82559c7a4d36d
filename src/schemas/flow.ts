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

/** Only the keys that are present are written. */
export const FlowUpdate = z.strictObject({ tags: wire.tags().nullish() }).meta({ id: "FlowUpdate" });
export type FlowUpdate = z.output<typeof FlowUpdate>;

export const FlowPaginationResponse = z.object({
  results: z.array(Flow),
  count: z.int(),
  limit: z.int(),
  pages: z.int(),
  page: z.int(),
}).meta({ id: "FlowPaginationResponse" });

export const FlowBulkDeleteResponse = z.object({ deleted: z.array(z.string()) })
  .meta({ id: "FlowBulkDeleteResponse" });
