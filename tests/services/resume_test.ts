import { assert, assertEquals, assertRejects } from "@std/assert";
import { DomainError } from "../../src/errors.ts";
import type { RunRecord, StateDetails } from "../../src/schemas/records.ts";
import { World } from "./factories.ts";
import { HookedKv, writes } from "./hooked_kv.ts";

const KEYS = { schema: "q-schema", response: "q-response" };
const SCHEMA = JSON.stringify({ type: "object", required: ["n"], properties: { n: { type: "integer" } } });

/** A run of a deployment that an agent holds and that is paused. */
async function paused(world: World, details: StateDetails = {}): Promise<RunRecord> {
  const { keeper } = await world.pool();
  const deployment = await world.deployment();
  await world.services.flowRuns.createFromDeployment(deployment, {
    parameters: "{}",
    context: "{}",
    tags: [],
  });
  const [held] = await world.claim(keeper);
  const token = held!.token!;
  await world.propose(held!.id, "RUNNING", { token });
  await world.propose(held!.id, "PAUSED", { token, details });
  return await world.record(held!.id);
}

const resume = (world: World, run: string, input: unknown = null) =>
  world.services.resume.resume(run, input === null ? null : JSON.stringify(input));

const valueOf = (world: World, run: string, key: string) => world.services.flowRunInputs.find(run, key);

Deno.test("Resume lets a run that an agent holds run on under it, though it has no token", async () => {
  using world = new World();
  const before = await paused(world);
  const { answer, isWritten, run } = await resume(world, before.id);
  assertEquals([answer.status, isWritten, run?.state.type], ["ACCEPT", true, "RUNNING"]);
  const after = await world.record(before.id);
  assertEquals([after.session, after.token, after.attempt], [before.session, before.token, 1]);
  assertEquals([after.runCount, after.resuming], [1, false], "it is the same attempt that goes on");
  assertEquals(await world.faults(), []);
  assertEquals(
    (await world.propose(before.id, "COMPLETED", { token: before.token! })).answer.status,
    "ACCEPT",
  );
});

Deno.test("Resume is the only way without a token: a plain proposal of RUNNING stays refused", async () => {
  using world = new World();
  const { id } = await paused(world);
  assertEquals((await world.propose(id, "RUNNING")).answer.status, "ABORT");
  assertEquals((await world.record(id)).state.type, "PAUSED");
});

Deno.test("Resume schedules a suspended run now, as the same run that goes on", async () => {
  using world = new World();
  const { id } = await paused(world, { pause_reschedule: true });
  assertEquals((await world.record(id)).session, null);
  await world.deps.advance(5_000);
  const { answer, run } = await resume(world, id);
  assertEquals([answer.status, run?.state.name, run?.nextStart], ["ACCEPT", "Resuming", world.now]);
  assertEquals(await world.faults(), []);
  const keeper = world.services.gates.of(run!.pool!);
  const [again] = await world.claim(keeper);
  await world.propose(id, "RUNNING", { token: again!.token! });
  assertEquals((await world.record(id)).runCount, 1);
});

Deno.test("Resume aborts when the run is not paused, and tells when there is none", async () => {
  using world = new World();
  await world.pool();
  const id = await world.run();
  assertEquals(await resume(world, id), {
    answer: { status: "ABORT", reason: "Cannot resume a flow run that is not paused." },
    run: null,
    stateData: null,
    isWritten: false,
  });
  await assertRejects(() => resume(world, crypto.randomUUID()), DomainError, "Flow run not found");
});

Deno.test("Resume fails a run whose pause is over", async () => {
  using world = new World();
  const { id } = await paused(world, { pause_timeout: world.now + 1_000_000 });
  await world.deps.advance(2_000);
  const { answer, run, isWritten } = await resume(world, id);
  assertEquals([answer.status, run?.state.type, isWritten], ["REJECT", "FAILED", true]);
  assertEquals(await world.faults(), []);
});

