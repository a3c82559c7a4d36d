import { assert, assertEquals } from "@std/assert";
import type { LogListBody } from "../../src/schemas/filter.ts";
import type { LogCreate } from "../../src/schemas/log.ts";
import type { LogLine } from "../../src/schemas/records.ts";
import { World } from "./factories.ts";

const RUN = "00000000-0000-4000-8000-000000000001";
const OTHER = "00000000-0000-4000-8000-000000000002";
const TASK = "00000000-0000-4000-8000-00000000000a";

const line = (timestamp: number, message: string, changes: Partial<LogCreate> = {}): LogCreate => ({
  name: "logger",
  level: 20,
  message,
  timestamp,
  flow_run_id: RUN,
  ...changes,
});

const list = (
  world: World,
  logs: LogListBody["logs"],
  changes: Partial<LogListBody> = {},
): Promise<LogLine[]> =>
  world.services.logs.list({ logs, sort: "TIMESTAMP_ASC", limit: 200, offset: 0, ...changes });

const messages = (lines: LogLine[]) => lines.map(({ message }) => message);
const ofRun = (...any_: string[]) => ({ operator: "and_" as const, flow_run_id: { any_ } });

Deno.test("Logs are listed in order of time, lines of one time as they came", async () => {
  using world = new World();
  await world.services.logs.create([line(3, "d"), line(1, "a"), line(2, "b"), line(2, "c")]);
  await world.services.logs.create([line(2, "c2"), line(0, "first")]);
  assertEquals(messages(await list(world, ofRun(RUN))), ["first", "a", "b", "c", "c2", "d"]);
  const latest = await list(world, ofRun(RUN), { sort: "TIMESTAMP_DESC", limit: 2 });
  assertEquals(messages(latest), ["d", "c2"]);
  assertEquals(messages(await list(world, ofRun(RUN), { limit: 2, offset: 3 })), ["c", "c2"]);
});

Deno.test("Logs keep every field, and large and odd messages as they are", async () => {
  using world = new World({ kv: await Deno.openKv(":memory:") });
  const large = "é\u{1f600}x".repeat(180_000); // above 1 MB
  assert(new TextEncoder().encode(large).length > 1_000_000);
  const odd = `"\\\n\0\u2028\ud800`;
  await world.services.logs.create([
    line(1, "before", { task_run_id: TASK, level: 40, name: "n" }),
    line(2, large),
    line(3, odd),
    line(4, "after"),
  ]);
  const lines = await list(world, ofRun(RUN));
  assertEquals(lines.map(({ message }) => message.length), [6, large.length, odd.length, 5]);
  assert(lines[1]!.message === large && lines[2]!.message === odd);
  const { id, ...first } = lines[0]!;
  assertEquals(first, {
    name: "n",
    level: 40,
    message: "before",
    timestamp: 1,
    flowRunId: RUN,
    taskRunId: TASK,
  });
  assert(/^[0-9a-f-]{36}$/.test(id));
});

Deno.test("Logs take four megabytes in one batch, in order", async () => {
  using world = new World({ kv: await Deno.openKv(":memory:") });
  await world.services.logs.create(
    Array.from({ length: 4_000 }, (_, i) => line(i, `${i} ${"x".repeat(1_000)}`)),
  );
  const lines = await list(world, ofRun(RUN), { limit: 10_000 });
  assertEquals(lines.map(({ message }) => parseInt(message)), Array.from({ length: 4_000 }, (_, i) => i));
});

Deno.test("Logs written by many at once are all there", async () => {
  using world = new World({ kv: await Deno.openKv(":memory:") });
  await Promise.all(
    Array.from(
      { length: 60 },
      (_, i) => world.services.logs.create([line(i, `${i}`), line(i, "x".repeat(60_000))]),
    ),
  );
  assertEquals((await list(world, ofRun(RUN))).length, 120);
});

Deno.test("Logs are filtered by run, task, level and time", async () => {
  using world = new World();
  await world.services.logs.create([
    line(1, "debug", { level: 10 }),
    line(2, "info"),
    line(3, "error", { level: 40, task_run_id: TASK }),
    line(2, "other run", { flow_run_id: OTHER }),
    line(4, "no run", { flow_run_id: null }),
  ]);
  const cases: [LogListBody["logs"], string[]][] = [
    [null, ["debug", "info", "other run", "error", "no run"]],
    [{ operator: "and_" }, ["debug", "info", "other run", "error", "no run"]],
    [ofRun(RUN), ["debug", "info", "error"]],
    [ofRun(RUN, OTHER), ["debug", "info", "other run", "error"]],
    [ofRun(RUN, RUN), ["debug", "info", "error"]],
    [ofRun(), []],
    [{ ...ofRun(RUN), level: { ge_: 20 } }, ["info", "error"]],
    [{ ...ofRun(RUN), level: { le_: 20 } }, ["debug", "info"]],
    [{ ...ofRun(RUN), level: { ge_: null } }, ["debug", "info", "error"]],
    [{ ...ofRun(RUN), timestamp: { after_: 2 } }, ["info", "error"]],
    [{ ...ofRun(RUN), timestamp: { before_: 2 } }, ["debug", "info"]],
    [{ ...ofRun(RUN), timestamp: { after_: 4 } }, []],
    [{ operator: "and_", task_run_id: { any_: [TASK] } }, ["error"]],
    [{ operator: "and_", task_run_id: { is_null_: true } }, ["debug", "info", "other run", "no run"]],
    [{ operator: "or_", flow_run_id: { any_: [OTHER] }, level: { ge_: 40 } }, ["other run", "error"]],
  ];
  const got = await Promise.all(cases.map(async ([filter]) => messages(await list(world, filter))));
  assertEquals(got, cases.map(([, expected]) => expected));
});

Deno.test("Logs.create() of nothing stores nothing", async () => {
  using world = new World();
  await world.services.logs.create([]);
  assertEquals(await list(world, null), []);
});
