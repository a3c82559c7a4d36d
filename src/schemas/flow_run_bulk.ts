import { z } from "zod";
import { FlowRunFilter } from "./filter.ts";
import { OrchestrationResult, SetStateBody } from "./state.ts";
import * as wire from "./wire.ts";

const selection = {
  flow_runs: FlowRunFilter.nullish(),
  limit: wire.orDefault(wire.int(1, 50), 50),
};

export const FlowRunBulkDeleteBody = z.object(selection);
export const FlowRunBulkDeleteResponse = z.object({ deleted: z.array(z.string()) })
  .meta({ id: "FlowRunBulkDeleteResponse" });

export const FlowRunBulkSetStateBody = z.object({ ...selection, ...SetStateBody.shape });
const FlowRunOrchestrationResult = z.object({ flow_run_id: z.string(), ...OrchestrationResult.shape })
  .meta({ id: "FlowRunOrchestrationResult" });
export type FlowRunOrchestrationResult = z.output<typeof FlowRunOrchestrationResult>;
export const FlowRunBulkSetStateResponse = z.object({ results: z.array(FlowRunOrchestrationResult) })
  .meta({ id: "FlowRunBulkSetStateResponse" });
