/**
 * Calls about what this server does not keep, and that clients make on the way of what it does keep. Each is answered
 * with what is true as long as there is none: no automation belongs to a deployment, no limit bears the name of a tag.
 */
import { z } from "zod";
import type { Ids } from "../runtime/ids.ts";
import {
  Automation,
  AutomationListBody,
  ConcurrencyLimitWithLeaseResponse,
  IncrementWithLeaseBody,
} from "../schemas/absent.ts";
import { type Endpoint, endpoint, ok } from "./endpoint.ts";

export function absentEndpoints({ ids }: { ids: Ids }): Endpoint[] {
  return [
    endpoint({
      method: "POST",
      path: "/automations/filter",
      summary: "List automations: there are none",
      body: AutomationListBody,
      answers: { 200: z.array(Automation) },
    }, () => ok([])),
    endpoint({
      method: "GET",
      path: "/automations/related-to/:resource",
      summary: "Automations that concern a resource: there are none",
      answers: { 200: z.array(Automation) },
    }, () => ok([])),
    endpoint({
      method: "DELETE",
      path: "/automations/owned-by/:resource",
      summary: "Delete a resource's automations: there are none",
      answers: { 202: z.null() },
    }, () => ({ status: 202, body: null })),
    // Engines ask for the limit of each tag of a task, whether there is one or not; without limits they never come back
    // to the lease.
    endpoint({
      method: "POST",
      path: "/v2/concurrency_limits/increment-with-lease",
      summary: "Take slots of global concurrency limits: there are none that could be full",
      body: IncrementWithLeaseBody,
      answers: { 200: ConcurrencyLimitWithLeaseResponse },
    }, () => ok({ lease_id: ids.uuid(), limits: [] })),
  ];
}
