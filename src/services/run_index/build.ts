import { Commit } from "../../kv/commit.ts";
import { journalKey, journalPrefix, pageKey, pagesKey, zoneKey } from "../../kv/keys.ts";
import { Page } from "../../kv/pages/page.ts";
import { toPageRow } from "../../kv/pages/page_row.ts";
import { get } from "../../kv/read.ts";
import type { ServerDeps } from "../../runtime/deps.ts";
import { type JournalItem, STATE_TYPES } from "../../schemas/records.ts";
import type { PagesCursor, Zone } from "../../schemas/run_row.ts";
import { Draft } from "./draft.ts";
import { newestJournalItem, readJournal } from "./journal.ts";
import { aliveByType, type PageStore } from "./page_store.ts";
import { allRuns, newer } from "./records.ts";
import type { IndexRules } from "./rules.ts";
import { sweepOldPages } from "./sweep.ts";

/** Entries of one read of records. */
const BATCH = 500;
/** Pages that are put into one commit. */
const PAGES_PER_COMMIT = 8;

export interface BuildParts {
  deps: ServerDeps;
  store: PageStore;
  rules: IndexRules;
  maxRows: number;
}

/**
 * Builds all pages anew from the records, as a generation of its own beside the one that is read, while writers go on;
 * one commit then switches over. What changed meanwhile is folded from the journal as ever. Also the first build of a
 * store that has none. False when another build was begun meanwhile, or the journal went on too fast to be kept.
 */
export async function build(parts: BuildParts): Promise<boolean> {
  const { deps, store } = parts;
  const gen = await register(parts);
  if (gen === undefined) return false;
  const at = await newestJournalItem(deps.kv);
  const draft = new Draft({ gen, zones: new Map(), open: { L: null, E: null }, nextNo: 0 }, parts.maxRows);
  const skipped = new Map<string, number>();
  let owed = "";
  let renewAt = deps.clock.now() + RENEW_MICROS;
  const sealed = new Map<number, { bytes: Uint8Array; zone: Zone }>();
  for await (const { id, type, row, version } of allRuns(deps.kv)) {
    if (!parts.rules.isFolded(version, at)) {
      skipped.set(id, type);
      owed = newer(owed, version);
    } else if (row) draft.append(toPageRow(row));
    for (const [no, page] of draft.takeSealed()) sealed.set(no, page);
    if (sealed.size < PAGES_PER_COMMIT) continue;
    if (!await storePages(parts, draft.gen, sealed)) return false;
    if (deps.clock.now() >= renewAt) {
      if (!await renew(parts, gen)) return false;
      renewAt = deps.clock.now() + RENEW_MICROS;
    }
  }
  const open = draft.encode();
  for (const [no, bytes] of open) sealed.set(no, { bytes, zone: draft.zones.get(no)! });
  if (sealed.size > 0 && !await storePages(parts, draft.gen, sealed)) return false;
  const then = await totalsAt(parts, draft, { at, skipped });
  if (!then) return false;
  if (!await switchOver(parts, draft, { at, totals: then.totals, owed: newer(owed, then.owed) })) {
    return false;
  }
  store.forget();
  await sweepOldPages(deps.kv, store);
  return true;
}

const EMPTY: PagesCursor = {
  isBuilt: false,
  gen: 0,
  building: null,
  at: "",
  pack: 0,
  open: { L: null, E: null },
  nextNo: 0,
  totals: STATE_TYPES.map(() => 0),
  owed: "",
  drift: 0,
  folded: 0,
  trimmed: 0,
  owner: "",
  until: 0,
};

/** Says in the cursor that this generation is being built, so that nobody takes its pages for rubbish. */
async function register({ deps, store }: BuildParts): Promise<number | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const entry = await store.cursor();
    const gen = deps.ids.op();
    if (gen === entry.value?.gen || gen === 0) continue;
    const before = entry.value ?? { ...EMPTY, until: deps.clock.now() + FIRST_BUILD_MICROS };
    const commit = new Commit().check(entry).set(pagesKey(), { ...before, building: gen });
    if ((await commit.send(deps.kv)).ok) return gen;
  }
  return undefined;
}
const ATTEMPTS = 20;
/** Others wait so long for the first build before they begin one themselves. */
const FIRST_BUILD_MICROS = 30e6;

