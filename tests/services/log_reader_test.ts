/** Pages of logs against brute force, while chunks overlap and are merged; and what a page costs. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { DomainError } from "../../src/errors.ts";
import type { LogFilter, LogListBody } from "../../src/schemas/filter.ts";
import type { LogCreate } from "../../src/schemas/log.ts";
import type { LogLine } from "../../src/schemas/records.ts";
import { mergeLog } from "../../src/services/log_merge.ts";
import { CheckedKv } from "../testing/checked_kv.ts";
import { FakeKv } from "../testing/fake_kv.ts";
import { FakeKvStore } from "../testing/fake_kv_store.ts";
import { SeededRandom } from "../testing/seeded_random.ts";
import { POOL, settle, World } from "./factories.ts";
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

const fieldsOfLine = (line: LogLine) => {
  const { message, timestamp, level, name, flowRunId, taskRunId } = line;
  return [message, timestamp, level, name, flowRunId, taskRunId];
};
const fieldsOfKnown = (
  { message, timestamp, level, name, flow_run_id, task_run_id }: Known,
) => [message, timestamp, level, name, flow_run_id, task_run_id];
const summary = (lines: readonly { message: string }[]) => lines.map(({ message }) => message.slice(0, 12));

const list = (world: World, logs: LogFilter | null, changes: Partial<LogListBody> = {}): Promise<LogLine[]> =>
  world.services.logs.list({ logs, sort: "TIMESTAMP_ASC", limit: 200, offset: 0, ...changes });

Deno.test("LogReader gives the pages that sorting all lines would, before, while and after they are merged", async () => {
  let pages = 0;
  for (let seed = 1; seed <= 10; seed++) {
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
        // Some worlds get each line by itself, so that there are more chunks than one look at the heads shows.
        for (const part of seed % 2 ? named.map((one) => [one]) : [named]) {
          await world.services.logs.create(part);
        }
        known.push(...named.map((one, n) => ({ ...one, order: known.length + n })));
      }
      const merge = random.chance(0.07) ? mergeLog(world.deps, pick(RUNS)) : Promise.resolve();
      for (let page = 0; page < 4; page++) {
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
        const expected = all.slice(offset, offset + limit);
        // Comparing texts is what makes 1,600 pages quick.
        if (JSON.stringify(got.map(fieldsOfLine)) !== JSON.stringify(expected.map(fieldsOfKnown))) {
          assertEquals(summary(got), summary(expected), what);
          assertEquals(got.map(fieldsOfLine), expected.map(fieldsOfKnown), what);
        }
        pages++;
      }
      await merge;
    }
  }
  assertEquals(pages, 1_600);
});

const ofRun = (...any_: string[]) => ({ operator: "and_" as const, flow_run_id: { any_ } });
const messages = (lines: readonly LogLine[]) => lines.map(({ message }) => message);
const numbers = (from: number, count: number) => Array.from({ length: count }, (_, i) => `${from + i}`);

Deno.test("LogReader finds a long chunk among short ones when a bound is at the other end", async () => {
  using world = new World();
  for (let i = 0; i < 60; i++) await world.services.logs.create([line(i * 1e6, `${i}`)]);
  await world.services.logs.create([line(5.5e6, "long"), line(65.5e6, "end")]);
  await world.services.logs.create([line(-10e6, "begin"), line(20.5e6, "gnol")]);
  const after = await list(world, { ...ofRun(RUN), timestamp: { after_: 0 } }, { limit: 12 });
  assertEquals(messages(after), [...numbers(0, 6), "long", ...numbers(6, 5)]);
  const before = { ...ofRun(RUN), timestamp: { before_: 59e6 } };
  const latest = await list(world, before, { limit: 40, sort: "TIMESTAMP_DESC" });
  assertEquals(messages(latest), [...numbers(21, 39).reverse(), "gnol"]);
});

/** A world whose reads of pieces of chunks wait for `meanwhile`, the first `times` times; a rival is on the same KV. */
function interrupted(times: number, kind: string, meanwhile: (rival: World) => Promise<unknown>): World {
  const store = new FakeKvStore();
  const kv = new HookedKv(new FakeKv(store));
  const rival = new World({ kv: new FakeKv(store), seed: 2 });
  kv.beforeRead = async ([read]) => {
    if (read === kind && times-- > 0) await meanwhile(rival);
  };
  return new World({ kv });
}

