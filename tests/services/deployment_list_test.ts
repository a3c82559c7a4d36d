import { assert, assertEquals } from "@std/assert";
import type { DeploymentListBody } from "../../src/schemas/filter.ts";
import { CheckedKv } from "../testing/checked_kv.ts";
import { World } from "./factories.ts";

Deno.test("DeploymentList.list() by filters on deployments and on what they belong to", async () => {
  using world = new World();
  await world.pool({ queues: { q: {} } });
  await world.pool({ name: "other" });
  const { flow } = await world.services.flows.create({ name: "other flow", tags: [], labels: "{}" });
  const a = await world.deployment({ name: "alpha", work_queue_name: "q" });
  const b = await world.deployment({ name: "beta", work_pool_name: "other" });
  const c = await world.deployment({ name: "gamma", flow_id: flow.id, work_pool_name: null });
  const body = (filters: Partial<DeploymentListBody>): DeploymentListBody => ({
    sort: "NAME_ASC",
    limit: 200,
    offset: 0,
    ...filters,
  });
  const cases: [Partial<DeploymentListBody>, string[]][] = [
    [{}, [a, b, c]],
    [{ sort: "NAME_DESC" }, [c, b, a]],
    [{ sort: "CREATED_DESC" }, [c, b, a]],
    [{ limit: 1, offset: 1 }, [b]],
    [{ deployments: { operator: "and_", name: { like_: "A" } } }, [a, b, c]],
    [{ deployments: { operator: "and_", id: { any_: [b] } } }, [b]],
    [{ deployments: { operator: "and_", id: { any_: [] } } }, []],
    [{ deployments: { operator: "and_", id: { not_any_: [b] } } }, [a, c]],
    [{ flows: { operator: "and_", name: { any_: ["other flow"] } } }, [c]],
    [{ work_pools: { operator: "and_", name: { any_: ["other"] } } }, [b]],
    [{ work_pool_queues: { operator: "and_", name: { any_: ["q", "default"] } } }, [a, b]],
  ];
  for (const [filters, expected] of cases) {
    const found = await world.services.deploymentList.list(body(filters));
    assertEquals(found.map(({ deployment }) => deployment.id), expected, JSON.stringify(filters));
  }
});

Deno.test("DeploymentList.list() by name reads the page and not the other deployments", async () => {
  const reads = async (count: number) => {
    const kv = new CheckedKv(await Deno.openKv(":memory:"));
    using world = new World({ kv });
    await world.pool();
    const schema = JSON.stringify({ description: "x".repeat(5_000) });
    for (let i = 0; i < count; i++) {
      await world.deployment({ name: `d${String(i).padStart(4, "0")}`, parameter_openapi_schema: schema });
    }
    kv.cost.reset();
    const page = { sort: "NAME_ASC", limit: 20, offset: 0 } as const;
    const found = await world.services.deploymentList.list(page);
    assertEquals([found[0]!.deployment.name, found[19]!.deployment.name], ["d0000", "d0019"]);
    assertEquals(found.every(({ parameterSchema }) => parameterSchema === schema), true);
    return { reads: kv.cost.reads, entries: kv.cost.entries };
  };
  const few = await reads(20);
  assertEquals(await reads(100), few);
  assert(few.reads <= 15, `${few.reads} reads`);
});

Deno.test("DeploymentList.list() has deployments of one name, and of names of any length, each once", async () => {
  using world = new World();
  await world.pool();
  const { flow } = await world.services.flows.create({ name: "second flow", tags: [], labels: "{}" });
  const long = "ü".repeat(3_000);
  const ids = [
    await world.deployment({ name: "same" }),
    await world.deployment({ name: "same", flow_id: flow.id }),
    await world.deployment({ name: `${long}a` }),
    await world.deployment({ name: `${long}b` }),
  ];
  const listed: string[] = [];
  for (let offset = 0; offset < 5; offset++) {
    const page = await world.services.deploymentList.list({ sort: "NAME_ASC", limit: 1, offset });
    listed.push(...page.map(({ deployment }) => deployment.id));
  }
  assertEquals(listed.toSorted(), ids.toSorted());
  await world.services.deployments.delete(ids[0]!);
  assertEquals(await world.services.deploymentList.count({}), 3);
});
