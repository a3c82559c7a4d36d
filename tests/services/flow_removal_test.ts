import { assertEquals, assertRejects } from "@std/assert";
import { DomainError } from "../../src/errors.ts";
import { FlowFilter } from "../../src/schemas/filter.ts";
import { FlowRemoval } from "../../src/services/flow_removal.ts";
import { World } from "./factories.ts";
import { hookedWorld } from "./hooked_world.ts";

const refused = async (call: () => Promise<unknown>, says: string) =>
  (await assertRejects(call, DomainError, says)).code;

/** How many records of each kind there are, of those that belong to flows. */
async function kinds(world: World): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (
    const kind of [
      "flow",
      "flow_name",
      "deployment",
      "deployment_name",
      "run",
      "run_doc",
      "run_state",
      "wait",
    ]
  ) {
    const count = (await Array.fromAsync(world.kv.list({ prefix: [kind] }))).length;
    if (count > 0) counts[kind] = count;
  }
  return counts;
}

Deno.test("FlowRemoval deletes the flow with its deployments and runs, and nothing of another flow", async () => {
  using world = new World();
  await world.pool();
  const flow = await world.flow();
  const { flow: other } = await world.services.flows.create({ name: "other", tags: [], labels: "{}" });
  await world.deployment();
  await world.runs(3);
  const ended = await world.run({ flow_id: flow, work_pool_name: null });
  await world.propose(ended, "COMPLETED");
  await world.deployment({ name: "kept", flow_id: other.id });
  await world.run({ flow_id: other.id });
  await world.services.flowRemoval.delete(flow);
  assertEquals(await kinds(world), {
    flow: 1,
    flow_name: 1,
    deployment: 1,
    deployment_name: 1,
    run: 1,
    run_doc: 1,
    run_state: 1,
    wait: 1,
  });
  assertEquals(await refused(() => world.services.flowRemoval.delete(flow), "Flow not found"), "not_found");
  assertEquals((await world.services.flows.create({ name: "flow", tags: [], labels: "{}" })).isNew, true);
  assertEquals(await world.faults(), []);
});

Deno.test("FlowRemoval is refused with the count while runs hold slots, and changes nothing", async () => {
  using world = new World();
  await world.pool();
  const flow = await world.flow();
  const [held] = await world.runs(2);
  await world.propose(held!, "PENDING");
  const before = await world.services.flows.get(flow);
  assertEquals(
    await refused(() => world.services.flowRemoval.delete(flow), "1 runs of this flow hold slots"),
    "conflict",
  );
  assertEquals(await world.services.flows.get(flow), before);
  await world.run();
  assertEquals((await kinds(world))["run"], 3);
});

Deno.test("FlowRemoval that cancels stops what runs, deletes the rest, and goes on when sent again", async () => {
  using world = new World();
  const { keeper } = await world.pool();
  const flow = await world.flow();
  await world.deployment();
  await world.runs(3);
  const [held] = await world.claim(keeper, 1);
  const remove = () => world.services.flowRemoval.delete(flow, { cascade: "cancel" });
  assertEquals(await refused(remove, "1 runs of this flow hold slots and are being cancelled"), "conflict");
  assertEquals((await world.record(held!.id)).state.type, "CANCELLING");
  assertEquals(await refused(() => world.run(), ""), "conflict");
  const deploying = () => world.deployment({ name: "new" });
  assertEquals(await refused(deploying, ""), "conflict");
  await world.propose(held!.id, "CANCELLED", { token: held!.token! });
  await remove();
  assertEquals(await kinds(world), {});
  assertEquals(await world.faults(), []);
});

Deno.test("FlowRemoval deletes so many runs in one request, says that there are more, and goes on", async () => {
  using world = new World();
  await world.pool();
  const flow = await world.flow();
  await world.runs(130);
  const { flows, deployments, flowRuns: runs, setState } = world.services;
  const removal = new FlowRemoval(world.deps, { flows, deployments, runs, setState }, 100);
  assertEquals(
    await refused(() => removal.delete(flow), "100 runs were deleted, and there are more"),
    "busy",
  );
  assertEquals((await kinds(world))["run"], 30);
  await removal.delete(flow);
  assertEquals(await kinds(world), {});
});

Deno.test("FlowRemoval and a run or a deployment that is being created exclude each other", async () => {
  for (const kind of ["run", "deployment"] as const) {
    using hooked = hookedWorld();
    const { world, kv, rival } = hooked;
    await world.pool();
    const flow = await world.flow();
    kv.onCommit = async (commit) => {
      kv.onCommit = ({ send }) => send();
      await world.soon(rival.services.flowRemoval.delete(flow));
      return await commit.send();
    };
    const creating = kind === "run" ? world.run({ flow_id: flow }) : world.deployment({ flow_id: flow });
    assertEquals(await refused(() => creating, ""), "conflict");
    assertEquals(await kinds(world), {});
  }
});

Deno.test("FlowRemoval.deleteMatching() leaves out flows whose runs hold slots", async () => {
  using world = new World();
  await world.pool();
  const ids: string[] = [];
  for (const name of ["a", "b", "c"]) {
    ids.push((await world.services.flows.create({ name, tags: [], labels: "{}" })).flow.id);
  }
  await world.propose(await world.run({ flow_id: ids[1]! }), "RUNNING");
  const filter = FlowFilter.parse({ id: { any_: ids } });
  assertEquals(await world.services.flowRemoval.deleteMatching(filter, 2), [ids[0]]);
  assertEquals(await world.services.flowRemoval.deleteMatching(filter, 50), [ids[2]]);
  assertEquals((await world.services.flows.matching(null)).map(({ name }) => name), ["b"]);
});
