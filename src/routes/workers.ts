import { z } from "zod";
import { Worker, WorkerHeartbeatBody, WorkerListBody } from "../schemas/worker.ts";
import type { Workers } from "../services/workers.ts";
import { type Endpoint, endpoint, noContent, ok } from "./endpoint.ts";
import { toWorker } from "./shapes.ts";

export function workerEndpoints(workers: Workers): Endpoint[] {
  return [
    endpoint({
      method: "POST",
      path: "/work_pools/:pool/workers/heartbeat",
      summary: "Note that a worker lives",
      body: WorkerHeartbeatBody,
      answers: { 204: null },
    }, async ({ param, body }) => {
      await workers.heartbeat(param("pool"), body.name, body.heartbeat_interval_seconds ?? null);
      return noContent();
    }),
    endpoint({
      method: "POST",
      path: "/work_pools/:pool/workers/filter",
      summary: "List a pool's workers and agents",
      body: WorkerListBody,
      answers: { 200: z.array(Worker) },
    }, async ({ param, body }) => ok((await workers.list(param("pool"), body)).map(toWorker))),
    endpoint({
      method: "DELETE",
      path: "/work_pools/:pool/workers/:name",
      summary: "Forget a worker",
      answers: { 204: null },
    }, async ({ param }) => {
      await workers.delete(param("pool"), param("name"));
      return noContent();
    }),
  ];
}
