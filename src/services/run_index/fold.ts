import type { DecidingColumns } from "../../domain/run_row.ts";
import { createdMs, toPageRow } from "../../kv/pages/page_row.ts";
import { aliveRows } from "../../kv/pages/zones.ts";
import type { PageRow, Zone } from "../../schemas/run_row.ts";
import type { Draft, Place } from "./draft.ts";
import type { Hint, Hints } from "./hints.ts";
import { type JournalPart, newestJournalItem } from "./journal.ts";
import type { PageStore } from "./page_store.ts";
import { newer, readRuns } from "./records.ts";
import type { IndexRules, RunChange } from "./rules.ts";

/** Where the row of each live run stands. */
export type LiveRows = Map<string, Place>;

/** Most pages that one step empties, so that its commit stays small. */
const EVACUATED = 8;

export interface FoldParts {
  kv: Deno.Kv;
  store: PageStore;
  hints: Hints;
  rules: IndexRules;
  /** The last folded item before this part of the journal. */
  at: string;
  /** Longest text of a row, in bytes. */
  longestWord: number;
}

/** What folding a part of the journal comes to. */
export interface Folded {
  /** Newest version of a record that was left to a later item; empty when none was. */
  owed: string;
  /** Live rows that were added, and runs that have none any more. */
  placed: LiveRows;
  gone: Set<string>;
}

/** Brings the rows of the changed runs up to date in the draft. */
export async function fold(
  draft: Draft,
  part: JournalPart,
  live: ReadonlyMap<string, Place>,
  parts: FoldParts,
): Promise<Folded> {
  const old = await oldRows(draft, part.changes, live, parts);
  const { rows, owed } = await newRows(draft, part, old, parts);
  if (parts.rules.marksDead) { for (const { place, type } of old.values()) draft.kill(place, type); }
  const folded: Folded = { owed, placed: new Map(), gone: new Set(part.changes.keys()) };
  await resumeOpenPages(draft, parts.store);
  const place = (row: PageRow) => {
    const at = draft.append(row);
    if (draft.zones.get(at.no)!.family === "L") folded.placed.set(row.id, at);
  };
  for (const row of rows) place(row);
  for (const no of draft.mostlyDead().slice(0, EVACUATED)) {
    const zone = draft.zones.get(no)!;
    if (zone.alive > 0) {
      const page = await parts.store.page(draft.gen, no, zone);
      for (const row of page.rows(aliveRows(zone))) place(row);
    }
    draft.remove(no);
  }
  return folded;
}

async function resumeOpenPages(draft: Draft, store: PageStore): Promise<void> {
  for (const family of ["L", "E"] as const) {
    const no = draft.open[family];
    const zone = no === null ? undefined : draft.zones.get(no);
    if (no !== null && zone) draft.resume(no, await store.page(draft.gen, no, zone));
    else draft.open[family] = null;
  }
}

interface OldRow {
  place: Place;
  /** Index of its state type. */
  type: number;
}

/** The rows that the changed runs have now. */
async function oldRows(
  draft: Draft,
  changes: ReadonlyMap<string, RunChange>,
  live: ReadonlyMap<string, Place>,
  { store, rules }: FoldParts,
): Promise<Map<string, OldRow>> {
  const found = new Map<string, OldRow>();
  const ended: string[] = [];
  for (const [id, change] of changes) {
    const families = rules.oldFamilies(change);
    const place = families.includes("L") ? live.get(id) : undefined;
    const zone = place && draft.zones.get(place.no);
    if (place && zone) {
      const page = await store.page(draft.gen, place.no, zone);
      found.set(id, { place, type: draft.typeOf(page, place.row) });
    } else if (families.includes("E")) ended.push(id);
  }
  for (const [id, old] of await findEnded(draft, ended, store)) found.set(id, old);
  return found;
}

