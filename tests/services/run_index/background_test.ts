import { assert, assertEquals } from "@std/assert";
import { setImmediate } from "node:timers/promises";
import { Commit } from "../../../src/kv/commit.ts";
import { pagesKey, runDocKey } from "../../../src/kv/keys.ts";
import { get } from "../../../src/kv/read.ts";
import { keepPacked } from "../../../src/services/run_index/background.ts";
import { RunIndex } from "../../../src/services/run_index/run_index.ts";
import { CheckedKv } from "../../testing/checked_kv.ts";
import { fakeDeps } from "../../testing/fake_deps.ts";
import { manyRuns } from "../../testing/many_runs.ts";

async function started() {
  const behind = await Deno.openKv(":memory:");
  const kv = new CheckedKv(behind);
  const deps = fakeDeps({ kv });
  const index = new RunIndex(deps);
  const running = keepPacked(deps, index);
  /** Looked up past what is counted. */
  const isFolded = async () => {
    const { value } = await get(behind, pagesKey());
    let last = "";
    for await (const { key } of behind.list({ prefix: ["journal"] }, { reverse: true, limit: 1 })) {
      last = String(key[1]);
    }
    return value?.isBuilt === true && value.at === last;
  };
  /** Time passes only while the packer waits for it: its work on KV takes none. */
  const untilFolded = async () => {
    while (!await isFolded()) {
      if (deps.clock.sleeping > 0) await deps.clock.advance(100);
      else await setImmediate();
    }
  };
  const stop = async () => {
    deps.controller.abort();
    await running;
    kv.close();
  };
  await untilFolded();
  return { behind, kv, deps, index, isFolded, untilFolded, stop };
}

Deno.test("keepPacked() folds what is committed after a moment, and stops with the server", async () => {
  const { behind, kv, untilFolded, isFolded, stop } = await started();
  for (const commit of manyRuns(50)) await commit.send(kv);
  assertEquals(await isFolded(), false);
  await untilFolded();
  const other = new CheckedKv(behind);
  const counts = await new RunIndex(fakeDeps({ kv: other })).countByType();
  assertEquals([counts.reduce((sum, n) => sum + n), other.cost.reads], [50, 2]);
  await stop();
  assertEquals(kv.violations, []);
});

Deno.test("keepPacked() folds a burst without waiting, reads back nothing, and leaves a short tail", async () => {
  const { kv, deps, index, untilFolded, stop } = await started();
  kv.cost.reset();
  const before = deps.clock.monotonic();
  for (const commit of manyRuns(20_000)) await commit.send(kv);
  await untilFolded();
  const reads = kv.cost.reads;
  assert(reads < 400, `${reads} reads to fold 20,000 runs: records were read back`);
  assertEquals(await index.count({ kind: "always" }), 20_000);
  assert(deps.clock.monotonic() - before <= 5_000);
  await stop();
});

Deno.test("a commit that changes runs has one mutation and no check more than without lists", async () => {
  const { kv, stop } = await started();
  for (const count of [1, 10, 100]) {
    const [commit] = manyRuns(count, { perCommit: 100, seed: count });
    const checks = commit!.checks;
    kv.cost.reset();
    const before = { checks, mutations: commit!.mutations };
    await commit!.send(kv);
    // Record and description of each, the mark of the commit, and one journal entry.
    assertEquals(before, { checks: 1, mutations: 2 * count + 2 });
    assertEquals(kv.cost.mutations, before.mutations);
  }
  await stop();
});

Deno.test("Commit tells listeners of commits that change runs, and of no others", async () => {
  const { kv, index, stop } = await started();
  const [commit] = manyRuns(1);
  await commit!.send(kv);
  assertEquals(index.hints.size, 1);
  await new Commit().checkAbsent(["x"]).set(["x"], 1).send(kv);
  await new Commit().checkAbsent(["y"]).set(runDocKey("y"), null as never).set(["y"], 1).send(kv);
  assertEquals(index.hints.size, 1);
  await stop();
});
