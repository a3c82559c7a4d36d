/** Pages of logs against brute force, while chunks overlap and are merged; and what a page costs. */
import { assert, assertEquals } from "@std/assert";
import type { LogFilter, LogListBody } from "../../src/schemas/filter.ts";
import type { LogCreate } from "../../src/schemas/log.ts";
import type { LogLine } from "../../src/schemas/records.ts";
import { mergeLog } from "../../src/services/log_merge.ts";
import { CheckedKv } from "../testing/checked_kv.ts";
import { SeededRandom } from "../testing/seeded_random.ts";
import { World } from "./factories.ts";
import { HookedKv } from "./hooked_kv.ts";

const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
const RUN = id(1);
const RUNS = [RUN, id(2), id(3)];
const TASKS = [id(11), id(12)];
const WORDS = ["Alpha", "beta", "gamma ray", "日本", "\0", "\ud800"];

const line = (timestamp: number, message: string, changes: Partial<LogCreate> = {}): LogCreate => ({
  name: "logger",
  level: 20,
  message,
  timestamp,
  flow_run_id: RUN,
  ...changes,
});

/** A stored line as far as a test can know it: by its message, which is unique. */
interface Known extends LogCreate {
  order: number;
}

type Pick = <T>(from: readonly T[]) => T;

/** Lines of several writers, whose times overlap and often tie; the batches come in any order. */
function randomBatch(random: SeededRandom, pick: Pick, count: number): LogCreate[] {
  const start = random.int(300) * 1e6;
  const spread = pick([0, 5, 1e6, 100e6]);
  return Array.from({ length: 1 + random.int(30) }, (_, i) => ({
    name: pick(["logger", "other"]),
    level: pick([10, 20, 20, 40]),
    message: `${count + i}|${pick(WORDS)} ${"x".repeat(random.int(pick([20, 20, 20_000])))}`,
    timestamp: start + random.int(spread + 1),
    flow_run_id: pick([...RUNS, RUN, RUN, null]),
    task_run_id: pick([...TASKS, null]),
  }));
}

function randomFilter(random: SeededRandom, pick: Pick): LogFilter | null {
  const maybe = <T>(value: () => T): T | undefined => random.chance(0.3) ? value() : undefined;
  const time = () => random.int(400) * 1e6;
  return pick([
    () => null,
    () => ({ operator: "and_" as const, flow_run_id: { any_: [RUN] } }),
    () => ({
      operator: pick(["and_", "and_", "and_", "or_"] as const),
      flow_run_id: pick([undefined, { any_: [RUN] }, { any_: [RUN] }, { any_: RUNS }, { any_: [] }]),
      level: maybe(() => ({ ge_: pick([10, 20, 40]), le_: pick([null, 20]) })),
      timestamp: maybe(() => ({ after_: pick([time(), null]), before_: pick([time(), null]) })),
      task_run_id: maybe(() => pick([{ any_: TASKS }, { is_null_: true }, { any_: [TASKS[0]!] }])),
      text: maybe(() => ({
        query: pick(["ALPHA", "beta gamma", "-alpha", "+日本", '"gamma ray" -other', ""]),
      })),
    }),
  ])();
}

/** What the filter means, told a second time. */
function matches(filter: LogFilter | null, known: Known): boolean {
  if (!filter) return true;
  const results: boolean[] = [];
  const { level, timestamp, flow_run_id: run, task_run_id: task, text } = filter;
  if (level) results.push(known.level >= (level.ge_ ?? 0) && known.level <= (level.le_ ?? 99));
  if (timestamp) {
    const { after_, before_ } = timestamp;
    results.push(known.timestamp >= (after_ ?? 0) && known.timestamp <= (before_ ?? Infinity));
  }
  if (run) results.push(run.any_!.includes(known.flow_run_id ?? ""));
  if (task?.any_) results.push(task.any_.includes(known.task_run_id ?? ""));
  if (task?.is_null_) results.push(known.task_run_id === null);
  if (text) results.push(hasText(text.query, known));
  if (results.length === 0) return true;
  return filter.operator === "or_" ? results.some(Boolean) : results.every(Boolean);
}

function hasText(query: string, { message, name }: Known): boolean {
  const has = (word: string) => message.toLowerCase().includes(word) || name.includes(word);
  switch (query) {
    case "ALPHA":
      return has("alpha");
    case "beta gamma":
      return has("beta") || has("gamma");
    case "-alpha":
      return !has("alpha");
    case "+日本":
      return has("日本");
    case '"gamma ray" -other':
      return has("gamma ray") && !has("other");
    default:
      return true;
  }
}

const summary = (lines: readonly { message: string }[]) => lines.map(({ message }) => message.slice(0, 12));

const list = (world: World, logs: LogFilter | null, changes: Partial<LogListBody> = {}): Promise<LogLine[]> =>
  world.services.logs.list({ logs, sort: "TIMESTAMP_ASC", limit: 200, offset: 0, ...changes });

Deno.test("LogReader gives the pages that sorting all lines would, before, while and after they are merged", async () => {
  let pages = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const random = new SeededRandom(seed);
    const pick: Pick = (from) => from[random.int(from.length)]!;
    using world = new World({ seed });
    const known: Known[] = [];
    for (let step = 0; step < 40; step++) {
      const batches = Array.from(
        { length: pick([0, 1, 3]) },
        () => randomBatch(random, pick, known.length + 1000 * step),
      );
      for (const [i, batch] of batches.entries()) {
        const named = batch.map((one, n) => ({ ...one, message: `${step}.${i}.${n} ${one.message}` }));
        await world.services.logs.create(named);
        known.push(...named.map((one, n) => ({ ...one, order: known.length + n })));
      }
      const merge = random.chance(0.3) ? mergeLog(world.deps, pick(RUNS)) : Promise.resolve();
      const filter = randomFilter(random, pick);
      const isDescending = random.chance(0.5);
      const all = known.filter((one) => matches(filter, one))
        .sort((a, b) => a.timestamp - b.timestamp || a.order - b.order);
      if (isDescending) all.reverse();
      const offset = random.int(pick([1, all.length + 3]));
      const limit = pick([0, 1, 7, 200]);
      const sort = isDescending ? "TIMESTAMP_DESC" as const : "TIMESTAMP_ASC" as const;
      const got = await list(world, filter, { sort, offset, limit });
      const what = JSON.stringify({ seed, step, filter, offset, limit, isDescending });
      assertEquals(summary(got), summary(all.slice(offset, offset + limit)), what);
      for (const [i, found] of got.entries()) {
        const { message, timestamp, level, name, flow_run_id, task_run_id } = all[offset + i]!;
        assertEquals([
          found.message,
          found.timestamp,
          found.level,
          found.name,
          found.flowRunId,
          found.taskRunId,
        ], [
          message,
          timestamp,
          level,
          name,
          flow_run_id,
          task_run_id,
        ], what);
      }
      await merge;
      pages++;
    }
  }
  assertEquals(pages, 1_600);
});