Deno.test("LogReader gives each line once although chunks are merged between a head and its chunk", async () => {
  for (const sort of ["TIMESTAMP_ASC", "TIMESTAMP_DESC"] as const) {
    let next = 0;
    using world = interrupted(20, "log", async (rival) => {
      // Lines behind those that are looked for make that there is always something to merge.
      await rival.services.logs.create([line(1e9 + next++, "later")]);
      await mergeLog(rival.deps, RUN);
    });
    for (let i = 0; i < 120; i++) await world.services.logs.create([line(i, `${i}`)]);
    const logs = { ...ofRun(RUN), timestamp: { before_: 1_000 } };
    const all = sort === "TIMESTAMP_ASC" ? numbers(0, 120) : numbers(0, 120).reverse();
    assertEquals(messages(await list(world, logs, { sort })), all);
    assertEquals(messages(await list(world, logs, { sort, offset: 30, limit: 50 })), all.slice(30, 80));
  }
});

/** A store in which the run has `count` chunks of a line; no server knows of so many that it would merge them. */
async function unmerged(count: number): Promise<FakeKvStore> {
  const store = new FakeKvStore();
  for (let first = 0; first < count; first += 400) {
    using world = new World({ kv: new FakeKv(store), seed: 1_000 + first });
    for (let i = first; i < Math.min(first + 400, count); i++) {
      await world.services.logs.create([line(i, `${i}`)]);
    }
  }
  return store;
}

Deno.test("LogReader gives each line once although a merge comes between two batches of heads", async () => {
  const store = await unmerged(1_100);
  using world = new World({ kv: new FakeKv(store) });
  let lists = 0;
  const kv = new HookedKv(new FakeKv(store));
  // The first two are looks at a beginning of the log.
  kv.beforeRead = async ([read]) => {
    if (read === "log_head" && ++lists === 4) await mergeLog(world.deps, RUN);
  };
  using reader = new World({ kv, seed: 2 });
  assertEquals(messages(await list(reader, ofRun(RUN), { offset: 1_000 })), numbers(1_000, 100));
  assert(lists > 4, `${lists} lists`);
});

Deno.test("Logs.download() goes on where it was when chunks are merged or deleted under it", async () => {
  using world = new World();
  const { view: { run } } = await world.services.flowRuns.create({
    flow_id: await world.flow(),
    parameters: "{}",
    context: "{}",
    tags: [],
  });
  for (let i = 0; i < 300; i++) {
    await world.services.logs.create([line(i, `${i} ${"x".repeat(5_000)}`, { flow_run_id: run.id })]);
  }
  const got: number[] = [];
  const { lines } = await world.services.logs.download(run.id);
  for await (const batch of lines) {
    got.push(...batch.map(({ message }) => parseInt(message)));
    if (got.length === 10 || got.length > 200) await mergeLog(world.deps, run.id);
  }
  assertEquals(got, Array.from({ length: 300 }, (_, i) => i));
  const again = await world.services.logs.download(run.id);
  await again.lines.next();
  await world.services.logs.deleteOf(run.id);
  await Array.fromAsync(again.lines);
});

Deno.test("a merge under way does not bring back the log of a run that is deleted", async () => {
  const store = new FakeKvStore();
  using rival = new World({ kv: new FakeKv(store), seed: 2 });
  for (let i = 0; i < 50; i++) await rival.services.logs.create([line(i, `${i}`)]);
  const kv = new HookedKv(new FakeKv(store));
  using world = new World({ kv });
  kv.onCommit = async ({ send }) => {
    await rival.services.logs.deleteOf(RUN);
    return await send();
  };
  await mergeLog(world.deps, RUN);
  for (const kind of ["log", "log_head", "log_tail"]) {
    assertEquals(await Array.fromAsync(rival.kv.list({ prefix: [kind] })), [], kind);
  }
});

Deno.test("a merge leaves few chunks, all lines, and nothing else, and is done by itself after 500 chunks", async () => {
  using world = new World();
  for (let i = 0; i < 501; i++) await world.services.logs.create([line(i * 1e6, `${i}`)]);
  await world.services.logs.merged;
  const count = async (kind: string) => (await Array.fromAsync(world.kv.list({ prefix: [kind] }))).length;
  assertEquals([await count("log"), await count("log_head"), await count("log_tail")], [1, 1, 1]);
  assertEquals(messages(await list(world, ofRun(RUN), { offset: 400 })), numbers(400, 101));
});

Deno.test("the chunks of a run are merged a while after it has ended", async () => {
  using world = new World();
  await world.pool();
  const run = await world.run();
  for (let i = 0; i < 5; i++) await world.services.logs.create([line(i, `${i}`, { flow_run_id: run })]);
  const token =
    (await world.claim(world.services.gates.of((await world.services.workPools.require(POOL)).id)))[0]!
      .token!;
  for (const type of ["RUNNING", "COMPLETED"] as const) await world.propose(run, type, { token });
  await world.services.logs.create([line(6, "late", { flow_run_id: run })]);
  const chunks = async () => (await Array.fromAsync(world.kv.list({ prefix: ["log_head", run] }))).length;
  await settle();
  assertEquals(await chunks(), 6);
  await world.deps.advance(5_000);
  await world.services.logs.merged;
  assertEquals(await chunks(), 1);
});

