import { journalKey, journalPrefix } from "../../kv/keys.ts";
import { get } from "../../kv/read.ts";
import { STATE_TYPES } from "../../schemas/records.ts";
import type { JournalItem } from "../../schemas/records.ts";
import type { RunChange } from "./rules.ts";

/** A part of the journal. */
export interface JournalPart {
  /** By run, in order of their first item. */
  changes: Map<string, RunChange>;
  /** What the items add to the number of runs of each type. */
  added: number[];
  /** Versionstamp of the last item; the one asked for when there is none behind it. */
  last: string;
  /** Journal entries. */
  entries: number;
  /** Whether the journal ends here. */
  isAll: boolean;
}

/** Entries of one read. */
const BATCH = 500;

/**
 * The journal behind the item `at`, until there are `most.ids` runs or `most.entries` entries. Undefined when `at` is
 * not there any more: then something behind it may be gone, too, since items are deleted from the oldest on.
 */
export async function readJournal(
  kv: Deno.Kv,
  at: string,
  most: { ids: number; entries: number } = { ids: Infinity, entries: Infinity },
): Promise<JournalPart | undefined> {
  const part: JournalPart = {
    changes: new Map(),
    added: STATE_TYPES.map(() => 0),
    last: at,
    entries: 0,
    isAll: false,
  };
  const selector = { prefix: journalPrefix(), ...(at === "" ? {} : { start: journalKey(at) }) };
  let seesStart = at === "";
  for await (const { key, value } of kv.list<JournalItem[]>(selector, { batchSize: BATCH })) {
    const stamp = String(key[1]);
    if (!seesStart) {
      if (stamp !== at) return undefined;
      seesStart = true;
      continue;
    }
    if (part.entries >= most.entries || (part.changes.size >= most.ids && part.entries > 0)) return part;
    addEntry(part, stamp, value);
  }
  if (!seesStart) return undefined;
  // Batches are no snapshot; while the oldest item is there, nothing behind it was deleted in between.
  if (part.entries >= BATCH && at !== "" && !(await get(kv, journalKey(at))).value) return undefined;
  part.isAll = true;
  return part;
}

/** Versionstamp of the newest item; empty when there is none. */
export async function newestJournalItem(kv: Deno.Kv): Promise<string> {
  const selector = { prefix: journalPrefix() };
  for await (const { key } of kv.list<JournalItem[]>(selector, { reverse: true, limit: 1 })) {
    return String(key[1]);
  }
  return "";
}

function addEntry(part: JournalPart, stamp: string, items: readonly JournalItem[]): void {
  for (const [id, from, to] of items) {
    if (from >= 0) part.added[from]!--;
    if (to >= 0) part.added[to]!++;
    const known = part.changes.get(id);
    const touched = from === to ? stamp : known?.touched ?? "";
    // A description may still be written when its run is gone already; ids do not come back.
    const end = known?.to === -1 ? -1 : to;
    const start = known?.from ?? (from === to ? null : from);
    part.changes.set(id, { from: start, to: end, last: stamp, touched });
  }
  part.last = stamp;
  part.entries++;
}
