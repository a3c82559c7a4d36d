import { assert, assertEquals, assertRejects } from "@std/assert";
import { DomainError } from "../../src/errors.ts";
import { WorkerListBody } from "../../src/schemas/worker.ts";
import { POOL, World } from "./factories.ts";
import { hookedWorld } from "./hooked_world.ts";

const list = async (world: World, body: unknown = {}) =>
  (await world.services.workers.list(POOL, WorkerListBody.parse(body))).map(({ worker, status }) =>
    `${worker.name} ${status}`
  );
const ONLINE = { workers: { status: { any_: ["ONLINE"] } } };

Deno.test("Workers are online for three of their intervals, and the pool is ready as long", async () => {
  using world = new World();
  const { workers, workPools } = world.services;
  await world.pool();
  const poolStatus = async () => (await workPools.get(POOL)).status;
  assertEquals(await poolStatus(), "NOT_READY");
  await workers.heartbeat(POOL, "w", 10);
  assertEquals([await list(world), await poolStatus()], [["w ONLINE"], "READY"]);
  await world.deps.advance(30_000);
  assertEquals(await list(world, ONLINE), ["w ONLINE"]);
  await world.deps.advance(1);
  assertEquals([await list(world), await list(world, ONLINE)], [["w OFFLINE"], []]);
  assertEquals(await poolStatus(), "NOT_READY");
  await workers.heartbeat(POOL, "w", null);
  const [view] = await workers.list(POOL, WorkerListBody.parse({}));
  assertEquals([view?.worker.interval, view?.status, await poolStatus()], [10, "ONLINE", "READY"]);
  await workPools.update(POOL, { is_paused: true });
  assertEquals(await poolStatus(), "PAUSED");
  await workPools.update(POOL, { is_paused: false });
  assertEquals(await poolStatus(), "READY");
  await assertRejects(() => workers.heartbeat("nowhere", "w", null), DomainError, "not found");
});

Deno.test("Workers.list() has the newest heartbeat first, in pages", async () => {
  using world = new World();
  await world.pool();
  await world.pool({ name: "other" });
  for (const name of ["a", "b", "c"]) {
    await world.services.workers.heartbeat(POOL, name, null);
    await world.deps.advance(1_000);
  }
  await world.services.workers.heartbeat(POOL, "a", null);
  await world.services.workers.heartbeat("other", "d", null);
  assertEquals(await list(world), ["a ONLINE", "c ONLINE", "b ONLINE"]);
  assertEquals(await list(world, { limit: 1, offset: 1 }), ["c ONLINE"]);
});

Deno.test("Workers.list() shows our agents as workers of their pools, each name once", async () => {
  using world = new World();
  await world.pool();
  const { id, session } = await world.agent();
  assertEquals(await list(world), ["agent ONLINE"]);
  await world.deps.advance(91_000);
  assertEquals(await list(world), ["agent OFFLINE"]);
  await world.agent();
  assertEquals(await list(world), ["agent ONLINE"]);
  await world.deps.advance(1_000);
  const beat = { sessions: [session], runs: [], wait: 0 };
  await world.services.agents.heartbeat(id, beat, new AbortController().signal);
  const [view] = await world.services.workers.list(POOL, WorkerListBody.parse({}));
  assertEquals(view?.worker.id, id);
  const remove = () => world.services.workers.delete(POOL, "agent");
  assertEquals((await assertRejects(remove, DomainError, "is an agent")).code, "conflict");
});

Deno.test("Workers.delete() forgets one worker; a deleted pool forgets all, also one that beats meanwhile", async () => {
  using hooked = hookedWorld();
  const { world, kv, rival } = hooked;
  const { workers, workPools } = world.services;
  await world.pool();
  await workers.heartbeat(POOL, "w", null);
  await workers.heartbeat(POOL, "x".repeat(900), null);
  await workers.delete(POOL, "w");
  const error = await assertRejects(() => workers.delete(POOL, "w"), DomainError, "Worker not found.");
  assertEquals(error.code, "not_found");
  kv.onCommit = async (commit) => {
    kv.onCommit = ({ send }) => send();
    await world.soon(rival.services.workPools.delete(POOL));
    return await commit.send();
  };
  await assertRejects(() => workers.heartbeat(POOL, "late", null), DomainError, "not found");
  assertEquals(await Array.fromAsync(world.kv.list({ prefix: ["worker"] })), []);
  assert(!await workPools.find(POOL));
});

Deno.test("a pool is ready while one of our agents is online, though it has not asked for work yet", async () => {
  using world = new World();
  await world.pool();
  const status = async () => (await world.services.workPools.get(POOL)).status;
  assertEquals(await status(), "NOT_READY");
  await world.agent();
  assertEquals(await status(), "READY");
  await world.deps.advance(15_001);
  assertEquals(await status(), "NOT_READY");
});
