import { assertEquals, assertMatch } from "@std/assert";
import { StartedApp } from "./started_app.ts";

Deno.test("automations are answered as none", async () => {
  await using app = await StartedApp.start();
  const resource = "prefect.deployment.01a20d10-0000-7000-8000-00000000000a";
  const owned = await app.request("DELETE", `/automations/owned-by/${resource}`);
  assertEquals([owned.status, owned.text], [202, "null"]);
  const related = await app.request("GET", `/automations/related-to/${resource}`);
  assertEquals([related.status, related.body], [200, []]);
  const body = { automations: null, sort: null, limit: null, offset: 0 };
  const listed = await app.request("POST", "/automations/filter", body);
  assertEquals([listed.status, listed.body], [200, []]);
});

Deno.test("increment-with-lease finds no limit and answers a fresh lease", async () => {
  await using app = await StartedApp.start();
  const asked = (body: unknown) => app.request("POST", "/v2/concurrency_limits/increment-with-lease", body);
  const body = { names: ["tag:heavy"], slots: 1, mode: "concurrency", lease_duration: 60 };
  const [first, second] = [await asked(body), await asked(body)];
  const lease = (text: string): string => JSON.parse(text).lease_id;
  assertMatch(lease(first.text), /^[0-9a-f-]{36}$/);
  assertEquals(lease(first.text) === lease(second.text), false);
  assertEquals([first.status, first.body], [200, { lease_id: lease(first.text), limits: [] }]);
  for (const refused of [{ slots: 0 }, { lease_duration: 59 }, { lease_duration: 86_401 }]) {
    assertEquals((await asked({ ...body, ...refused })).status, 422);
  }
});
