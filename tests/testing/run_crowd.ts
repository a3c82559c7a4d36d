/** Writers, packers and readers at the same time, each at its own pace. */
import { assert, assertEquals } from "@std/assert";
import { ALWAYS, type Clause, holds } from "../../src/domain/run_clause.ts";
import { buildIds } from "../../src/runtime/ids.ts";
import { INDEX_RULES } from "../../src/services/run_index/rules.ts";
import { RunIndex } from "../../src/services/run_index/run_index.ts";
import { fakeDeps } from "./fake_deps.ts";
import { allRows } from "./run_questions.ts";
import { RunWriter } from "./run_writer.ts";
import { SeededRandom } from "./seeded_random.ts";

/**
 * Nothing is deleted, so counts only grow: each lies between the runs that were there before and after the call.
 * `open` gives each process its own connection.
 */
export async function crowd(open: () => Promise<Deno.Kv>, writes: number): Promise<void> {
  const connections: Deno.Kv[] = [];
  const process = async (seed: number) => {
    const kv = await open();
    connections.push(kv);
    const deps = fakeDeps({ kv, seed });
    const index = new RunIndex(deps, {
      packer: { maxRows: 20, entries: 20, keptEntries: 50 },
      rules: INDEX_RULES,
    });
    return { kv, deps, index };
  };
  const [a, b, c] = [await process(1), await process(2), await process(3)];
  const writers = [a, b].map(({ kv, deps }, i) =>
    new RunWriter(kv, new SeededRandom(i + 1), buildIds(deps.clock, deps.random).uuid)
  );
  let started = 0;
  let created = 0;
  let isOver = false;
  await a.index.build();

  const write = async (writer: RunWriter) => {
    for (let i = 0; i < writes; i++) {
      started += 3;
      await writer.create(3);
      created += 3;
      await writer.change(3);
    }
  };
  const pack = async ({ index }: { index: RunIndex }) => {
    while (!isOver) {
      await index.step(true);
      await index.packer.trim();
    }
  };
  const within = (count: number, before: number) =>
    assert(count >= before && count <= started, `${count} runs, not between ${before} and ${started}`);
  const read = async ({ index }: { index: RunIndex }) => {
    const anyName: Clause = { kind: "word", column: "name", test: () => true };
    while (!isOver) {
      let before = created;
      within(await index.count(anyName), before);
      before = created;
      within((await index.countByType()).reduce((sum, n) => sum + n), before);
      before = created;
      const { ids } = await index.find({ clause: ALWAYS, sort: "NAME_ASC", offset: 0, limit: 10_000 });
      assertEquals(new Set(ids).size, ids.length, "no run twice");
      within(ids.length, before);
    }
  };
  const work = [pack(a), pack(b), read(b), read(c)];
  await Promise.all(writers.map(write)).finally(() => isOver = true);
  await Promise.all(work);

  const rows = await allRows(a.kv);
  const failed: Clause = { kind: "type", test: (type) => type === "FAILED" };
  for (const { index } of [a, b, c]) {
    assertEquals(await index.count(ALWAYS), rows.length);
    const { ids } = await index.find({ clause: failed, sort: "ID_DESC", offset: 0, limit: 10_000 });
    assertEquals(ids, rows.filter((row) => holds(failed, row)).map(({ id }) => id).sort().reverse());
    assertEquals(index.isSuspect, false);
  }
  for (const kv of new Set(connections)) kv.close();
}
