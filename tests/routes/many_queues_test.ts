/** A pool with 1,000 queues: every route that shows or changes them works. */
import { assertEquals } from "@std/assert";
import { StartedApp } from "./started_app.ts";

Deno.test("a pool with 1,000 queues can be listed, changed, polled and deleted", async () => {
  await using app = await StartedApp.start();
  const { api } = app;
  await api.workPools.create({ name: "p", type: "process" });
  for (let i = 0; i < 1_000; i++) await api.workQueues.create("p", { name: `q${i}` });
  const names = async (offset: number) =>
    (await api.workQueues.list("p", { limit: 2, offset })).map(({ name, priority }) => [name, priority]);
  assertEquals(await names(0), [["default", 1], ["q0", 2]]);
  assertEquals(await names(999), [["q998", 1_000], ["q999", 1_001]]);
  await api.workQueues.update("p", "q999", { priority: 1 });
  assertEquals(await names(0), [["q999", 1], ["default", 2]]);
  assertEquals((await names(1_000)).at(-1), ["q998", 1_001]);
  const status = Object((await app.request("POST", "/work_pools/p/concurrency_status", { page: 6 })).body);
  assertEquals([status.queues.length, status.count, status.pages], [1, 1_001, 6]);
  const all = await app.request("POST", "/work_queues/filter", { limit: 200, offset: 900 });
  assertEquals((all.body as unknown[]).length, 101);
  assertEquals((await app.request("POST", "/work_pools/p/get_scheduled_flow_runs", {})).body, []);
  assertEquals((await api.workPools.get("p")).status, "READY");
  assertEquals((await app.request("DELETE", "/work_pools/p/queues/q500")).status, 204);
  assertEquals((await app.request("DELETE", "/work_pools/p")).status, 204);
  assertEquals((await app.request("POST", "/work_queues/filter")).body, []);
});
