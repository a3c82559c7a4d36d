import { assertEquals, assertRejects } from "@std/assert";
import { DomainError } from "../../src/errors.ts";
import { POOL, World } from "./factories.ts";

Deno.test("Slots shows the queues by priority, each with its longest holders first, in pages", async () => {
  using world = new World();
  await world.pool({ concurrency_limit: 9, queues: { q: { priority: 1, concurrency_limit: 4 }, idle: {} } });
  const { slots, workQueues } = world.services;
  const runs = [...await world.runs(3, { queue: "q" }), await world.run()];
  for (const run of runs) {
    await world.propose(run, "PENDING");
    await world.deps.advance(1_000);
  }
  await world.run({ queue: "q" });
  const pool = await slots.ofPool(POOL, { page: 1, limit: 200, runLimit: 2 });
  assertEquals([pool.view.gate.occ, pool.view.gate.limit, pool.count], [4, 9, 3]);
  assertEquals(
    pool.queues.map(({ view, holders, count }) => [
      view.queue.name,
      view.held,
      view.config.limit,
      holders.map(({ run }) => run.id),
      count,
    ]),
    [
      ["q", 3, 4, [runs[0], runs[1]], 3],
      ["default", 1, null, [runs[3]], 1],
      ["idle", 0, null, [], 0],
    ],
  );
  const second = await slots.ofPool(POOL, { page: 2, limit: 2, runLimit: 0 });
  assertEquals(second.queues.map(({ view }) => view.queue.name), ["idle"]);
  const { queue } = await workQueues.get(POOL, "q");
  const ofQueue = await slots.ofQueue(queue.id, { page: 2, limit: 2 });
  assertEquals([ofQueue.holders.map(({ run }) => run.id), ofQueue.count], [[runs[2]], 3]);
  await assertRejects(
    () => slots.ofPool("nowhere", { page: 1, limit: 1, runLimit: 1 }),
    DomainError,
    "not found",
  );
});
