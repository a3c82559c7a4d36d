/** Pages, zones and the cursor altered by hand: noticed, and mended by building anew. */
import { assert, assertEquals } from "@std/assert";
import { ALWAYS } from "../../../src/domain/run_clause.ts";
import { journalPrefix, pageKey, pagesKey, zoneKey } from "../../../src/kv/keys.ts";
import { get } from "../../../src/kv/read.ts";
import { silentLog } from "../../../src/runtime/log.ts";
import type { PagesCursor, Zone } from "../../../src/schemas/run_row.ts";
import { RunIndex } from "../../../src/services/run_index/run_index.ts";
import { fakeDeps } from "../../testing/fake_deps.ts";
import { manyRuns } from "../../testing/many_runs.ts";

const RUNS = 900;

async function builtStore() {
  const kv = await Deno.openKv(":memory:");
  for (const commit of manyRuns(RUNS)) await commit.send(kv);
  const complaints: string[] = [];
  let opened = 0;
  const open = () =>
    new RunIndex({
      ...fakeDeps({ kv, seed: ++opened }),
      log: { ...silentLog, error: (message: string) => void complaints.push(message) },
    });
  await open().build();
  const cursor = (await get(kv, pagesKey())).value!;
  return { kv, open, cursor, complaints, [Symbol.dispose]: () => kv.close() };
}

/** The index answers rightly, having noticed something. */
async function assertMended(index: RunIndex, complaints: readonly string[]): Promise<void> {
  const query = { clause: ALWAYS, sort: "NAME_ASC", offset: 0, limit: RUNS + 1 } as const;
  assertEquals(new Set((await index.find(query)).ids).size, RUNS);
  assert(complaints.length > 0);
  assertEquals(index.isSuspect, false);
  assertEquals((await index.countByType()).reduce((sum, n) => sum + n), RUNS);
}

const ALTERATIONS: Record<string, (kv: Deno.Kv, cursor: PagesCursor) => Promise<unknown>> = {
  "a page that is none": (kv, { gen }) => kv.set(pageKey(gen, 0), new Uint8Array(100).fill(7)),
  "a page of another kind": (kv, { gen }) => kv.set(pageKey(gen, 0), { a: 1 }),
  "a page cut short": async (kv, { gen }) => {
    const { value } = await get(kv, pageKey(gen, 0));
    await kv.set(pageKey(gen, 0), value!.slice(0, value!.length - 40));
  },
  "a zone that is none": (kv, { gen }) => kv.set(zoneKey(gen, 0), "zone"),
  "a zone that is gone": (kv, { gen }) => kv.delete(zoneKey(gen, 0)),
  "a zone with a dead row too many": async (kv, { gen }) => {
    const zone: Zone = (await get(kv, zoneKey(gen, 0))).value!;
    zone.dead[0]! |= 1;
    zone.alive--;
    zone.counts = zone.counts.map((n) => Math.max(0, n - 1));
    await kv.set(zoneKey(gen, 0), zone);
  },
  "totals that are wrong": (kv, cursor) =>
    kv.set(pagesKey(), { ...cursor, totals: cursor.totals.map((n) => n + 1) }),
  "a cursor of a generation that is not there": (kv, cursor) => kv.set(pagesKey(), { ...cursor, gen: 12345 }),
};

for (const [what, alter] of Object.entries(ALTERATIONS)) {
  Deno.test(`RunIndex notices ${what}, and mends it`, async () => {
    using store = await builtStore();
    await alter(store.kv, store.cursor);
    await assertMended(store.open(), store.complaints);
  });
}

Deno.test("RunIndex builds anew when the cursor is gone, is none, or points beside the journal", async () => {
  using store = await builtStore();
  const { kv, cursor } = store;
  for (const wrong of [undefined, 5, { ...cursor, at: "0".repeat(20) }, { ...cursor, totals: [1] }]) {
    if (wrong === undefined) await kv.delete(pagesKey());
    else await kv.set(pagesKey(), wrong);
    assertEquals(await store.open().count({ kind: "type", test: () => true }), RUNS);
    assertEquals((await get(kv, pagesKey())).value?.isBuilt, true);
  }
});

Deno.test("RunIndex.build() leaves one generation of pages behind", async () => {
  using store = await builtStore();
  await store.kv.delete(pagesKey());
  for (let i = 0; i < 3; i++) await store.open().build();
  const { gen } = (await get(store.kv, pagesKey())).value!;
  for (const kind of ["page", "zone"]) {
    for await (const { key } of store.kv.list({ prefix: [kind] })) assertEquals(key[1], gen);
  }
});

Deno.test("RunIndex.audit() finds a row that its record contradicts", async () => {
  using store = await builtStore();
  const { kv, cursor } = store;
  assertEquals(await store.open().audit(0), 0);
  const bytes = (await get(kv, pageKey(cursor.gen, 0))).value!;
  // The first expected time stands behind version and number of rows.
  bytes[8]! ^= 1;
  await kv.set(pageKey(cursor.gen, 0), bytes);
  const index = store.open();
  assertEquals(await index.audit(0), 1);
  assertEquals(index.isSuspect, true);
  await index.build();
  assertEquals(await index.audit(0), 0);
});

Deno.test("Packer.trim() deletes folded journal items beyond those that are kept", async () => {
  using store = await builtStore();
  const index = new RunIndex(fakeDeps({ kv: store.kv }), { packer: { keptEntries: 3 } });
  for (const commit of manyRuns(200, { seed: 2, perCommit: 10 })) await commit.send(store.kv);
  while (await index.step() === "folded");
  while (await index.packer.trim());
  const kept = await Array.fromAsync(store.kv.list({ prefix: journalPrefix() }));
  assert(kept.length >= 3 && kept.length < 10, `${kept.length} items are kept`);
  assertEquals(kept.at(-1)!.key[1], (await get(store.kv, pagesKey())).value!.at);
  assertEquals(await store.open().count({ kind: "type", test: () => true }), RUNS + 200);
});