Deno.test("a log of many chunks that nobody merged is merged once it was read", async () => {
  const store = await unmerged(600);
  using world = new World({ kv: new FakeKv(store) });
  await list(world, ofRun(RUN), { offset: 550 });
  await world.services.logs.merged;
  assertEquals((await Array.fromAsync(world.kv.list({ prefix: ["log_head"] }))).length, 1);
});

/** A run with `chunks` full chunks, each of which spans a second, on a KV that counts. */
async function longRun(chunks: number): Promise<{ world: World; kv: CheckedKv; lines: number }> {
  const kv = new CheckedKv(await Deno.openKv(":memory:"));
  const world = new World({ kv });
  const message = "x".repeat(1_900);
  for (let i = 0; i < chunks; i++) {
    const of = Array.from({ length: 100 }, (_, n) => line(i * 1e6 + n * 10, `${i * 100 + n} ${message}`));
    await world.services.logs.create(of);
  }
  await world.services.logs.merged; // its reads would be counted
  return { world, kv, lines: chunks * 100 };
}

Deno.test("a page of a long log costs a few reads, wherever it is", async () => {
  const { world, kv, lines } = await longRun(600);
  using _ = world;
  const reads = async (logs: LogFilter, changes: Partial<LogListBody>, first: number | undefined) => {
    kv.cost.reset();
    const page = await list(world, logs, changes);
    assertEquals(page[0] && parseInt(page[0].message), first);
    return kv.cost.reads;
  };
  const run = ofRun(RUN);
  const sort = "TIMESTAMP_DESC";
  // Two chunks are in memory when the text is looked for. Afterwards the last one is: while it is not, following
  // costs one read more.
  const last = { ...run, timestamp: { after_: 599e6 + 990 } };
  const costs = {
    head: await reads(run, { limit: 200 }, 0),
    tail: await reads(run, { sort, limit: 200 }, lines - 1),
    middle: await reads(run, { offset: 30_000 }, 30_000),
    middleBackwards: await reads(run, { offset: 30_000, sort }, lines - 30_001),
    again: await reads(run, { offset: 30_000 }, 30_000),
    beyond: await reads(run, { offset: lines }, undefined),
    text: await reads({ ...run, text: { query: "absent" } }, {}, undefined),
    errors: await reads({ ...run, level: { ge_: 40 } }, {}, undefined),
    follow: await reads(last, { offset: 1 }, undefined),
    followAgain: await reads(last, { offset: 1 }, undefined),
    nothing: await reads(ofRun(), {}, undefined),
  };
  assertEquals(costs, {
    head: 3,
    tail: 3,
    middle: 4,
    middleBackwards: 4,
    again: 2,
    beyond: 2,
    text: 600,
    errors: 2,
    follow: 1,
    followAgain: 1,
    nothing: 0,
  });
  assertEquals(kv.violations, []);
});

Deno.test("a run with 10,000 batches of lines is as quick to list as another", async () => {
  const kv = new CheckedKv(await Deno.openKv(":memory:"));
  using world = new World({ kv });
  for (let i = 0; i < 10_000; i += 100) {
    await Promise.all(
      Array.from({ length: 100 }, (_, n) => world.services.logs.create([line(i + n, `${i + n}`)])),
    );
  }
  await world.services.logs.merged;
  const chunks = (await Array.fromAsync(kv.list({ prefix: ["log_head"] }))).length;
  assert(chunks <= 510, `${chunks} chunks`);
  kv.cost.reset();
  assertEquals(messages(await list(world, ofRun(RUN), { offset: 9_000 })), numbers(9_000, 200));
  assert(kv.cost.reads <= 40, `${kv.cost.reads} reads`);
  assertEquals(kv.violations, []);
});

Deno.test("logs without a run named are refused when there is too much to look at", async () => {
  using world = new World();
  const message = "x".repeat(900_000);
  for (let run = 0; run < 230; run++) {
    await world.services.logs.create([line(run, message, { flow_run_id: id(run) })]);
  }
  assertEquals((await list(world, null, { limit: 10 })).length, 10);
  const find = (query: string) => ({ operator: "and_" as const, text: { query } });
  await assertRejects(() => list(world, find("y")), DomainError, "Name a run in logs.flow_run_id.any_");
  assertEquals(await list(world, { ...find("y"), timestamp: { before_: 10 } }), []);
  assertEquals(await list(world, { ...find("y"), ...ofRun(id(7)) }), []);
});
