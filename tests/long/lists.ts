/**
 * What lists of runs cost with very many runs, and tens of thousands of questions compared with brute force.
 *
 *     deno task test:lists [runs]              100,000 runs; 1,000,000 by hand, 0 for none
 *     deno task test:lists [runs] --worlds N   N random worlds with 800 questions each (30)
 *
 * Exit code 1 when something was answered wrong or read too much.
 */
import { writeStdout } from "../../src/runtime/log.ts";
import { buildServices } from "../../src/services/services.ts";
import { CheckedKv } from "../testing/checked_kv.ts";
import { fakeDeps } from "../testing/fake_deps.ts";
import { assertBounds } from "../testing/list_bounds.ts";
import { manyRuns, storeOwners } from "../testing/many_runs.ts";
import { listQuestions } from "../testing/run_list_questions.ts";
import { runIndexWorld } from "../testing/run_index_world.ts";

const say = (line: string) => writeStdout(`${line}\n`);
/** A server with so many runs stays below this, whatever was asked. Told for a million. */
const MOST_RSS_MB = 350;

const args = [...Deno.args];
const seedPath = args[0]?.startsWith("--seed=") ? args.shift()!.slice("--seed=".length) : undefined;
const at = args.indexOf("--worlds");
const worlds = at < 0 ? 30 : Number(args.splice(at, 2)[1]);
const runs = Number(args[0] ?? 100_000);
let passed = 0;
let failed = 0;

async function judge(name: string, check: () => Promise<void>): Promise<void> {
  try {
    await check();
    passed++;
  } catch (error) {
    failed++;
    say(`FAILED ${name}: ${error instanceof Error ? error.message : error}`);
  }
}

async function compareWithBruteForce(): Promise<void> {
  let asked = 0;
  const first = Math.floor(Date.now() / 1000) % 1_000_000 * 100;
  for (let seed = first; seed < first + worlds; seed++) {
    const maxRows = [10, 40, 600][seed % 3]!;
    await judge(`world ${seed}`, async () => {
      using kv = await Deno.openKv(":memory:");
      const world = await runIndexWorld({ kv, seed, rounds: 40, questions: 20, maxRows });
      asked += world.asked;
      if (world.fault) throw new Error(world.fault);
    });
  }
  say(`${asked} questions in ${worlds} worlds from seed ${first}`);
}

async function seedAndBuild(path: string): Promise<void> {
  using kv = await Deno.openKv(path);
  await storeOwners(kv);
  let started = performance.now();
  const took = () => `${((performance.now() - started) / 1000).toFixed(1)} s`;
  for (const commit of manyRuns(runs)) await commit.send(kv);
  say(`${runs} runs stored in ${took()}`);
  started = performance.now();
  await buildServices(fakeDeps({ kv })).runIndex.build();
  say(`index built in ${took()}`);
}

async function askMany(path: string): Promise<void> {
  using kv = new CheckedKv(await Deno.openKv(path));
  const { flowRunList } = buildServices(fakeDeps({ kv }));
  for (const { ask } of listQuestions(runs)) await ask(flowRunList);
  const rss = Math.round(Deno.memoryUsage().rss / 1e6);
  say(`${rss} MB resident after all questions`);
  await judge("resident memory", () => {
    if (rss > MOST_RSS_MB) throw new Error(`${rss} MB, allowed are ${MOST_RSS_MB}`);
    return Promise.resolve();
  });
  const show = (cost: { reads: number; ms: number }) =>
    `${cost.reads} reads ${cost.ms.toFixed(1)} ms`.padEnd(22);
  const bounds = assertBounds(kv, runs, ({ name, cold, warm }) => {
    say(`${name.padEnd(28)} cold ${show(cold)} warm ${show(warm)}`);
  });
  for (const { name, check } of bounds) await judge(name, check);
}

if (seedPath !== undefined) {
  await seedAndBuild(seedPath);
  Deno.exit(0);
}
await compareWithBruteForce();
if (runs > 0) {
  const folder = await Deno.makeTempDir();
  try {
    // In a process of its own, so that the memory of building is not that of asking.
    const seeding = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--allow-all", import.meta.filename!, `--seed=${folder}/kv`, String(runs)],
    });
    if (!(await seeding.spawn().status).success) throw new Error("the runs could not be stored");
    await askMany(`${folder}/kv`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
say(`lists | ${passed} passed | ${failed} failed`);
Deno.exit(failed > 0 ? 1 : 0);
