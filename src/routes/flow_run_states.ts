import { z } from "zod";
import { Graph, GraphQuery } from "../schemas/flow_run_graph.ts";
import { State } from "../schemas/state.ts";
import * as wire from "../schemas/wire.ts";
import type { Services } from "../services/services.ts";
import { type Endpoint, endpoint, ok } from "./endpoint.ts";
import { toGraph, toHistoryState } from "./run_shapes.ts";

/** Histories of runs, and what is drawn of them. */
export function flowRunStateEndpoints(
  { flowRuns, flowRunStates }: Pick<Services, "flowRuns" | "flowRunStates">,
): Endpoint[] {
  return [
    endpoint({
      method: "GET",
      path: "/flow_run_states",
      summary: "List the states of a run",
      query: z.object({ flow_run_id: wire.uuid() }),
      answers: { 200: z.array(State) },
    }, async ({ query }) => ok((await flowRunStates.list(query.flow_run_id)).map(toHistoryState))),
    endpoint({
      method: "GET",
      path: "/flow_run_states/:id",
      summary: "Get a state",
      answers: { 200: State },
    }, async ({ param }) => ok(toHistoryState(await flowRunStates.get(param("id"))))),
    endpoint({
      method: "GET",
      path: "/flow_runs/:id/graph",
      summary: "Get what depends on what within a run: nothing, since there are no task runs",
      answers: { 200: z.array(z.unknown()) },
    }, async ({ param }) => {
      await flowRuns.get(param("id"));
      return ok([]);
    }),
    endpoint({
      method: "GET",
      path: "/flow_runs/:id/graph-v2",
      summary: "Get what happened within a run",
      query: GraphQuery,
      answers: { 200: Graph },
    }, async ({ param }) => {
      const { run } = await flowRuns.get(param("id"));
      return ok(toGraph(run, await flowRunStates.list(run.id)));
    }),
  ];
}
