import { assert, assertEquals, assertRejects } from "@std/assert";
import { DomainError } from "../../src/errors.ts";
import { CheckedKv } from "../testing/checked_kv.ts";
import { World } from "./factories.ts";

Deno.test("FlowRunStates lists a run's states in order of time, with their data", async () => {
  using world = new World();
  const { keeper } = await world.pool();
  const id = await world.run();
  const [held] = await world.claim(keeper);
  const token = held!.token!;
  await world.propose(id, "RUNNING", { token });
  const data = JSON.stringify({ x: "y".repeat(100_000) });
  await world.propose(id, "COMPLETED", { token, data });
  const states = await world.services.flowRunStates.list(id);
  assertEquals(states.map(({ state }) => state.type), ["SCHEDULED", "PENDING", "RUNNING", "COMPLETED"]);
  assert(states.every(({ state }, i) => i === 0 || states[i - 1]!.state.timestamp < state.timestamp));
  assertEquals(states.at(-1)?.data === data, true);
  assertEquals(await world.services.flowRunStates.list(crypto.randomUUID()), []);
});

Deno.test("FlowRunStates finds each state by its id, of runs with and without pool", async () => {
  using world = new World();
  const { keeper } = await world.pool();
  const ids = await world.runs(20);
  const bare = await world.services.flowRuns.create({
    flow_id: await world.flow(),
    parameters: "{}",
    context: "{}",
    tags: [],
  });
  for (const { id, token } of await world.claim(keeper, 10)) {
    await world.propose(id, "RUNNING", { token: token! });
  }
  await world.propose(bare.view.run.id, "RUNNING");
  let found = 0;
  for (const run of [...ids, bare.view.run.id]) {
    for (const one of await world.services.flowRunStates.list(run)) {
      assertEquals(await world.services.flowRunStates.get(one.state.id), one);
      found++;
    }
  }
  assertEquals(found, 20 + 2 * 10 + 2);
  for (const id of [crypto.randomUUID(), ids[0]!, world.deps.ids.kin(ids[0]!)]) {
    await assertRejects(() => world.services.flowRunStates.get(id), DomainError, "Flow run state not found");
  }
});

Deno.test("FlowRunStates reads two lists to find a state among many runs", async () => {
  const kv = new CheckedKv(await Deno.openKv(":memory:"));
  using world = new World({ kv });
  await world.pool();
  const ids = await world.runs(200);
  const { state } = await world.record(ids[77]!);
  kv.cost.reset();
  await world.services.flowRunStates.get(state.id);
  assertEquals([kv.cost.lists, kv.cost.entries], [2, 2]);
});