/** Says that the build goes on. False when another one was begun. */
async function renew({ deps, store }: BuildParts, gen: number): Promise<boolean> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const entry = await store.cursor();
    if (entry.value?.building !== gen) return false;
    if (entry.value.isBuilt) return true;
    const until = deps.clock.now() + FIRST_BUILD_MICROS;
    if ((await new Commit().check(entry).set(pagesKey(), { ...entry.value, until }).send(deps.kv)).ok) {
      return true;
    }
  }
  return true;
}
const RENEW_MICROS = 5e6;

/** Stores pages of a generation that nobody reads yet. False when others use its number. */
async function storePages(
  { deps }: BuildParts,
  gen: number,
  pages: Map<number, { bytes: Uint8Array; zone: Zone }>,
): Promise<boolean> {
  const commit = new Commit();
  for (const [no, { bytes, zone }] of pages) {
    if (commit.isEmpty) commit.checkAbsent(pageKey(gen, no));
    commit.set(pageKey(gen, no), bytes).set(zoneKey(gen, no), zone);
  }
  pages.clear();
  return (await commit.send(deps.kv)).ok;
}

/**
 * How many runs of each type there were at the item `at`: the rows, and those that changed since and have no row.
 * `skipped` has the types of runs that were read in a newer version. Undefined when the journal does not go back so far.
 */
async function totalsAt(
  { deps }: BuildParts,
  draft: Draft,
  { at, skipped }: { at: string; skipped: ReadonlyMap<string, number> },
): Promise<{ totals: number[]; owed: string } | undefined> {
  let owed = "";
  const totals = aliveByType(draft.zones);
  const part = await readJournal(deps.kv, at);
  if (!part) return undefined;
  for (const [id, type] of skipped) {
    const then = part.changes.get(id)?.from ?? type;
    if (then >= 0) totals[then]!++;
  }
  const gone = [...part.changes].filter(([id, { to }]) => to < 0 && !skipped.has(id));
  const kept = await rowsOf(deps.kv, draft, gone.map(([id]) => id));
  for (const [id, { from, last }] of gone) {
    if (from === null || from < 0 || kept.has(id)) continue;
    totals[from]!++;
    owed = newer(owed, last);
  }
  return { totals, owed };
}

/** Which of the runs, which are deleted by now, got a row before they were. */
async function rowsOf(kv: Deno.Kv, draft: Draft, ids: readonly string[]): Promise<Set<string>> {
  const found = new Set<string>();
  if (ids.length === 0) return found;
  const wanted = new Set(ids);
  for (const no of draft.zones.keys()) {
    const { value } = await get(kv, pageKey(draft.gen, no));
    const page = value && new Page(value);
    for (let row = 0; page && row < page.n; row++) if (wanted.has(page.id(row))) found.add(page.id(row));
  }
  return found;
}

async function switchOver(
  { deps, store }: BuildParts,
  draft: Draft,
  { at, owed, totals }: { at: string; owed: string; totals: number[] },
): Promise<boolean> {
  const folded = at === "" ? 0 : await countTo(deps.kv, at);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const entry = await store.cursor();
    if (entry.value?.building !== draft.gen) return false;
    const next: PagesCursor = {
      ...EMPTY,
      isBuilt: true,
      gen: draft.gen,
      pack: 1,
      at,
      open: draft.open,
      nextNo: draft.nextNo,
      totals,
      owed,
      folded,
    };
    const commit = new Commit().check(entry).set(pagesKey(), next);
    // Everything behind it is still there then.
    if (at !== "") commit.check({ key: journalKey(at), versionstamp: at });
    if ((await commit.send(deps.kv)).ok) return true;
    if (at !== "" && !(await get(deps.kv, journalKey(at))).value) return false;
  }
  return false;
}

async function countTo(kv: Deno.Kv, at: string): Promise<number> {
  let count = 1;
  const selector = { prefix: journalPrefix(), end: journalKey(at) };
  for await (const _ of kv.list<JournalItem[]>(selector, { batchSize: BATCH })) count++;
  return count;
}
