import { assertEquals, assertRejects } from "@std/assert";
import { DomainError } from "../../src/errors.ts";
import { FlowRunFilters, FlowRunHistoryBody, FlowRunPaginateBody } from "../../src/schemas/filter.ts";
import { listBody, SECOND, World } from "./factories.ts";

async function filled() {
  const world = new World({ kv: await Deno.openKv(":memory:") });
  const { keeper } = await world.pool();
  const runs = [
    await world.run({ name: "one", tags: ["a"], flow_version: "1", at: world.now - 60 * SECOND }),
    await world.run({ name: "two", idempotency_key: "k", at: world.now - 30 * SECOND }),
    await world.run({ name: "three", at: world.now + 3_600 * SECOND }),
  ];
  return {
    world,
    keeper,
    runs,
    list: world.services.flowRunList,
    [Symbol.dispose]: () => world[Symbol.dispose](),
  };
}

Deno.test("FlowRunList filters by the clauses that only records tell", async () => {
  using setting = await filled();
  const { list, runs, world } = setting;
  const flow = await world.flow();
  const cases: [filters: unknown, found: number[]][] = [
    [{ flow_runs: { flow_version: { any_: ["1", "2"] } } }, [0]],
    [{ flow_runs: { idempotency_key: { any_: ["k"] } } }, [1]],
    [{ flow_runs: { idempotency_key: { any_: ["k", "none"] } }, flows: { id: { any_: [flow] } } }, [1]],
    [{ flow_runs: { idempotency_key: { not_any_: ["k"] } } }, [2, 0]],
    [{ flow_runs: { created_by: { is_null_: true } } }, [2, 1, 0]],
    [{ flow_runs: { created_by: { type_: ["SCHEDULE"] } } }, []],
    [{ flow_runs: { id: { any_: [runs[0], runs[2]] } }, flows: { name: { like_: "FLO" } } }, [2, 0]],
    [{ flow_runs: { work_queue_name: { any_: ["default"] } }, work_pools: { name: { any_: ["pool"] } } }, [
      2,
      1,
      0,
    ]],
    [{ flows: { deployment: { is_null_: true } } }, [2, 1, 0]],
    [{ flows: { deployment: { is_null_: false } } }, []],
    [{ task_runs: { operator: "and_", name: null } }, [2, 1, 0]],
    [{ task_runs: { name: { like_: "x" } } }, []],
    [{ flow_runs: { parent_flow_run_id: { any_: null } } }, [2, 1, 0]],
  ];
  for (const [wire, found] of cases) {
    const filters = FlowRunFilters.parse(wire);
    const views = await list.list(listBody(filters));
    assertEquals(views.map(({ run }) => runs.indexOf(run.id)), found, JSON.stringify(wire));
    assertEquals(await list.count(filters), found.length, JSON.stringify(wire));
  }
});

Deno.test("FlowRunList sees what has just been written, before and after it is folded", async () => {
  using setting = await filled();
  const { list, runs, world } = setting;
  const late = { flow_runs: FlowRunFilters.parse({ flow_runs: { name: { any_: ["renamed"] } } }).flow_runs };
  await list.count({});
  await world.services.flowRuns.update(runs[0]!, { name: "renamed" });
  assertEquals(await list.count(late), 1);
  assertEquals(await world.services.runIndex.step(), "drained");
  assertEquals(await list.count(late), 1);
  await world.services.flowRuns.delete(runs[0]!);
  assertEquals(await list.count(late), 0);
  await world.services.runIndex.step();
  assertEquals((await list.list(listBody({}))).map(({ doc }) => doc.name), ["three", "two"]);
  const counts = await list.countByStateType();
  assertEquals([counts.SCHEDULED, counts.RUNNING], [2, 0]);
});

Deno.test("FlowRunList.paginate() tells the pages, also those behind the end", async () => {
  using setting = await filled();
  const ask = async (body: unknown) => {
    const { views, ...page } = await setting.list.paginate(FlowRunPaginateBody.parse(body));
    return [views.map(({ doc }) => doc.name), page] as const;
  };
  const names = { sort: "NAME_ASC" };
  assertEquals(await ask({ ...names, limit: 2 }), [["one", "three"], {
    count: 3,
    limit: 2,
    pages: 2,
    page: 1,
  }]);
  assertEquals(await ask({ ...names, limit: 2, page: 2 }), [["two"], {
    count: 3,
    limit: 2,
    pages: 2,
    page: 2,
  }]);
  assertEquals(await ask({ ...names, page: 9 }), [[], { count: 3, limit: 200, pages: 1, page: 9 }]);
  assertEquals(await ask({ limit: 0 }), [[], { count: 3, limit: 0, pages: 0, page: 1 }]);
});

Deno.test("FlowRunList.history() and lateness() follow the runs' expected times", async () => {
  using setting = await filled();
  const { list, world } = setting;
  const period = {
    history_start: (world.now - 60 * SECOND) / 1e6,
    history_end: world.now / 1e6,
    history_interval_seconds: 30,
  };
  const bars = await list.history(FlowRunHistoryBody.parse(period));
  assertEquals(bars.map(({ states }) => states.map(({ name, runs, lateness }) => [name, runs, lateness])), [
    [["Scheduled", 1, 60]],
    [["Scheduled", 1, 30]],
  ]);
  assertEquals(await list.lateness({}), 30);
  const none = FlowRunHistoryBody.parse({ ...period, flow_runs: { id: { any_: [] } } });
  assertEquals((await list.history(none)).map(({ states }) => states), [[], []]);
  const short = FlowRunHistoryBody.parse({ ...period, history_interval_seconds: 0.5 });
  await assertRejects(() => list.history(short), DomainError, "1 second");
});