Deno.test("Resume checks the input against the run's schema, and stores it where the run looks for it", async () => {
  using world = new World();
  const { id } = await paused(world, { run_input_keyset: KEYS });
  const missing = await resume(world, id, { n: 1 });
  assertEquals([missing.answer.status, missing.run?.state.type], ["REJECT", "PAUSED"]);
  await world.services.flowRunInputs.create(id, { key: KEYS.schema, value: SCHEMA });
  for (const input of [null, {}, { n: "x" }]) {
    const { answer, isWritten } = await resume(world, id, input);
    assertEquals([answer.status, isWritten], ["REJECT", false], JSON.stringify(input));
    assert(answer.reason?.includes(input && "n" in input ? "n: " : '"n"'), answer.reason ?? "");
  }
  assertEquals(await valueOf(world, id, KEYS.response), undefined);
  assertEquals((await resume(world, id, { n: 1 })).answer.status, "ACCEPT");
  assertEquals(await valueOf(world, id, KEYS.response), '{"n":1}');
});

Deno.test("Resume says so when the schema is none", async () => {
  using world = new World();
  const { id } = await paused(world, { run_input_keyset: KEYS });
  for (const value of ["no json", "5", '{"$ref":"#"}']) {
    await world.services.flowRunInputs.create(id, { key: KEYS.schema, value });
    assertEquals((await resume(world, id)).answer.status, "REJECT", value);
    await world.services.flowRunInputs.delete(id, KEYS.schema);
  }
});

Deno.test("Resume stores a large input with the state or not at all", async () => {
  using world = new World();
  const { id } = await paused(world, { run_input_keyset: { response: KEYS.response } });
  const large = { text: "x".repeat(300_000) };
  await world.services.flowRunInputs.create(id, {
    key: KEYS.response,
    value: JSON.stringify({ text: "y".repeat(200_000) }),
  });
  await resume(world, id, large);
  assertEquals(JSON.parse(await valueOf(world, id, KEYS.response) ?? ""), large);
  const chunks = await Array.fromAsync(world.kv.list({ prefix: ["chunk"] }));
  assertEquals(chunks.length, 6, "the older value's pieces are gone");
  assertEquals(await Array.fromAsync(world.kv.list({ prefix: ["ahead"] })), []);
});

Deno.test("Resume does not start a run anew that was cancelled just before", async () => {
  const kv = new HookedKv(await Deno.openKv(":memory:"));
  using world = new World({ kv });
  const { id } = await paused(world, { run_input_keyset: { response: KEYS.response } });
  let isFirst = true;
  kv.onCommit = async (commit) => {
    if (isFirst && writes(commit, "chunk")) { // the input, stored ahead of the proposal
      isFirst = false;
      await world.propose(id, "CANCELLED", { force: true });
    }
    return await commit.send();
  };
  const { answer, run } = await resume(world, id, { text: "x".repeat(100_000) });
  assertEquals([answer.status, run], ["ABORT", null]);
  assertEquals((await world.record(id)).state.type, "CANCELLED");
  assertEquals(await valueOf(world, id, KEYS.response), undefined);
  for (const prefix of ["chunk", "ahead"]) {
    assertEquals(await Array.fromAsync(kv.list({ prefix: [prefix] })), []);
  }
});

Deno.test("Resume of one pause by several ends it once", async () => {
  using world = new World({ kv: await Deno.openKv(":memory:") });
  const { id } = await paused(world, { run_input_keyset: { response: KEYS.response } });
  const answers = await Promise.all([1, 2, 3, 4].map((n) => resume(world, id, { n })));
  assertEquals(answers.filter(({ isWritten }) => isWritten).length, 1);
  const winner = answers.findIndex(({ isWritten }) => isWritten) + 1;
  assertEquals(await valueOf(world, id, KEYS.response), `{"n":${winner}}`);
});
