import { crowd } from "../../testing/run_crowd.ts";

Deno.test("RunIndex counts every run once while others write and fold", async () => {
  const kv = await Deno.openKv(":memory:");
  await crowd(() => Promise.resolve(kv), 60);
});

Deno.test("RunIndex counts every run once while others write and fold, over connections of their own", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await crowd(() => Deno.openKv(`${folder}/kv`), 20);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
