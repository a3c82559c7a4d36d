import { Commit } from "../../kv/commit.ts";
import { pageKey, zoneKey } from "../../kv/keys.ts";
import { get } from "../../kv/read.ts";
import type { Zone } from "../../schemas/run_row.ts";
import type { PageStore } from "./page_store.ts";

/** Zones of one read. */
const BATCH = 500;
const ATTEMPTS = 20;

/** Deletes the pages of generations that neither count nor are being built. The cursor is checked each time. */
export async function sweepOldPages(kv: Deno.Kv, store: PageStore): Promise<void> {
  let entry = await store.cursor();
  const isOld = (gen: number) => gen !== entry.value?.gen && gen !== entry.value?.building;
  for await (const zone of kv.list<Zone>({ prefix: ["zone"] }, { batchSize: BATCH })) {
    const [, gen, no] = zone.key.map(Number) as [number, number, number];
    for (let attempt = 0; attempt < ATTEMPTS && isOld(gen); attempt++) {
      const commit = new Commit().check(entry).check(zone).delete(zone.key).delete(pageKey(gen, no));
      if ((await commit.send(kv)).ok) break;
      entry = await store.cursor();
      if (!(await get(kv, zoneKey(gen, no))).versionstamp) break;
    }
  }
}
