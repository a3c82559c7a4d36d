import { assert } from "@std/assert";
import { pagesKey } from "../../src/kv/keys.ts";
import { get } from "../../src/kv/read.ts";
import { buildServices } from "../../src/services/services.ts";
import type { CheckedKv } from "./checked_kv.ts";
import { fakeDeps } from "./fake_deps.ts";
import { listQuestions } from "./run_list_questions.ts";

/** What was measured of one question. */
export interface Measured {
  name: string;
  cold: { reads: number; ms: number };
  warm: { reads: number; ms: number };
}

/**
 * Each question, asked of a server that knows nothing and of one that was asked before, with the reads that docs/lists.md
 * allows. The runs that are shown are loaded: record and description, pools and queues.
 */
export function assertBounds(
  kv: CheckedKv,
  count: number,
  report: (measured: Measured) => void = () => {},
): { name: string; check: () => Promise<void> }[] {
  const warm = buildServices(fakeDeps({ kv })).flowRunList;
  return listQuestions(count).map(({ name, ask, limit, isFirstPage }) => ({
    name,
    async check() {
      const { value: cursor } = await get(kv, pagesKey());
      const shown = 2 * Math.ceil(limit / 10) + (limit > 0 ? 3 : 0);
      // Pools and flows of a filter are small collections, read before anything else.
      const scope = 2;
      const cold = await cost(kv, () => ask(buildServices(fakeDeps({ kv })).flowRunList));
      const pages = cursor!.nextNo;
      const most = isFirstPage ? 25 + shown : 10 + pages / 40 + 35 + shown + scope;
      assert(cold.reads <= most, `${name}: ${cold.reads} reads cold, allowed are ${most}`);
      await ask(warm);
      const again = await cost(kv, () => ask(warm));
      assert(again.reads <= 2 + shown + scope, `${name}: ${again.reads} reads warm`);
      report({ name, cold, warm: again });
    },
  }));
}

async function cost(kv: CheckedKv, ask: () => Promise<unknown>): Promise<{ reads: number; ms: number }> {
  kv.cost.reset();
  const started = performance.now();
  await ask();
  return { reads: kv.cost.reads, ms: performance.now() - started };
}
