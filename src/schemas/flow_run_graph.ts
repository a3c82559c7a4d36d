import { z } from "zod";
import { STATE_TYPES } from "./records.ts";
import * as wire from "./wire.ts";

const GraphState = z.object({
  id: z.string(),
  timestamp: wire.time(),
  type: z.enum(STATE_TYPES),
  name: z.string(),
}).meta({ id: "GraphState" });

/** What happened within a run. Nodes and artifacts are of task runs, which come with a later release. */
export const Graph = z.object({
  start_time: wire.time().nullable(),
  end_time: wire.time().nullable(),
  root_node_ids: z.array(z.string()),
  nodes: z.array(z.unknown()),
  artifacts: z.array(z.unknown()),
  states: z.array(GraphState),
}).meta({ id: "Graph" });
export type Graph = z.output<typeof Graph>;

/** `since` leaves out older nodes. */
export const GraphQuery = z.object({ since: wire.instant().optional() });
