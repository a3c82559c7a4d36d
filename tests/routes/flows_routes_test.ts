import { assertEquals } from "@std/assert";
import { StartedApp } from "./started_app.ts";

Deno.test("flows are paged, changed and deleted as in the reference", async () => {
  await using app = await StartedApp.start();
  const ids: string[] = [];
  for (const name of ["a", "b", "c"]) ids.push((await app.api.flows.create({ name })).id);
  const page = async (body: unknown) => Object((await app.request("POST", "/flows/paginate", body)).body);
  const { results, ...rest } = await page({ page: 2, limit: 2 });
  assertEquals([results[0].id, rest], [ids[2], { count: 3, limit: 2, pages: 2, page: 2 }]);
  assertEquals((await page("")).pages, 1);
  assertEquals(await page({ flows: { id: { any_: [] } } }), {
    results: [],
    count: 0,
    limit: 200,
    pages: 0,
    page: 1,
  });
  const path = `/flows/${ids[0]}`;
  assertEquals((await app.request("PATCH", path, { tags: ["t", "t"] })).status, 204);
  assertEquals((await app.api.flows.get(ids[0]!)).tags, ["t"]);
  assertEquals((await app.request("PATCH", path, { name: "x" })).status, 422);
  for (const limit of [0, 51]) {
    assertEquals((await app.request("POST", "/flows/bulk_delete", { limit })).status, 422);
  }
  const bulk = await app.request("POST", "/flows/bulk_delete", { flows: { name: { any_: ["b", "c"] } } });
  assertEquals(bulk.body, { deleted: [ids[1], ids[2]] });
  assertEquals((await app.request("DELETE", path)).status, 204);
  const again = await app.request("DELETE", path);
  assertEquals([again.status, again.body], [404, { detail: "Flow not found" }]);
  assertEquals((await app.request("POST", "/flows/count")).body, 0);
  const refused = await app.request("POST", "/flows/count", { task_runs: { name: { any_: ["x"] } } });
  assertEquals(Object(refused.body).exception_detail[0].loc, ["body", "task_runs"]);
  assertEquals((await app.request("DELETE", `${path}?cascade=all`)).status, 422);
});
