import { z } from "zod";
import { DomainError } from "../errors.ts";
import {
  FlowRunFilters,
  FlowRunHistoryBody,
  FlowRunListBody,
  FlowRunPaginateBody,
} from "../schemas/filter.ts";
import { FlowRun, FlowRunPage, HistoryInterval } from "../schemas/flow_run.ts";
import type { Instant } from "../schemas/records.ts";
import { formatInstant } from "../schemas/wire.ts";
import type { Continuation, FlowRunList, Listed } from "../services/flow_run_list.ts";
import { type Answer, type Call, type Endpoint, endpoint, ok } from "./endpoint.ts";
import { toFlowRun } from "./shapes.ts";

/** With the value `accept`: the client takes a part of a list that is too much for one request (docs/lists.md). */
const PARTIAL_HEADER = "Sluice-Partial";
/** Where such a list goes on; the client sends it back with the same body. */
const NEXT_HEADER = "Sluice-Next";
/** How much was read of what would have to be. */
const SCAN_HEADER = "Sluice-Scan";

/** Lists, counts and charts of runs. */
export function flowRunListEndpoints(
  { flowRunList: list }: { flowRunList: FlowRunList },
  now: () => Instant,
): Endpoint[] {
  return [
    endpoint({
      method: "POST",
      path: "/flow_runs/filter",
      summary: "List runs",
      body: FlowRunListBody,
      answers: { 200: z.array(FlowRun) },
    }, async (call) => {
      const listed = await list.listPart(call.body, {
        takesPart: call.header(PARTIAL_HEADER) === "accept",
        from: continuationOf(call),
      });
      const answer = ok(listed.views.map((view) => toFlowRun(view, now())));
      return listed.partial ? { ...answer, headers: partHeaders(listed.partial) } : answer;
    }),
    endpoint({
      method: "POST",
      path: "/flow_runs/count",
      summary: "Count runs",
      body: FlowRunFilters,
      answers: { 200: z.int() },
    }, async ({ body }) => ok(await list.count(body))),
    endpoint({
      method: "POST",
      path: "/flow_runs/paginate",
      summary: "List runs page by page",
      body: FlowRunPaginateBody,
      answers: { 200: FlowRunPage },
    }, async ({ body }): Promise<Answer> => {
      const { views, ...page } = await list.paginate(body);
      return ok({ results: views.map((view) => toFlowRun(view, now())), ...page });
    }),
    endpoint({
      method: "POST",
      path: "/flow_runs/history",
      summary: "Count runs by state and interval of their expected start",
      body: FlowRunHistoryBody,
      answers: { 200: z.array(HistoryInterval) },
    }, async ({ body }) =>
      ok((await list.history(body)).map((bar): HistoryInterval => ({
        interval_start: formatInstant(bar.start),
        interval_end: formatInstant(bar.end),
        states: bar.states.map((state) => ({
          state_type: state.type,
          state_name: state.name,
          count_runs: state.runs,
          sum_estimated_run_time: state.runTime,
          sum_estimated_lateness: state.lateness,
        })),
      })))),
    endpoint({
      method: "POST",
      path: "/flow_runs/lateness",
      summary: "By how many seconds runs start late, on average",
      body: FlowRunFilters,
      answers: { 200: z.number().nullable() },
    }, async ({ body }) => ok(await list.lateness(body))),
  ];
}

function partHeaders({ read, of, next }: NonNullable<Listed["partial"]>): Record<string, string> {
  return {
    [SCAN_HEADER]: `partial; read=${read}; of=${of}`,
    ...(next ? { [NEXT_HEADER]: toBase64Url(JSON.stringify(next)) } : {}),
  };
}

/** Not signed: it says nothing that its sender could not ask for otherwise. */
const Next = z.strictObject({
  id: z.string(),
  key: z.union([z.string(), z.number()]).nullable(),
  /** JSON has no infinity: it becomes null. */
  rank: z.number().nullable().transform((rank) => rank ?? Infinity),
  offset: z.int().min(0),
  limit: z.int().min(0).max(200),
});

function continuationOf(call: Pick<Call<unknown>, "header">): Continuation | undefined {
  const text = call.header(NEXT_HEADER);
  if (text === undefined) return undefined;
  try {
    return Next.parse(JSON.parse(fromBase64Url(text)));
  } catch (cause) {
    throw new DomainError("invalid", `The header ${NEXT_HEADER} is none that this server has sent.`, {
      cause,
    });
  }
}

const toBase64Url = (text: string): string =>
  btoa(String.fromCharCode(...new TextEncoder().encode(text))).replaceAll("+", "-").replaceAll("/", "_")
    .replaceAll("=", "");

const fromBase64Url = (text: string): string =>
  new TextDecoder().decode(
    Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0)),
  );
