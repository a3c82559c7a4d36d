import { z } from "zod";
import { ClaimAnswer, ClaimBody } from "../schemas/agent.ts";
import { WorkPoolCountBody, WorkPoolListBody, WorkQueueListBody } from "../schemas/filter.ts";
import { GetScheduledFlowRunsBody, WorkerFlowRun } from "../schemas/flow_run.ts";
import type { Instant } from "../schemas/records.ts";
import { RemovalQuery } from "../schemas/removal.ts";
import { WorkPool, WorkPoolCreate, WorkPoolUpdate } from "../schemas/work_pool.ts";
import { WorkQueue, WorkQueueCreate, WorkQueueUpdate } from "../schemas/work_queue.ts";
import type { FlowRunView } from "../services/flow_run_views.ts";
import type { Services } from "../services/services.ts";
import { toClaimAnswer } from "./agents.ts";
import { created, type Endpoint, endpoint, noContent, ok } from "./endpoint.ts";
import { toFlowRun, toWorkPool, toWorkQueue } from "./shapes.ts";

type Parts = Pick<Services, "workPools" | "workQueues" | "scheduledRuns" | "agents" | "removals">;

export function workPoolEndpoints(services: Parts, now: () => Instant): Endpoint[] {
  return [...poolEndpoints(services), ...queueEndpoints(services), ...workEndpoints(services, now)];
}

function poolEndpoints({ workPools, removals }: Parts): Endpoint[] {
  return [
    endpoint(
      {
        method: "POST",
        path: "/work_pools",
        summary: "Create a work pool",
        body: WorkPoolCreate,
        answers: { 201: WorkPool },
      },
      async ({ body, header }) => created(toWorkPool(await workPools.create(body), header("user-agent"))),
    ),
    endpoint(
      {
        method: "POST",
        path: "/work_pools/filter",
        summary: "List work pools",
        body: WorkPoolListBody,
        answers: { 200: z.array(WorkPool) },
      },
      async ({ body, header }) =>
        ok(
          (await workPools.list(body.work_pools, body)).map((view) => toWorkPool(view, header("user-agent"))),
        ),
    ),
    endpoint({
      method: "POST",
      path: "/work_pools/count",
      summary: "Count work pools",
      body: WorkPoolCountBody,
      answers: { 200: z.int() },
    }, async ({ body }) => ok(await workPools.count(body.work_pools))),
    endpoint(
      { method: "GET", path: "/work_pools/:name", summary: "Get a work pool", answers: { 200: WorkPool } },
      async ({ param, header }) => ok(toWorkPool(await workPools.get(param("name")), header("user-agent"))),
    ),
    endpoint({
      method: "PATCH",
      path: "/work_pools/:name",
      summary: "Change a work pool",
      body: WorkPoolUpdate,
      answers: { 204: null },
    }, async ({ param, body }) => {
      await workPools.update(param("name"), body);
      return noContent();
    }),
    endpoint({
      method: "DELETE",
      path: "/work_pools/:name",
      summary: "Delete a work pool",
      query: RemovalQuery,
      answers: { 204: null },
    }, async ({ param, query }) => {
      await removals.pool(param("name"), query);
      return noContent();
    }),
  ];
}

function queueEndpoints({ workQueues, removals }: Parts): Endpoint[] {
  return [
    endpoint({
      method: "POST",
      path: "/work_pools/:pool/queues",
      summary: "Create a work queue",
      body: WorkQueueCreate,
      answers: { 201: WorkQueue },
    }, async ({ param, body }) => created(toWorkQueue(await workQueues.create(param("pool"), body)))),
    endpoint(
      {
        method: "POST",
        path: "/work_pools/:pool/queues/filter",
        summary: "List a pool's work queues",
        body: WorkQueueListBody,
        answers: { 200: z.array(WorkQueue) },
      },
      async ({ param, body }) =>
        ok((await workQueues.list(param("pool"), body.work_queues, body)).map(toWorkQueue)),
    ),
    endpoint(
      {
        method: "GET",
        path: "/work_pools/:pool/queues/:name",
        summary: "Get a work queue",
        answers: { 200: WorkQueue },
      },
      async ({ param }) => ok(toWorkQueue(await workQueues.get(param("pool"), param("name")))),
    ),
    endpoint({
      method: "PATCH",
      path: "/work_pools/:pool/queues/:name",
      summary: "Change a work queue",
      body: WorkQueueUpdate,
      answers: { 204: null },
    }, async ({ param, body }) => {
      await workQueues.update(param("pool"), param("name"), body);
      return noContent();
    }),
    endpoint({
      method: "DELETE",
      path: "/work_pools/:pool/queues/:name",
      summary: "Delete a work queue",
      query: RemovalQuery,
      answers: { 204: null },
    }, async ({ param, query }) => {
      await removals.queue(param("pool"), param("name"), query);
      return noContent();
    }),
  ];
}

function workEndpoints({ scheduledRuns, agents }: Parts, now: () => Instant): Endpoint[] {
  return [
    endpoint(
      {
        method: "POST",
        path: "/work_pools/:name/get_scheduled_flow_runs",
        summary: "Poll for runs",
        body: GetScheduledFlowRunsBody,
        answers: { 200: z.array(WorkerFlowRun) },
      },
      async ({ param, body }) => {
        const views = await scheduledRuns.ofPool(param("name"), {
          queueNames: body.work_queue_names ?? [],
          scheduledBefore: body.scheduled_before ?? null,
          scheduledAfter: body.scheduled_after ?? null,
          limit: body.limit,
        });
        return ok(views.map((view) => toWorkerFlowRun(view, now())));
      },
    ),
    endpoint(
      {
        method: "POST",
        path: "/work_pools/:name/claim",
        summary: "Claim runs; waits for them",
        body: ClaimBody,
        answers: { 200: ClaimAnswer },
      },
      async ({ param, body, signal }) =>
        ok(toClaimAnswer(await agents.claim(param("name"), body, signal), now())),
    ),
  ];
}

function toWorkerFlowRun(view: FlowRunView, now: Instant): WorkerFlowRun {
  return {
    work_pool_id: view.run.pool ?? "",
    work_queue_id: view.run.queue ?? "",
    flow_run: toFlowRun(view, now),
  };
}
