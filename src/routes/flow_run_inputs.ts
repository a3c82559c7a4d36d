import { z } from "zod";
import { FlowRunInput, FlowRunInputCreateBody, FlowRunInputListBody } from "../schemas/flow_run_input.ts";
import type { FlowRunInputs } from "../services/flow_run_inputs.ts";
import { created, type Endpoint, endpoint, noContent, ok } from "./endpoint.ts";
import { toFlowRunInput } from "./run_shapes.ts";

export function flowRunInputEndpoints(inputs: FlowRunInputs): Endpoint[] {
  return [
    endpoint({
      method: "POST",
      path: "/flow_runs/:id/input",
      summary: "Send an input to a run",
      body: FlowRunInputCreateBody,
      answers: { 201: z.null() },
    }, async ({ param, body }) => {
      await inputs.create(param("id"), body);
      return created(null);
    }),
    endpoint({
      method: "POST",
      path: "/flow_runs/:id/input/filter",
      summary: "List inputs of a run, oldest first",
      body: FlowRunInputListBody,
      answers: { 200: z.array(FlowRunInput) },
    }, async ({ param, body }) => ok((await inputs.list(param("id"), body)).map(toFlowRunInput))),
    endpoint({
      method: "GET",
      path: "/flow_runs/:id/input/:key",
      summary: "Get the value of an input",
      answers: { 200: "text/plain" },
    }, async ({ param }) => ({
      status: 200,
      content: { type: "text/plain; charset=utf-8", body: await inputs.value(param("id"), param("key")) },
    })),
    endpoint({
      method: "DELETE",
      path: "/flow_runs/:id/input/:key",
      summary: "Delete an input",
      answers: { 204: null },
    }, async ({ param }) => {
      await inputs.delete(param("id"), param("key"));
      return noContent();
    }),
  ];
}
