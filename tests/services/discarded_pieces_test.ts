/** Large texts that are stored ahead of what then is refused leave nothing behind. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { DomainError } from "../../src/errors.ts";
import { indexFaults } from "./audit_indexes.ts";
import { POOL, World } from "./factories.ts";
import { writes } from "./hooked_kv.ts";
import { hookedWorld } from "./hooked_world.ts";

const LARGE = JSON.stringify("x".repeat(150_000));
const NOBODY = "01a20d10-0000-7000-8000-000000000000";

async function pieces(world: World): Promise<number> {
  let count = 0;
  for await (const _ of world.kv.list({ prefix: ["chunk"] })) count++;
  return count;
}

Deno.test("SetState keeps large data of a state that is written, and none of one that is refused", async () => {
  using world = new World();
  await world.pool({ concurrency_limit: 0 });
  const run = await world.run();
  const refused = await world.propose(run, "RUNNING", { data: LARGE });
  assertEquals([refused.isWritten, await pieces(world)], [false, 0]);
  const missing = () => world.propose(NOBODY, "FAILED", { data: LARGE });
  assertEquals((await assertRejects(missing, DomainError)).code, "missing_object");
  assertEquals(await pieces(world), 0);
  const written = await world.propose(run, "FAILED", { data: LARGE });
  assertEquals([written.isWritten, written.stateData, await pieces(world)], [true, LARGE, 3]);
  assertEquals((await world.propose(run, "FAILED", { data: LARGE })).isWritten, false);
  assertEquals([await pieces(world), await indexFaults(world.kv)], [3, []]);
});

Deno.test("WorkPools.update() that is refused leaves no pieces of its template", async () => {
  using hooked = hookedWorld();
  const { world, rival, kv } = hooked;
  await world.pool();
  const template = JSON.stringify({ job_configuration: {}, variables: {}, large: "x".repeat(150_000) });
  const before = kv.onCommit;
  kv.onCommit = async (commit) => {
    kv.onCommit = before;
    assert(writes(commit, "chunk"));
    await rival.services.workPools.delete(POOL);
    return await before(commit);
  };
  const update = () => world.services.workPools.update(POOL, { base_job_template: template });
  assertEquals((await assertRejects(update, DomainError)).code, "not_found");
  assertEquals([await pieces(world), await indexFaults(world.kv)], [0, []]);
});
