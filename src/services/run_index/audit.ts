import { familyOf } from "../../domain/run_row.ts";
import { pageKey, zoneKey } from "../../kv/keys.ts";
import { Page } from "../../kv/pages/page.ts";
import { toPageRow } from "../../kv/pages/page_row.ts";
import { aliveRows } from "../../kv/pages/zones.ts";
import { get } from "../../kv/read.ts";
import { pickOne, type Random } from "../../runtime/random.ts";
import type { PageRow } from "../../schemas/run_row.ts";
import { MovedError } from "./page_store.ts";
import { readRuns } from "./records.ts";
import type { Snapshot } from "./snapshots.ts";

/**
 * Compares the rows of one page, chosen by chance or given, with their records. Tells how many differ. Page and zone
 * are read anew, so that what is stored is looked at and not what is remembered.
 *
 * @throws MovedError, PageBrokenError
 */
export async function auditPage(
  kv: Deno.Kv,
  snapshot: Snapshot,
  { random, no }: { random: Random; no?: number },
): Promise<number> {
  const numbers = [...snapshot.zones.keys()];
  if (numbers.length === 0) return 0;
  const chosen = no ?? pickOne(numbers, random);
  const { gen } = snapshot.cursor;
  const [zone, stored] = await Promise.all([get(kv, zoneKey(gen, chosen)), get(kv, pageKey(gen, chosen))]);
  if (!zone.value || !stored.value) throw new MovedError();
  const page = new Page(stored.value);
  const rows = aliveRows(zone.value).filter((row) => !snapshot.tail.has(page.id(row)));
  const records = await readRuns(kv, rows.map((row) => page.id(row)));
  const family = zone.value.family;
  return page.rows(rows).filter((row, i) => {
    const { row: record, version } = records[i]!;
    // What changed since the snapshot may differ.
    if (version > snapshot.seen || version === "") return version === "" && record !== null;
    return record === null || familyOf(record.type) !== family || !isSame(row, toPageRow(record));
  }).length;
}

const isSame = (a: PageRow, b: PageRow): boolean =>
  (Object.keys(b) as (keyof PageRow)[]).every((key) => JSON.stringify(a[key]) === JSON.stringify(b[key]));
