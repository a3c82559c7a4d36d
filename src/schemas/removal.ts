import { z } from "zod";

/** What becomes of what is in use where a pool or a queue is deleted. Without either, the deletion is refused then. */
export const RemovalQuery = z.object({
  /** Runs are cancelled, deployments point nowhere. */
  cascade: z.enum(["cancel"]).optional(),
  /** Waiting runs and deployments go there: `<pool>/<queue>`, or a queue of the same pool. */
  move_to: z.string().min(1).optional(),
}).refine(({ cascade, move_to }) => cascade === undefined || move_to === undefined, {
  path: ["move_to"],
  message: "Either cascade or move_to can be given, not both",
});
export type RemovalQuery = z.output<typeof RemovalQuery>;

/** What becomes of runs that hold slots where a flow is deleted. Without it, the deletion is refused then. */
export const FlowRemovalQuery = z.object({ cascade: z.enum(["cancel"]).optional() });
export type FlowRemovalQuery = z.output<typeof FlowRemovalQuery>;
