/** Whoever needs a slot gets it at the gate or is refused there, `force` included (docs/gate.md, H17). */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { StateType } from "../../src/schemas/records.ts";
import { POOL, World } from "./factories.ts";

type Options = Parameters<World["pool"]>[0];

/** What blocks queue `q`, and what the refusal says. A run is held in `q` where there is room for one. */
const BLOCKED: [Options, says: string, holds: boolean][] = [
  [{ concurrency_limit: 1 }, "Work pool 'pool' is full: 1 of 1 slots are taken. Held by holder.", true],
  [{ concurrency_limit: 0 }, "Work pool 'pool' is full: 0 of 0 slots are taken.", false],
  [{ is_paused: true }, "Work pool 'pool' is paused.", false],
  [
    { queues: { q: { concurrency_limit: 1 } } },
    "Work queue 'q' of work pool 'pool' is full: 1 of 1 slots are taken. Held by holder.",
    true,
  ],
  [
    { queues: { q: { concurrency_limit: 0 } } },
    "Work queue 'q' of work pool 'pool' is full: 0 of 0 slots are taken.",
    false,
  ],
  [{ queues: { q: { is_paused: true } } }, "Work queue 'q' of work pool 'pool' is paused.", false],
];

/** Each way to a state that needs a slot from one that has none. */
const WAYS: { from: "waiting" | "ended" | "suspended"; to: StateType; force: boolean }[] = [
  { from: "waiting", to: "PENDING", force: false },
  { from: "waiting", to: "PENDING", force: true },
  { from: "waiting", to: "RUNNING", force: false },
  { from: "waiting", to: "RUNNING", force: true },
  { from: "ended", to: "RUNNING", force: false },
  { from: "ended", to: "RUNNING", force: true },
  { from: "suspended", to: "RUNNING", force: false },
  { from: "suspended", to: "PENDING", force: true },
];

async function drive(world: World, run: string, from: typeof WAYS[number]["from"]): Promise<void> {
  if (from === "ended") await world.propose(run, "FAILED");
  if (from === "suspended") {
    await world.propose(run, "PAUSED", { force: true, details: { pause_reschedule: true } });
  }
}

Deno.test("set_state without room is aborted, names limit and holders, and leaves the run as it is", async () => {
  for (const [options, says, holds] of BLOCKED) {
    for (const { from, to, force } of WAYS) {
      using world = new World();
      await world.pool({ ...options, queues: { q: {}, ...options?.queues } });
      if (holds) await world.propose(await world.run({ queue: "q", name: "holder" }), "PENDING");
      const run = await world.run({ queue: "q", deployment_id: await world.deployment() });
      await drive(world, run, from);
      const before = await world.record(run);
      const { answer, isWritten } = await world.propose(run, to, { force });
      const about = `${from} → ${to}, force ${force}: ${says}`;
      assertEquals([answer.status, answer.reason, isWritten], ["ABORT", says, false], about);
      assertEquals(await world.record(run), before, about);
      assertEquals(await world.faults(), [], about);
    }
  }
});

Deno.test("set_state with room takes the slot, every way", async () => {
  for (const { from, to, force } of WAYS) {
    using world = new World();
    const { id } = await world.pool({ concurrency_limit: 1, queues: { q: { concurrency_limit: 1 } } });
    const run = await world.run({ queue: "q", deployment_id: await world.deployment() });
    await drive(world, run, from);
    assertEquals((await world.propose(run, to, { force })).answer.status, "ACCEPT");
    assertEquals((await world.services.gates.read(id))?.occ, 1);
    assertEquals(await world.faults(), []);
  }
});

Deno.test("set_state refuses with three of the holders by name, and how many more there are", async () => {
  using world = new World();
  await world.pool({ concurrency_limit: 5 });
  for (const name of ["a", "b", "c", "d", "e"]) await world.propose(await world.run({ name }), "RUNNING");
  const { answer } = await world.propose(await world.run(), "RUNNING");
  assertStringIncludes(answer.reason ?? "", "5 of 5 slots are taken. Held by a, b, c and 2 more.");
});

