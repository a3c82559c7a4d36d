import { FlowListBody } from "../schemas/filter.ts";
import { FlowCreate } from "../schemas/flow.ts";
import type { Flows } from "../services/flows.ts";
import { createdOrFound, type Endpoint, endpoint, ok } from "./endpoint.ts";
import { toFlow } from "./shapes.ts";

export function flowEndpoints(flows: Flows): Endpoint[] {
  return [
    endpoint(
      { method: "POST", path: "/flows", summary: "Create a flow, or get it", body: FlowCreate },
      async ({ body }) => {
        const { flow, isNew } = await flows.create(body);
        return createdOrFound(isNew, toFlow(flow));
      },
    ),
    endpoint(
      { method: "POST", path: "/flows/filter", summary: "List flows", body: FlowListBody },
      async ({ body }) => ok((await flows.list(body)).map(toFlow)),
    ),
    endpoint(
      { method: "GET", path: "/flows/name/:name", summary: "Get a flow by name" },
      async ({ param }) => ok(toFlow(await flows.byName(param("name")))),
    ),
    endpoint(
      { method: "GET", path: "/flows/:id", summary: "Get a flow" },
      async ({ param }) => ok(toFlow(await flows.get(param("id")))),
    ),
  ];
}
