import { assertEquals } from "@std/assert";
import { matchesDeployment, matchesFlow } from "../../src/domain/object_filters.ts";
import { DeploymentFilter, FlowFilter } from "../../src/schemas/filter.ts";
import type { DeploymentRecord, FlowRecord } from "../../src/schemas/records.ts";

const ID = "01a20d10-0000-7000-8000-00000000000a";
const OTHER = "01a20d10-0000-7000-8000-00000000000b";

const flow: FlowRecord = { id: ID, name: "Report", tags: ["a", "b"], labels: "{}", created: 0, updated: 0 };
const deployment: DeploymentRecord = {
  id: ID,
  name: "Nightly",
  flow: ID,
  version: null,
  description: null,
  paused: true,
  pool: null,
  queue: null,
  tags: [],
  labels: "{}",
  parameters: "{}",
  jobVariables: "{}",
  parameterSchema: "{}",
  enforceParameterSchema: true,
  schedules: "[]",
  limit: null,
  concurrencyLimit: null,
  concurrencyOptions: null,
  pullSteps: null,
  path: null,
  entrypoint: null,
  storageDocumentId: null,
  infrastructureDocumentId: null,
  created: 0,
  updated: 0,
};

Deno.test("matchesFlow() by id, name, tags and whether it has deployments, joined by the operator", () => {
  const cases: [filter: Record<string, unknown>, matches: boolean][] = [
    [{}, true],
    [{ id: { any_: [ID] }, name: { like_: "REP" } }, true],
    [{ id: { any_: [] } }, false],
    [{ id: { not_any_: [ID] } }, false],
    [{ name: { any_: ["Other"] } }, false],
    [{ tags: { all_: ["a", "b"] } }, true],
    [{ tags: { all_: ["a", "c"] } }, false],
    [{ tags: { is_null_: true } }, false],
    [{ tags: { operator: "or_", all_: ["c"], is_null_: false } }, true],
    [{ deployment: { is_null_: false } }, true],
    [{ deployment: { is_null_: true } }, false],
    [{ operator: "or_", name: { any_: ["Other"] }, tags: { all_: ["a"] } }, true],
    [{ operator: "or_", name: { any_: ["Other"] }, deployment: { is_null_: true } }, false],
  ];
  for (const [filter, matches] of cases) {
    assertEquals(
      matchesFlow(FlowFilter.parse(filter), flow, (id) => id === ID),
      matches,
      JSON.stringify(filter),
    );
  }
  assertEquals(matchesFlow(null, flow, () => false), true);
});

Deno.test("matchesDeployment() by what it is and by the names of what it points at", () => {
  const cases: [filter: Record<string, unknown>, matches: boolean][] = [
    [{}, true],
    [{ id: { any_: [OTHER] } }, false],
    [{ name: { like_: "night" } }, true],
    [{ flow_or_deployment_name: { like_: "REPORT" } }, true],
    [{ flow_or_deployment_name: { like_: "nightly" } }, true],
    [{ flow_or_deployment_name: { like_: "x" } }, false],
    [{ paused: { eq_: true } }, true],
    [{ paused: { eq_: false } }, false],
    [{ is_schedule_active: { eq_: true } }, false],
    [{ tags: { is_null_: true } }, true],
    [{ tags: { any_: ["a"] } }, false],
    [{ work_queue_name: { any_: ["q"] } }, true],
    [{ work_queue_name: { any_: ["r"] } }, false],
    [{ concurrency_limit: { ge_: 5 } }, true],
    [{ operator: "or_", paused: { eq_: false }, name: { any_: ["Nightly"] } }, true],
  ];
  for (const [filter, matches] of cases) {
    const names = () => ({ flowName: "Report", queueName: "q" });
    assertEquals(
      matchesDeployment(DeploymentFilter.parse(filter), deployment, names),
      matches,
      JSON.stringify(filter),
    );
  }
});