Deno.test("set_state by twenty third parties at once gives no more slots than there are", async () => {
  using world = new World();
  const { id } = await world.pool({ concurrency_limit: 7, queues: { q: { concurrency_limit: 3 } } });
  const runs = [...await world.runs(10), ...await world.runs(10, { queue: "q" })];
  const answers = await Promise.all(runs.flatMap((run) => [
    world.propose(run, "PENDING"),
    world.propose(run, "PENDING"),
  ]));
  assertEquals(answers.filter(({ answer }) => answer.status === "ACCEPT").length, 7);
  const gate = await world.services.gates.read(id);
  assertEquals(gate?.occ, 7);
  assert((gate?.q[3] ?? 0) <= 3);
  assertEquals(await world.faults(), []);
});

Deno.test("a lowered limit counts what runs: nothing starts until enough has ended", async () => {
  using world = new World();
  await world.pool({ concurrency_limit: 3 });
  const held = await world.runs(3);
  for (const run of held) await world.propose(run, "RUNNING");
  const next = await world.run();
  await world.services.workPools.update(POOL, { concurrency_limit: 1 });
  for (const [i, run] of held.entries()) {
    assertEquals((await world.propose(next, "PENDING")).answer.status, "ABORT", `${3 - i} run`);
    await world.propose(run, "COMPLETED");
  }
  assertEquals((await world.propose(next, "PENDING")).answer.status, "ACCEPT");
});

Deno.test("set_state of a run without pool takes no slot and knows no limit", async () => {
  using world = new World();
  await world.pool({ concurrency_limit: 0 });
  const { view } = await world.services.flowRuns.create({
    flow_id: await world.flow(),
    parameters: "{}",
    context: "{}",
    tags: [],
  });
  assertEquals([view.run.state.type, view.run.pool], ["PENDING", null]);
  for (const type of ["RUNNING", "PAUSED", "RUNNING", "COMPLETED"] as const) {
    assertEquals((await world.propose(view.run.id, type)).answer.status, "ACCEPT", type);
  }
  assertEquals((await world.record(view.run.id)).runCount, 1, "resumed, not run twice");
  assertEquals(await world.faults(), []);
});

Deno.test("set_state of a run without pool is not stopped by the claim token of the process that speaks", async () => {
  using world = new World();
  await world.pool();
  const parent = await world.run();
  const [granted] = await world.claim(world.services.gates.of((await world.record(parent)).pool!));
  const token = granted!.token!;
  // The engine makes its subflows' runs itself; all it says goes through the URL that has the parent's token in it.
  const { view } = await world.services.flowRuns.create({
    flow_id: await world.flow(),
    parameters: "{}",
    context: "{}",
    tags: [],
  });
  for (const type of ["RUNNING", "COMPLETED"] as const) {
    assertEquals((await world.propose(view.run.id, type, { token })).answer.status, "ACCEPT");
  }
});

Deno.test("set_state of twenty writers on a run without pool is decided one after the other", async () => {
  using world = new World();
  await world.pool();
  const { view } = await world.services.flowRuns.create({
    flow_id: await world.flow(),
    parameters: "{}",
    context: "{}",
    tags: [],
  });
  await world.propose(view.run.id, "RUNNING");
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => world.propose(view.run.id, "COMPLETED")),
  );
  assertEquals(answers.filter(({ isWritten }) => isWritten).length, 1);
});

Deno.test("set_state of an ended run whose pool was deleted still knows that it ended", async () => {
  using world = new World();
  await world.pool();
  const run = await world.run({ deployment_id: await world.deployment() });
  await world.propose(run, "FAILED");
  await world.services.removals.pool(POOL, { cascade: "cancel" });
  assertEquals((await world.propose(run, "PENDING")).answer.status, "ABORT");
  const { answer, run: scheduled } = await world.propose(run, "SCHEDULED");
  assertEquals([answer.status, scheduled.pool], ["ACCEPT", null]);
  assertEquals(await world.faults(), []);
});

Deno.test("set_state does not schedule an ended run into a queue that is being deleted", async () => {
  using world = new World();
  const { id } = await world.pool({ queues: { q: {} } });
  const run = await world.run({ queue: "q", deployment_id: await world.deployment() });
  await world.propose(run, "FAILED");
  await world.services.workQueues.delete(POOL, "q");
  assertEquals((await world.propose(run, "SCHEDULED")).answer.status, "ABORT");
  assertEquals((await world.propose(run, "RUNNING")).answer.status, "ABORT");
  assertEquals((await world.services.gates.read(id))?.occ, 0);
  assertEquals(await world.faults(), []);
});