/** Ended rows are looked for on the pages whose runs were created at that time. */
async function findEnded(
  draft: Draft,
  ids: readonly string[],
  store: PageStore,
): Promise<Map<string, OldRow>> {
  const found = new Map<string, OldRow>();
  if (ids.length === 0) return found;
  const wanted = new Set(ids);
  const times = ids.map(createdMs).sort((a, b) => a - b);
  const mayHave = ({ family, alive, created }: Zone) =>
    family === "E" && alive > 0 && times.some((time) => time >= created.min && time <= created.max);
  const candidates = new Map([...draft.zones].filter(([, zone]) => mayHave(zone)));
  for await (const { no, zone, page } of store.pages(draft.gen, candidates)) {
    for (const row of aliveRows(zone)) {
      const id = page.id(row);
      if (wanted.has(id)) found.set(id, { place: { no, row }, type: draft.typeOf(page, row) });
    }
  }
  return found;
}

/** The rows that the changed runs get, from what this process has just written where that is known to be current. */
async function newRows(
  draft: Draft,
  part: JournalPart,
  old: ReadonlyMap<string, OldRow>,
  parts: FoldParts,
): Promise<{ rows: PageRow[]; owed: string }> {
  const rows: (PageRow | undefined)[] = [];
  const unknown: { id: string; at: number }[] = [];
  let owed = "";
  const hinted = new Map<string, { columns: DecidingColumns; at: number }>();
  for (const [id, change] of part.changes) {
    if (change.to < 0) continue;
    const at = rows.push(undefined) - 1;
    const hint = parts.hints.of(id);
    if (!hint?.run || !parts.rules.isCurrentHint(hint.run.version, change.last)) {
      unknown.push({ id, at });
    } else if (!parts.rules.isFolded(hint.run.version, part.last)) {
      owed = newer(owed, hint.run.version);
    } else if (isCurrentDoc(hint, change, parts.at)) {
      rows[at] = toPageRow({ ...hint.run.columns, ...hint.doc!.columns }, parts.longestWord);
    } else if (change.touched === "" && old.has(id)) {
      hinted.set(id, { columns: hint.run.columns, at });
    } else unknown.push({ id, at });
  }
  await describeByOldRows(hinted, { old, rows, draft }, parts);
  const read = await readRuns(parts.kv, unknown.map(({ id }) => id));
  let isMissing = false;
  read.forEach(({ row, version }, i) => {
    if (!parts.rules.isFolded(version, part.last)) owed = newer(owed, version);
    else if (row) rows[unknown[i]!.at] = toPageRow(row, parts.longestWord);
    else isMissing = true;
  });
  // It was deleted since, by an item that stands somewhere behind.
  if (isMissing) owed = newer(owed, await newestJournalItem(parts.kv));
  return { rows: rows.filter((row) => row !== undefined), owed };
}

/** A description that this process wrote since the last step, with nothing behind it that could be another one. */
const isCurrentDoc = ({ doc }: Hint, { touched }: RunChange, at: string): boolean =>
  doc !== undefined && doc.version > at && touched <= doc.version;

/** A run whose description did not change since its old row: that has it, and no record has to be read. */
async function describeByOldRows(
  hinted: ReadonlyMap<string, { columns: DecidingColumns; at: number }>,
  { old, rows, draft }: { old: ReadonlyMap<string, OldRow>; rows: (PageRow | undefined)[]; draft: Draft },
  { store, longestWord }: FoldParts,
): Promise<void> {
  const byPage = Map.groupBy(hinted.keys(), (id) => old.get(id)!.place.no);
  for (const [no, ids] of byPage) {
    const page = await store.page(draft.gen, no, draft.zones.get(no)!);
    page.rows(ids.map((id) => old.get(id)!.place.row)).forEach(({ name, tags, parent }, i) => {
      const { columns, at } = hinted.get(ids[i]!)!;
      const row = toPageRow({ ...columns, ...NO_DESCRIPTION }, longestWord);
      rows[at] = { ...row, name, tags, parent };
    });
  }
}
const NO_DESCRIPTION = {
  name: "",
  tags: [],
  parent: null,
  flowVersion: null,
  idempotencyKey: null,
  createdBy: null,
};
