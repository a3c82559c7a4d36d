/** What lists cost, in reads of KV, with 10,000 runs. `deno task test:lists` asks the same with very many more. */
import { assert, assertEquals } from "@std/assert";
import { FlowRunListBody } from "../../../src/schemas/filter.ts";
import { buildServices } from "../../../src/services/services.ts";
import { CheckedKv } from "../../testing/checked_kv.ts";
import { fakeDeps } from "../../testing/fake_deps.ts";
import { assertBounds } from "../../testing/list_bounds.ts";
import { manyRuns, storeOwners } from "../../testing/many_runs.ts";

const RUNS = 10_000;

Deno.test("lists of 10,000 runs keep their bounds on reads, cold and warm", async (t) => {
  using kv = new CheckedKv(await Deno.openKv(":memory:"));
  await storeOwners(kv);
  for (const commit of manyRuns(RUNS)) await commit.send(kv);
  await buildServices(fakeDeps({ kv })).runIndex.build();
  for (const { name, check } of assertBounds(kv, RUNS)) await t.step(name, check);
  assertEquals(kv.violations, []);
});

Deno.test("a filter that cannot match is answered without a read", async () => {
  using kv = new CheckedKv(await Deno.openKv(":memory:"));
  const { flowRunList } = buildServices(fakeDeps({ kv }));
  const nothing = [
    { flow_runs: { id: { any_: [] } } },
    { flow_runs: { state: { type: { any_: [] } } } },
    { flow_runs: { state: { name: { any_: [] } }, name: { like_: "a" } } },
    { flow_runs: { tags: { any_: [] } } },
    { flow_runs: { parent_flow_run_id: { any_: ["01a20d10-0000-7000-8000-00000000000a"] } } },
    { flows: { id: { any_: [] } } },
    { deployments: { id: { any_: [] } } },
    { task_runs: { state: { type: { any_: ["RUNNING"] } } } },
  ];
  for (const filters of nothing) {
    const body = FlowRunListBody.parse(filters);
    assertEquals(await flowRunList.list(body), []);
    assertEquals(await flowRunList.count(body), 0);
    assertEquals(await flowRunList.lateness(body), null);
  }
  assertEquals(kv.cost.reads, 0);
});

Deno.test("folding costs few pages and few bytes a run", async () => {
  using kv = new CheckedKv(await Deno.openKv(":memory:"));
  const { runIndex } = buildServices(fakeDeps({ kv }));
  await runIndex.build();
  for (const commit of manyRuns(RUNS)) await commit.send(kv);
  kv.cost.reset();
  while (await runIndex.step() === "folded");
  assertEquals(await runIndex.count({ kind: "always" }), RUNS);
  assert(kv.cost.mutations <= 0.02 * RUNS, `${kv.cost.mutations} mutations`);
  assert(kv.cost.bytes <= 600 * RUNS, `${kv.cost.bytes} bytes`);
});
