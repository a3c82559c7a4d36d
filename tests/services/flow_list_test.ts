import { assertEquals, assertRejects } from "@std/assert";
import { DomainError } from "../../src/errors.ts";
import { FlowListBody } from "../../src/schemas/filter.ts";
import { POOL, World } from "./factories.ts";

Deno.test("FlowList asks whether a flow has a deployment or a run that matches", async () => {
  using world = new World();
  await world.pool();
  await world.pool({ name: "other" });
  const { flows, flowList } = world.services;
  const make = async (name: string) => (await flows.create({ name, tags: [], labels: "{}" })).flow.id;
  const [a, b, c] = [await make("a"), await make("b"), await make("c")];
  await world.deployment({ flow_id: a, name: "x", work_pool_name: POOL });
  await world.deployment({ flow_id: a, name: "y", work_pool_name: "other" });
  await world.deployment({ flow_id: b, name: "x", work_pool_name: "other" });
  await world.run({ flow_id: c, name: "r" });
  await world.run({ flow_id: b, name: "r" });
  const list = async (body: unknown) => {
    const parsed = FlowListBody.parse(body);
    const names = (await flowList.list(parsed)).map(({ name }) => name);
    if (parsed.limit === 200) assertEquals(await flowList.count(parsed), names.length);
    return names.join("");
  };
  const x = { deployments: { name: { any_: ["x"] } } };
  const ofOther = { work_pools: { name: { any_: ["other"] } } };
  const r = { flow_runs: { name: { any_: ["r"] } } };
  assertEquals(await list({}), "abc");
  assertEquals(await list(x), "ab");
  assertEquals(await list(ofOther), "ab");
  assertEquals(await list({ ...x, ...ofOther }), "b", "one deployment matches both");
  assertEquals(await list(r), "bc");
  assertEquals(await list({ ...r, ...x }), "b");
  assertEquals(await list({ ...x, flows: { id: { any_: [a] } } }), "a");
  assertEquals(await list({ deployments: { id: { any_: [] } } }), "");
  assertEquals(await list({ sort: "NAME_DESC", limit: 2, offset: 1 }), "ba");
  const paged = await flowList.page({ ...FlowListBody.parse({ limit: 2 }), page: 2 });
  assertEquals([paged.flows.map(({ name }) => name), paged.count], [["c"], 3]);
  const error = await assertRejects(() => list({ task_runs: {} }), DomainError, "no task runs");
  assertEquals([error.code, error.field], ["invalid", ["task_runs"]]);
});

Deno.test("Flows.update() writes tags that are given, and when", async () => {
  using world = new World();
  const { flows } = world.services;
  const { flow } = await flows.create({ name: "f", tags: ["a"], labels: `{"l":1}` });
  await world.deps.advance(1_000);
  await flows.update(flow.id, { tags: null });
  assertEquals(await flows.get(flow.id), { ...flow, updated: flow.created + 1_000_000 });
  await flows.update(flow.id, { tags: [] });
  assertEquals((await flows.byName("f")).tags, []);
  await assertRejects(() => flows.update(crypto.randomUUID(), {}), DomainError, "Flow not found");
});
