/** Several servers on one KV wake each other: what one does, a claim that waits at another hears at once. */
import { assertEquals } from "@std/assert";
import type { RunRecord } from "../../src/schemas/records.ts";
import { FakeKv } from "../testing/fake_kv.ts";
import { FakeKvStore } from "../testing/fake_kv_store.ts";
import { POOL, settle, World } from "./factories.ts";

/** Two servers, and a claim for one run that waits at the first. */
async function twoServers(options: Parameters<World["pool"]>[0] = {}) {
  const store = new FakeKvStore();
  const [here, there] = ["here", "there"].map((who, seed) =>
    new World({ kv: new FakeKv(store, { who }), seed: seed + 1, shared: true })
  ) as [World, World];
  const { id } = await here.pool(options);
  await there.flow();
  const session = await here.session();
  return {
    here,
    there,
    id,
    wait: async (): Promise<() => Promise<string[] | "waits">> => {
      let answer: RunRecord[] | undefined;
      const claiming = here.services.gates.of(id).claim(here.claimOf(session), 60_000);
      claiming.then((runs) => answer = runs, () => {});
      await settle();
      return async () => {
        // Time stands still but for the pause that a lost race brings.
        for (let i = 0; i < 5; i++) await here.deps.advance(0);
        return answer?.map(({ id }) => id) ?? "waits";
      };
    },
    [Symbol.dispose]() {
      for (const world of [here, there]) world[Symbol.dispose]();
    },
  };
}

Deno.test("claim() hears of a run that another server enqueues", async () => {
  using servers = await twoServers();
  const answer = await servers.wait();
  assertEquals(await answer(), "waits");
  const run = await servers.there.run();
  assertEquals(await answer(), [run]);
});

Deno.test("claim() hears of a run for later that another server enqueues, and is in time for it", async () => {
  using servers = await twoServers();
  const { here, there } = servers;
  const answer = await servers.wait();
  const run = await there.run({ at: here.now + 1_000_000 });
  assertEquals(await answer(), "waits");
  await here.deps.advance(1_000);
  assertEquals(await answer(), [run]);
});

Deno.test("claim() hears of a slot that another server frees, and of a limit that it raises", async () => {
  const ways: ((there: World, held: string) => Promise<unknown>)[] = [
    (there, held) => there.propose(held, "COMPLETED"),
    (there) => there.services.workPools.update(POOL, { concurrency_limit: 2 }),
  ];
  for (const free of ways) {
    using servers = await twoServers({ concurrency_limit: 1 });
    const { here, there } = servers;
    const held = await there.run();
    await there.propose(held, "RUNNING");
    const run = await there.run();
    const answer = await servers.wait();
    assertEquals(await answer(), "waits");
    await free(there, held);
    assertEquals(await answer(), [run]);
    assertEquals(await here.faults(), []);
  }
});

Deno.test("claim() hears of a run that another server moves into the pool from another pool", async () => {
  using servers = await twoServers();
  const { there } = servers;
  await there.pool({ name: "other" });
  const run = await there.run({ pool: "other" });
  const { queue } = await there.services.workQueues.get(POOL, "default");
  const answer = await servers.wait();
  assertEquals(await answer(), "waits");
  await there.services.flowRuns.move(run, queue.id);
  assertEquals(await answer(), [run]);
});

Deno.test("two servers with waiting claims share what comes free, and give nothing twice", async () => {
  using servers = await twoServers({ is_paused: true });
  const { here, there, id } = servers;
  const runs = await here.runs(40);
  const sessions = [await here.session(), await there.session()];
  const claims = [here, there].flatMap((world, i) =>
    Array.from({ length: 20 }, () => world.services.gates.of(id).claim(world.claimOf(sessions[i]!), 60_000))
  );
  await settle();
  await here.services.workPools.update(POOL, { is_paused: false });
  const all = Promise.all(claims);
  for (let i = 0; i < 20; i++) for (const world of [here, there]) await world.deps.advance(1);
  assertEquals((await all).flat().map((run) => run.id).toSorted(), runs.toSorted());
  assertEquals(await here.faults(), []);
});
