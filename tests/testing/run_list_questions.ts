/** The questions that people and agents ask of lists, with what each may cost. Over {@link manyRuns}. */
import { FlowRunListBody } from "../../src/schemas/filter.ts";
import type { FlowRunList } from "../../src/services/flow_run_list.ts";
import { lastTime, MANY } from "./many_runs.ts";

export interface ListQuestion {
  name: string;
  ask(list: FlowRunList): Promise<unknown>;
  /** Rows of the answer, which are loaded one by one. */
  limit: number;
  /** Whether it is a first page, which needs few pages of the index. */
  isFirstPage?: boolean;
}

const DAY = 86_400;

export function listQuestions(count: number): ListQuestion[] {
  const now = lastTime(count) / 1e6;
  const list = (body: Record<string, unknown>) => (of: FlowRunList) => of.list(FlowRunListBody.parse(body));
  const ended = { state: { type: { any_: ["FAILED"] } }, end_time: { after_: now - DAY } };
  const first = (name: string, body: Record<string, unknown>, limit = 50): ListQuestion => ({
    name,
    ask: list({ limit, ...body }),
    limit,
    isFirstPage: true,
  });
  return [
    first("CLI ls", { sort: "EXPECTED_START_TIME_DESC" }, 15),
    first("by start", { sort: "START_TIME_DESC" }),
    first("by id", {}),
    first("by deployment", {
      sort: "EXPECTED_START_TIME_DESC",
      flow_runs: { deployment_id: { any_: [MANY.deployments[0]] } },
    }),
    first("by flow and state", {
      sort: "EXPECTED_START_TIME_DESC",
      flow_runs: { state: { type: { any_: ["COMPLETED"] } } },
      flows: { id: { any_: [MANY.flows[1]] } },
    }),
    first("FAILED in the last day", { sort: "END_TIME_DESC", flow_runs: ended }),
    first("next to start", {
      sort: "NEXT_SCHEDULED_START_TIME_ASC",
      flow_runs: { state: { type: { any_: ["SCHEDULED"] } } },
    }),
    {
      name: "CANCELLING in a pool",
      ask: list({
        flow_runs: { state: { type: { any_: ["CANCELLING"] } } },
        work_pools: { name: { any_: ["pool-0"] } },
      }),
      limit: 0,
    },
    {
      name: "CANCELLED named Cancelling",
      ask: list({
        flow_runs: { state: { type: { any_: ["CANCELLED"] }, name: { any_: ["Cancelling"] } } },
      }),
      limit: 0,
    },
    { name: "name like, no match", ask: list({ flow_runs: { name: { like_: "nobody" } } }), limit: 0 },
    {
      name: "rare deployment",
      ask: list({ flow_runs: { deployment_id: { any_: [MANY.deployments[45]] } }, limit: 50 }),
      limit: 50,
    },
    { name: "by name", ask: list({ sort: "NAME_ASC", limit: 50 }), limit: 50 },
    {
      name: "offset N/2",
      ask: list({ sort: "START_TIME_ASC", offset: Math.floor(count / 2), limit: 50 }),
      limit: 50,
    },
    {
      name: "count of a tag",
      ask: (of) =>
        of.count({
          flow_runs: FlowRunListBody.parse({ flow_runs: { tags: { all_: ["nightly"] } } }).flow_runs,
        }),
      limit: 0,
    },
    { name: "count all", ask: (of) => of.count({}), limit: 0 },
    { name: "counts by state type", ask: (of) => of.countByStateType(), limit: 0 },
    {
      name: "history of a day",
      ask: (of) =>
        of.history({
          history_start: (now - DAY) * 1e6,
          history_end: now * 1e6,
          history_interval_seconds: 900,
        }),
      limit: 0,
    },
    { name: "lateness", ask: (of) => of.lateness({}), limit: 0 },
  ];
}
