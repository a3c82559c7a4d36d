import { z } from "zod";
import { FlowBulkDeleteBody, FlowCountBody, FlowListBody, FlowPaginateBody } from "../schemas/filter.ts";
import {
  Flow,
  FlowBulkDeleteResponse,
  FlowCreate,
  FlowPaginationResponse,
  FlowUpdate,
} from "../schemas/flow.ts";
import { FlowRemovalQuery } from "../schemas/removal.ts";
import type { Services } from "../services/services.ts";
import { createdOrFound, type Endpoint, endpoint, noContent, ok } from "./endpoint.ts";
import { toFlow } from "./shapes.ts";
import { toPage } from "./slots.ts";

type Parts = Pick<Services, "flows" | "flowList" | "flowRemoval">;

export function flowEndpoints(services: Parts): Endpoint[] {
  return [...listEndpoints(services), ...oneEndpoints(services)];
}

function listEndpoints({ flows, flowList, flowRemoval }: Parts): Endpoint[] {
  return [
    endpoint({
      method: "POST",
      path: "/flows",
      summary: "Create a flow, or get it",
      body: FlowCreate,
      answers: { 200: Flow, 201: Flow },
    }, async ({ body }) => {
      const { flow, isNew } = await flows.create(body);
      return createdOrFound(isNew, toFlow(flow));
    }),
    endpoint({
      method: "POST",
      path: "/flows/filter",
      summary: "List flows",
      body: FlowListBody,
      answers: { 200: z.array(Flow) },
    }, async ({ body }) => ok((await flowList.list(body)).map(toFlow))),
    endpoint({
      method: "POST",
      path: "/flows/count",
      summary: "Count flows",
      body: FlowCountBody,
      answers: { 200: z.int() },
    }, async ({ body }) => ok(await flowList.count(body))),
    endpoint({
      method: "POST",
      path: "/flows/paginate",
      summary: "List flows by pages",
      body: FlowPaginateBody,
      answers: { 200: FlowPaginationResponse },
    }, async ({ body }) => {
      const { flows: results, count } = await flowList.page(body);
      return ok({ results: results.map(toFlow), ...toPage(count, body) });
    }),
    endpoint({
      method: "POST",
      path: "/flows/bulk_delete",
      summary: "Delete flows with their deployments and runs",
      body: FlowBulkDeleteBody,
      answers: { 200: FlowBulkDeleteResponse },
    }, async ({ body }) => ok({ deleted: await flowRemoval.deleteMatching(body.flows, body.limit) })),
  ];
}

function oneEndpoints({ flows, flowRemoval }: Parts): Endpoint[] {
  const path = "/flows/:id";
  return [
    endpoint({
      method: "GET",
      path: "/flows/name/:name",
      summary: "Get a flow by name",
      answers: { 200: Flow },
    }, async ({ param }) => ok(toFlow(await flows.byName(param("name"))))),
    endpoint(
      { method: "GET", path, summary: "Get a flow", answers: { 200: Flow } },
      async ({ param }) => ok(toFlow(await flows.get(param("id")))),
    ),
    endpoint(
      { method: "PATCH", path, summary: "Change a flow", body: FlowUpdate, answers: { 204: null } },
      async ({ param, body }) => {
        await flows.update(param("id"), body);
        return noContent();
      },
    ),
    endpoint({
      method: "DELETE",
      path,
      summary: "Delete a flow with its deployments and runs",
      query: FlowRemovalQuery,
      answers: { 204: null },
    }, async ({ param, query }) => {
      await flowRemoval.delete(param("id"), query);
      return noContent();
    }),
  ];
}
