import {
  type FlowRunSlotSummary,
  WorkPoolConcurrencyBody,
  WorkPoolConcurrencyStatus,
  WorkQueueConcurrencyBody,
  WorkQueueConcurrencyStatus,
} from "../schemas/concurrency_status.ts";
import type { Instant, RunDoc, RunRecord } from "../schemas/records.ts";
import { formatInstant, formatOptional } from "../schemas/wire.ts";
import type { PageRequest, QueueSlots, Slots } from "../services/slots.ts";
import { type Endpoint, endpoint, ok } from "./endpoint.ts";

export function slotEndpoints(slots: Slots, now: () => Instant): Endpoint[] {
  return [
    endpoint({
      method: "POST",
      path: "/work_pools/:name/concurrency_status",
      summary: "Who holds a pool's slots",
      body: WorkPoolConcurrencyBody,
      answers: { 200: WorkPoolConcurrencyStatus },
    }, async ({ param, body }) => {
      const { view, queues, count } = await slots.ofPool(param("name"), {
        ...body,
        runLimit: body.flow_run_limit,
      });
      const at = now();
      return ok({
        active_slots: view.gate.occ,
        concurrency_limit: view.gate.limit,
        queues: queues.map((one) => ({
          queue_id: one.view.queue.id,
          queue_name: one.view.queue.name,
          ...toQueueSlots(one, at),
          flow_run_count: one.count,
        })),
        ...toPage(count, body),
      });
    }),
    endpoint({
      method: "POST",
      path: "/work_queues/:id/concurrency_status",
      summary: "Who holds a queue's slots",
      body: WorkQueueConcurrencyBody,
      answers: { 200: WorkQueueConcurrencyStatus },
    }, async ({ param, body }) => {
      const found = await slots.ofQueue(param("id"), body);
      return ok({ ...toQueueSlots(found, now()), ...toPage(found.count, body) });
    }),
  ];
}

const toQueueSlots = ({ view, holders }: QueueSlots, now: Instant) => ({
  active_slots: view.held,
  concurrency_limit: view.config.limit,
  flow_runs: holders.map((holder) => toSummary(holder, now)),
});

function toSummary({ run, doc }: { run: RunRecord; doc: RunDoc }, now: Instant): FlowRunSlotSummary {
  return {
    id: run.id,
    name: doc.name,
    state_type: run.state.type,
    state_name: run.state.name,
    start_time: formatOptional(run.startTime),
    state_timestamp: formatInstant(run.state.timestamp),
    time_in_current_state: Math.max(0, now - run.state.timestamp) / 1e6,
  };
}

/** What every paged answer says beside its results. */
export const toPage = (count: number, { page, limit }: PageRequest) => ({
  count,
  limit,
  pages: limit === 0 ? 0 : Math.ceil(count / limit),
  page,
});
