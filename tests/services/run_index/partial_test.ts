/** Questions beyond the budget: refused with what to narrow, or answered as far as it goes. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Clause, holds } from "../../../src/domain/run_clause.ts";
import { beforeBy } from "../../../src/domain/run_sort.ts";
import { FLOW_RUN_SORTS } from "../../../src/schemas/filter.ts";
import { hitOf } from "../../../src/services/run_index/order.ts";
import { RunIndex } from "../../../src/services/run_index/run_index.ts";
import { OverBudgetError } from "../../../src/services/run_index/scan.ts";
import type { Question } from "../../../src/services/run_index/search.ts";
import { fakeDeps } from "../../testing/fake_deps.ts";
import { manyRuns } from "../../testing/many_runs.ts";
import { allRows } from "../../testing/run_questions.ts";

const RUNS = 2_000;

async function smallBudget(budget: { pages?: number; records?: number }) {
  const kv = await Deno.openKv(":memory:");
  for (const commit of manyRuns(RUNS)) await commit.send(kv);
  const index = new RunIndex(fakeDeps({ kv }), { packer: { maxRows: 10 }, budget });
  await index.build();
  const rows = await allRows(kv);
  return { kv, index, rows, [Symbol.dispose]: () => kv.close() };
}

/** The parts of an answer, joined as a client joins them. */
async function joined(index: RunIndex, question: Question): Promise<{ ids: string[]; parts: number }> {
  const ids: string[] = [];
  let { offset, after } = question;
  for (let parts = 1;; parts++) {
    const found = await index.find({ ...question, offset, after, limit: question.limit - ids.length });
    ids.push(...found.ids);
    if (!found.partial) return { ids, parts };
    assert(found.partial.next, `part ${parts} tells how to go on`);
    ({ offset, after } = found.partial.next);
    assert(parts < 500);
  }
}

const NO_MATCH: Clause = { kind: "word", column: "name", test: () => false };
const RARE: Clause = { kind: "word", column: "name", test: (name) => /-7$/.test(name ?? "") };
const BY_RECORD: Clause = { kind: "word", column: "flowVersion", test: () => false };

Deno.test("RunIndex.find() beyond the budget of pages: the parts joined are the whole answer", async () => {
  using store = await smallBudget({ pages: 60 });
  let parts = 0;
  for (const sort of FLOW_RUN_SORTS.filter((sort) => !sort.startsWith("NAME") && !sort.startsWith("NEXT"))) {
    for (const clause of [RARE, NO_MATCH]) {
      for (const [offset, limit] of [[0, 200], [7, 50]] as const) {
        const wanted = store.rows.filter((row) => holds(clause, row)).map((row) => hitOf(sort, row))
          .sort(beforeBy(sort)).slice(offset, offset + limit).map(({ id }) => id);
        const got = await joined(store.index, { clause, sort, offset, limit });
        assertEquals(got.ids, wanted, sort);
        parts += got.parts;
      }
    }
  }
  assert(parts > 40, `${parts} parts`);
});

Deno.test("RunIndex.find() beyond the budget of records: the parts joined are the whole answer", async () => {
  using store = await smallBudget({ records: 300 });
  const question: Question = { clause: BY_RECORD, sort: "ID_DESC", offset: 0, limit: 50 };
  const { ids, parts } = await joined(store.index, question);
  assertEquals(ids, []);
  assert(parts >= RUNS / 350 && parts < 20, `${parts} parts`);
  const all: Clause = { kind: "word", column: "flowVersion", test: () => true };
  assertEquals((await store.index.find({ ...question, clause: all })).ids.length, 50);
});

Deno.test("RunIndex.find() says that going on makes no sense where nothing is certain", async () => {
  using store = await smallBudget({ pages: 60 });
  const found = await store.index.find({ clause: NO_MATCH, sort: "NAME_ASC", offset: 0, limit: 10 });
  assertEquals([found.ids, found.partial?.next], [[], undefined]);
});

Deno.test("RunIndex.count() and addUp() beyond the budget are refused, by type alone they never are", async () => {
  using store = await smallBudget({ pages: 60 });
  await assertRejects(() => store.index.count(RARE), OverBudgetError);
  assertEquals(await store.index.count({ kind: "type", test: () => true }), RUNS);
});
