/** One batch is one overlay: what is decided in it counts for everything decided after it in it (docs/gate.md, H12). */
import { assert, assertEquals } from "@std/assert";
import type { RunRecord } from "../../src/schemas/records.ts";
import { settle } from "./factories.ts";
import { hookedWorld } from "./hooked_world.ts";

/** A pool of one slot, taken by a run; one more run waits, and so does a claim for five. */
async function fullPool() {
  const hooked = hookedWorld();
  const { world } = hooked;
  const pool = await world.pool({ concurrency_limit: 1, queues: { low: { priority: 5 } } });
  const held = await world.run();
  const waiting = await world.run();
  const session = await world.session();
  const [grant] = await world.claim(pool.keeper, 1, session);
  const claiming = pool.keeper.claim(world.claimOf(session, 5), 60_000);
  await settle();
  return { ...hooked, pool, held, waiting, token: grant!.token!, claiming };
}

const ids = (runs: readonly RunRecord[]) => runs.map(({ id }) => id);

Deno.test("Gatekeeper does not grant a run that the same batch cancels", async () => {
  using hooked = await fullPool();
  const { world, held, waiting, token, claiming } = hooked;
  const next = await world.run();
  const { answers: [, cancelled], commits } = await hooked.inOneBatch(() => [
    world.propose(held, "COMPLETED", { token }),
    world.propose(waiting, "CANCELLED"),
  ]);
  assertEquals([cancelled.answer.status, commits], ["ACCEPT", 1]);
  assertEquals(ids(await claiming), [next]);
  assertEquals((await world.record(waiting)).state.type, "CANCELLED");
  assertEquals(await world.faults(), []);
});

Deno.test("Gatekeeper does not grant a run that the same batch gives to a third party", async () => {
  using hooked = await fullPool();
  const { world, pool, waiting, claiming } = hooked;
  const { answers: [pending], commits } = await hooked.inOneBatch(() => [
    world.propose(waiting, "PENDING"),
    world.services.workPools.update(pool.name, { concurrency_limit: 5 }),
  ]);
  assertEquals([pending.answer.status, commits], ["ACCEPT", 1]);
  await settle();
  assertEquals((await world.record(waiting)).session, "tp");
  assertEquals(await world.faults(), []);
  world.deps.controller.abort();
  assertEquals(await claiming, []);
});

Deno.test("Gatekeeper does not grant a run that the same batch deletes", async () => {
  using hooked = await fullPool();
  const { world, held, waiting, token, claiming } = hooked;
  const next = await world.run();
  const { commits } = await hooked.inOneBatch(() => [
    world.propose(held, "COMPLETED", { token }),
    world.services.flowRuns.delete(waiting),
  ]);
  assertEquals([ids(await claiming), commits], [[next], 1]);
  assertEquals(await world.faults(), []);
});

Deno.test("Gatekeeper grants a run that the same batch moves from its new queue, at once", async () => {
  using hooked = await fullPool();
  const { world, pool, held, waiting, token, claiming } = hooked;
  const low = (await world.services.workQueues.get(pool.name, "low")).queue;
  await hooked.inOneBatch(() => [
    world.propose(held, "COMPLETED", { token }),
    world.services.flowRuns.move(waiting, low.id),
  ]);
  const [grant] = await claiming;
  assertEquals([grant!.id, grant!.queue], [waiting, low.id]);
  assertEquals(await world.faults(), []);
});

Deno.test("Gatekeeper grants what the same batch renames under its new state", async () => {
  using hooked = await fullPool();
  const { world, held, waiting, token, claiming } = hooked;
  const at = (await world.record(waiting)).t;
  const { answers: [, late] } = await hooked.inOneBatch(() => [
    world.propose(held, "COMPLETED", { token }),
    world.propose(waiting, "SCHEDULED", { name: "Late", details: { scheduled_time: at } }),
  ]);
  assertEquals([late.answer.status, late.run.state.name], ["ACCEPT", "Late"]);
  const [grant] = await claiming;
  assertEquals(grant!.id, waiting);
  assert(grant!.state.timestamp > late.run.state.timestamp);
  assertEquals(await world.faults(), []);
});

Deno.test("Gatekeeper does not grant a run that the same batch puts off", async () => {
  using hooked = await fullPool();
  const { world, held, waiting, token, claiming } = hooked;
  const next = await world.run();
  const at = world.now + 3_600_000_000;
  await hooked.inOneBatch(() => [
    world.propose(held, "COMPLETED", { token }),
    world.propose(waiting, "SCHEDULED", { details: { scheduled_time: at } }),
  ]);
  assertEquals(ids(await claiming), [next]);
  assertEquals((await world.record(waiting)).t, at);
  assertEquals(await world.faults(), []);
});

Deno.test("Gatekeeper shows each of two claims of one batch only what the other left", async () => {
  using hooked = await fullPool();
  const { world, held, waiting, token, claiming } = hooked;
  const other = hooked.pool.keeper.claim(world.claimOf(await world.session(), 5), 60_000);
  await hooked.inOneBatch(() => [world.propose(held, "COMPLETED", { token })]);
  await settle();
  world.deps.controller.abort();
  assertEquals([ids(await claiming), ids(await other)], [[waiting], []]);
  assertEquals(await world.faults(), []);
});
