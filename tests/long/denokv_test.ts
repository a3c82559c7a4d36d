/** What has to hold on a real shared KV server. `deno task test:denokv`; not part of `deno task test`. */
import { assertEquals } from "@std/assert";
import { crowd } from "../testing/run_crowd.ts";
import { startDenokv } from "../testing/denokv_server.ts";
import { runIndexWorld } from "../testing/run_index_world.ts";
import { sharePool } from "../testing/shared_pool.ts";
import { KV_BEHAVIOURS, scope } from "../testing/kv_conformance.ts";

Deno.test("denokv: KV conformance", async (t) => {
  await using server = await startDenokv();
  for (const { name, test } of KV_BEHAVIOURS) {
    await t.step(name, async () => {
      using kv = await server.open();
      await test(kv, scope());
    });
  }
});

Deno.test("denokv: two servers share a pool, each run once, never above the limit", async () => {
  await using server = await startDenokv();
  await sharePool(() => server.open());
});

Deno.test("denokv: lists answer as brute force does, and count every run once while others write", async () => {
  await using server = await startDenokv();
  {
    using kv = await server.open();
    const { fault } = await runIndexWorld({ kv, seed: 1, rounds: 15, questions: 20, maxRows: 10 });
    assertEquals(fault, undefined);
  }
  await using other = await startDenokv();
  await crowd(() => other.open(), 10);
});
