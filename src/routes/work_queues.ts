import { z } from "zod";
import { WorkQueueListBody } from "../schemas/filter.ts";
import { FlowRun, GetRunsBody } from "../schemas/flow_run.ts";
import type { Instant } from "../schemas/records.ts";
import { RemovalQuery } from "../schemas/removal.ts";
import { formatOptional } from "../schemas/wire.ts";
import { WorkQueue, WorkQueueCreate, WorkQueueStatusDetail, WorkQueueUpdate } from "../schemas/work_queue.ts";
import type { Services } from "../services/services.ts";
import { created, type Endpoint, endpoint, noContent, ok } from "./endpoint.ts";
import { toFlowRun, toWorkQueue } from "./shapes.ts";

/** Work queues by id, and those of the default agent pool by name. */
export function workQueueEndpoints(
  { workQueues, scheduledRuns, removals }: Pick<Services, "workQueues" | "scheduledRuns" | "removals">,
  now: () => Instant,
): Endpoint[] {
  return [
    endpoint({
      method: "POST",
      path: "/work_queues",
      summary: "Create a work queue without naming a pool",
      body: WorkQueueCreate,
      answers: { 201: WorkQueue },
    }, async ({ body }) => created(toWorkQueue(await workQueues.createWithoutPool(body)))),
    endpoint({
      method: "POST",
      path: "/work_queues/filter",
      summary: "List work queues of all pools",
      body: WorkQueueListBody,
      answers: { 200: z.array(WorkQueue) },
    }, async ({ body }) => ok((await workQueues.listAll(body.work_queues, body)).map(toWorkQueue))),
    endpoint({
      method: "GET",
      path: "/work_queues/name/:name",
      summary: "Get a queue of the default agent pool",
      answers: { 200: WorkQueue },
    }, async ({ param }) => ok(toWorkQueue(await workQueues.withoutPool(param("name"))))),
    endpoint(
      { method: "GET", path: "/work_queues/:id", summary: "Get a work queue", answers: { 200: WorkQueue } },
      async ({ param }) => ok(toWorkQueue(await workQueues.byId(param("id")))),
    ),
    endpoint({
      method: "PATCH",
      path: "/work_queues/:id",
      summary: "Change a work queue",
      body: WorkQueueUpdate,
      answers: { 204: null },
    }, async ({ param, body }) => {
      await workQueues.updateById(param("id"), body);
      return noContent();
    }),
    endpoint({
      method: "DELETE",
      path: "/work_queues/:id",
      summary: "Delete a work queue",
      query: RemovalQuery,
      answers: { 204: null },
    }, async ({ param, query }) => {
      await removals.queueById(param("id"), query);
      return noContent();
    }),
    endpoint({
      method: "GET",
      path: "/work_queues/:id/status",
      summary: "Whether a queue's work is done in time",
      answers: { 200: WorkQueueStatusDetail },
    }, async ({ param }) => {
      const { isHealthy, late, lastPolled } = await workQueues.health(param("id"));
      return ok({
        healthy: isHealthy,
        late_runs_count: late,
        last_polled: formatOptional(lastPolled),
        health_check_policy: { maximum_late_runs: 0, maximum_seconds_since_last_polled: 60 },
      });
    }),
    endpoint({
      method: "POST",
      path: "/work_queues/:id/get_runs",
      summary: "Poll one queue for runs",
      body: GetRunsBody,
      answers: { 200: z.array(FlowRun) },
    }, async ({ param, body, header }) => {
      const request = {
        scheduledBefore: body.scheduled_before ?? null,
        scheduledAfter: null,
        limit: body.limit,
      };
      const isPoll = header("x-prefect-ui") !== "true";
      const views = await scheduledRuns.ofQueue(param("id"), request, isPoll);
      return ok(views.map((view) => toFlowRun(view, now())));
    }),
  ];
}
