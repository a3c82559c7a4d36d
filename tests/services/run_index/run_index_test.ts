import { assert, assertEquals } from "@std/assert";
import { INDEX_RULES, type IndexRules } from "../../../src/services/run_index/rules.ts";
import { type IndexWorldOptions, runIndexWorld } from "../../testing/run_index_world.ts";

/** Several worlds; tells how many questions were asked. `deno task test:lists` asks very many more. */
async function askWorlds(kv: Deno.Kv, options: Partial<IndexWorldOptions> = {}): Promise<number> {
  const { fault, asked } = await runIndexWorld({
    kv,
    seed: 1,
    rounds: 30,
    questions: 20,
    maxRows: 10,
    ...options,
  });
  assertEquals(fault, undefined);
  return asked;
}

Deno.test("RunIndex answers as brute force does, whatever writers, packers, crashes and builds do", async () => {
  // The last one once failed: a page that was filled and mostly dead in one step was read before it was stored.
  for (const [seed, maxRows] of [[1, 10], [2, 10], [3, 600], [53_055_700, 40]] as const) {
    using kv = await Deno.openKv(":memory:");
    assertEquals(await askWorlds(kv, { seed, maxRows }), 600);
  }
});

Deno.test("RunIndex answers the same on a file", async () => {
  const path = await Deno.makeTempFile();
  try {
    using kv = await Deno.openKv(path);
    await askWorlds(kv, { seed: 4, rounds: 10 });
  } finally {
    for (const suffix of ["", "-wal", "-shm"]) await Deno.remove(`${path}${suffix}`).catch(() => {});
  }
});

/** Each rule taken away: what it stands for is then answered wrong, or noticed by the index itself. */
const MUTANTS: Record<string, Partial<IndexRules>> = {
  "the cut": { isFolded: () => true },
  "the old row of an ended run": { oldFamilies: () => ["L"] },
  "the tail instead of a row": { tailOverrides: false },
  "the mark of a dead row": { marksDead: false },
  "the check of a remembered page": { isCurrentPage: () => true },
  "the check of a hint": { isCurrentHint: () => true },
};

for (const [name, mutant] of Object.entries(MUTANTS)) {
  Deno.test(`RunIndex without ${name} is found out`, async () => {
    using kv = await Deno.openKv(":memory:");
    const rules = { ...INDEX_RULES, ...mutant };
    const { fault } = await runIndexWorld({ kv, seed: 4, rounds: 60, questions: 20, maxRows: 10, rules });
    assert(fault);
  });
}
