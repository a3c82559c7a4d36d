/** What has to hold on a real shared KV server. `deno task test:denokv`; not part of `deno task test`. */
import { startDenokv } from "../testing/denokv_server.ts";
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
