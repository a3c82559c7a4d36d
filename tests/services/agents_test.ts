import { assert, assertEquals, assertRejects } from "@std/assert";
import { DomainError } from "../../src/errors.ts";
import type { HeartbeatBody } from "../../src/schemas/agent.ts";
import type { SessionRecord } from "../../src/schemas/records.ts";
import { NEVER, POOL, settle, World } from "./factories.ts";
import { writes } from "./hooked_kv.ts";
import { hookedWorld } from "./hooked_world.ts";

/** An agent of the pool that holds `count` runs. */
async function holding(world: World, count: number) {
  const pool = await world.pool();
  const agent = await world.agent();
  const runs = await world.runs(count);
  const granted = count === 0 ? [] : await world.claim(pool.keeper, count, agent.session);
  const tokens = new Map(granted.map(({ id, token }) => [id, token!]));
  return { pool, agent, runs, tokens, listed: granted.map(({ id, token }) => ({ id, token: token! })) };
}

const beat = (
  world: World,
  agent: { id: string; session: string },
  body: Partial<HeartbeatBody> = {},
  signal = NEVER,
) =>
  world.services.agents.heartbeat(
    agent.id,
    { sessions: [agent.session], runs: [], wait: 0, ...body },
    signal,
  );

const claimBody = (session: string, changes = {}) => ({
  session,
  claim_id: crypto.randomUUID(),
  queues: [],
  prefixes: [],
  n: 10,
  prefetch: 0,
  wait: 0,
  ...changes,
});

Deno.test("Agents.open() gives a fresh session for each pool", async () => {
  using world = new World();
  await world.pool({ name: "a" });
  await world.pool({ name: "b" });
  const open = (pools: string[]) =>
    world.services.agents.open({
      name: "n",
      host: "h",
      version: "1",
      pools,
      queues: [],
      prefixes: [],
      limit: 3,
    });
  const one = await open(["a", "b", "a"]);
  const two = await open(["a"]);
  assertEquals(one.sessions.map(({ poolName }) => poolName), ["a", "b"]);
  const ids = [...one.sessions, ...two.sessions].map(({ id }) => id);
  assertEquals(new Set([...ids, one.agent.id, two.agent.id]).size, 5);
  assertEquals([one.agent.limit, two.agent.limit], [3, 3]);
  await assertRejects(() => open(["a", "nowhere"]), DomainError, `"nowhere" not found`);
});

Deno.test("Agents.heartbeat() renews the sessions, and says how they are", async () => {
  using world = new World();
  const { agent } = await holding(world, 0);
  const pool = await world.services.workPools.require(POOL);
  const key = ["session", pool.id, agent.session];
  await world.kv.set(["sweep"], 7);
  await world.deps.advance(1_000);
  const { sessions } = await beat(world, agent);
  assertEquals(sessions, [{ id: agent.session, state: "live" }]);
  const record = (await world.kv.get<SessionRecord>(key)).value!;
  assertEquals([record.round, record.seen], [7, world.now]);
  await world.kv.set(key, { ...record, state: "draining" });
  assertEquals((await beat(world, agent)).sessions, [{ id: agent.session, state: "draining" }]);
  await world.kv.set(key, { ...record, state: "ended" });
  assertEquals((await beat(world, agent)).sessions, [{ id: agent.session, state: "ended" }]);
  assertEquals((await world.kv.get<SessionRecord>(key)).value?.round, 7, "ended is final");
  const stranger = { id: crypto.randomUUID(), session: agent.session };
  assertEquals((await assertRejects(() => beat(world, stranger), DomainError)).code, "not_found");
});

Deno.test("Agents.heartbeat() of many at once renews all", async () => {
  using world = new World({ kv: await Deno.openKv(":memory:") });
  await world.pool();
  const agents = await Promise.all(Array.from({ length: 40 }, () => world.agent()));
  const beats = await Promise.all([...agents, ...agents].map((agent) => beat(world, agent)));
  assert(beats.every(({ sessions }) => sessions[0]?.state === "live"));
});

Deno.test("Agents.heartbeat() says keep, cancel or stop for each run that the agent lists", async () => {
  using world = new World();
  const { agent, runs: [kept, cancelled, ended, deleted, taken], listed } = await holding(world, 5);
  await world.propose(cancelled!, "CANCELLING");
  await world.propose(ended!, "CANCELLED", { force: true });
  await world.services.flowRuns.delete(deleted!);
  await world.propose(taken!, "CRASHED", { force: true });
  await world.propose(taken!, "RUNNING");
  const unknown = { id: crypto.randomUUID(), token: "t" };
  const { runs } = await beat(world, agent, { runs: [...listed, unknown] });
  assertEquals(
    Object.fromEntries(runs.map(({ id, action, stateType, listed }) => [id, [action, stateType, listed]])),
    {
      [kept!]: ["keep", "PENDING", true],
      [cancelled!]: ["cancel", "CANCELLING", true],
      [ended!]: ["stop", "CANCELLED", true],
      [deleted!]: ["stop", null, true],
      [taken!]: ["stop", "RUNNING", true],
      [unknown.id]: ["stop", null, true],
    },
  );
});

Deno.test("Agents.heartbeat() says stop for an old token, and tells what the agent did not list", async () => {
  using world = new World();
  const { agent, runs: [forgotten, old], listed } = await holding(world, 2);
  const { runs } = await beat(world, agent, {
    runs: listed.filter(({ id }) => id === old).map(({ id }) => ({ id, token: "old" })),
  });
  assertEquals(runs.map(({ id, action, listed }) => [id, action, listed]), [
    [old, "stop", true],
    [forgotten, "keep", false],
  ]);
});

Deno.test("Agents.heartbeat() does not tell an agent to stop what it never listed", async () => {
  using hooked = hookedWorld();
  const { world, kv } = hooked;
  const { agent, runs: [run], tokens } = await holding(world, 1);
  kv.beforeRead = async ([kind]) => {
    if (kind !== "run") return; // the leases were read just before
    kv.beforeRead = () => Promise.resolve();
    await world.propose(run!, "COMPLETED", { token: tokens.get(run!) });
  };
  assertEquals((await beat(world, agent)).runs, []);
});

Deno.test("Agents.heartbeat() that waits is woken by a cancel, also one of a run that it did not list", async () => {
  for (const isListed of [true, false]) {
    using world = new World();
    const { agent, runs: [run], listed } = await holding(world, 1);
    const waiting = beat(world, agent, { runs: isListed ? listed : [], wait: 20 });
    await settle();
    await world.propose(run!, "CANCELLING");
    const { runs } = await waiting;
    assertEquals(runs.map(({ id, action }) => [id, action]), [[run, "cancel"]]);
    assertEquals(world.deps.clock.sleeping, 0);
  }
});

Deno.test("Agents.heartbeat() that waits is woken when a run of its is ended by force or deleted", async () => {
  const ways: ((world: World, run: string) => Promise<unknown>)[] = [
    (world, run) => world.propose(run, "CANCELLED", { force: true }),
    (world, run) => world.services.flowRuns.delete(run),
  ];
  for (const end of ways) {
    using world = new World();
    const { agent, runs: [run], listed } = await holding(world, 1);
    const waiting = beat(world, agent, { runs: listed, wait: 20 });
    await settle();
    await end(world, run!);
    assertEquals((await waiting).runs.map(({ action }) => action), ["stop"]);
  }
});

Deno.test("Agents.heartbeat() sees a cancel that comes while it looks", async () => {
  using hooked = hookedWorld();
  const { world, kv } = hooked;
  const { agent, runs: [run], listed } = await holding(world, 1);
  const getMany = kv.getMany.bind(kv);
  let isFirst = true;
  // The cancel is committed after the heartbeat read the run, and before it waits.
  kv.getMany = async (keys) => {
    const entries = await getMany(keys);
    if (keys[0]?.[0] === "run" && isFirst) {
      isFirst = false;
      await world.propose(run!, "CANCELLING");
    }
    return entries;
  };
  const waiting = beat(world, agent, { runs: listed, wait: 20 });
  let answer: Awaited<typeof waiting> | undefined;
  waiting.then((view) => answer = view);
  await settle(6);
  assertEquals(answer?.runs.map(({ action }) => action), ["cancel"]);
});

Deno.test("Agents.heartbeat() waits no longer than it was asked to, the client stays, or the server runs", async () => {
  using world = new World();
  const { agent, listed } = await holding(world, 1);
  const over = async (waiting: ReturnType<typeof beat>) => {
    let isOver = false;
    waiting.then(() => isOver = true);
    await settle();
    return isOver;
  };
  const first = beat(world, agent, { runs: listed, wait: 20 });
  await world.deps.advance(19_999);
  assertEquals(await over(first), false);
  await world.deps.advance(1);
  assertEquals(await over(first), true);
  const long = beat(world, agent, { runs: listed, wait: 3_600 });
  await world.deps.advance(25_000);
  assertEquals(await over(long), true, "at most 25 seconds");
  const client = new AbortController();
  const left = beat(world, agent, { runs: listed, wait: 20 }, client.signal);
  client.abort();
  assertEquals(await over(left), true);
  const stopped = beat(world, agent, { runs: listed, wait: 20 });
  await settle();
  world.deps.controller.abort();
  assertEquals(await over(stopped), true);
  assertEquals(world.deps.clock.sleeping, 0);
});

Deno.test("Agents.claim() answers everything that is needed to start a run", async () => {
  using world = new World();
  const template = `{"job_configuration":{},"variables":{"n":5.0}}`;
  await world.pool({ base_job_template: template, queues: { q: {} } });
  const deployment = await world.deployment({
    work_queue_name: "q",
    job_variables: `{"command":"sh run.sh"}`,
  });
  const made = await world.services.flowRuns.createFromDeployment(deployment, {
    parameters: `{"x":1.50}`,
    context: "{}",
    tags: [],
  });
  const { session } = await world.agent();
  const body = claimBody(session, { queues: ["q"] });
  const answer = await world.soon(world.services.agents.claim(POOL, body, NEVER));
  const [grant] = answer.grants;
  assertEquals(answer.grants.length, 1);
  assertEquals([grant!.view.run.id, grant!.attempt, grant!.flowName], [made.view.run.id, 1, "flow"]);
  assertEquals([grant!.view.run.state.type, grant!.view.parameters, grant!.view.queueName], [
    "PENDING",
    `{"x":1.50}`,
    "q",
  ]);
  assertEquals(grant!.token, (await world.record(made.view.run.id)).token);
  assertEquals(answer.deployments.map(({ deployment, jobVariables }) => [deployment.id, jobVariables]), [
    [deployment, `{"command":"sh run.sh"}`],
  ]);
  assertEquals(answer.baseJobTemplate, template);
});

Deno.test("Agents.claim() draws from the queues that it names, by name or by the start of their name", async () => {
  using world = new World();
  await world.pool({ queues: { "gpu-1": {}, "gpu-2": {}, cpu: {} } });
  const { session } = await world.agent();
  const queued: Record<string, string> = {};
  for (const queue of ["default", "gpu-1", "gpu-2", "cpu"]) queued[queue] = await world.run({ queue });
  const claim = async (selection: { queues?: string[]; prefixes?: string[] }) => {
    const body = claimBody(session, selection);
    const { grants } = await world.soon(world.services.agents.claim(POOL, body, NEVER));
    for (const { view, token } of grants) await world.propose(view.run.id, "SCHEDULED", { token });
    return grants.map(({ view }) => view.queueName).sort();
  };
  assertEquals(await claim({}), ["cpu", "default", "gpu-1", "gpu-2"]);
  assertEquals(await claim({ queues: ["cpu"] }), ["cpu"]);
  assertEquals(await claim({ prefixes: ["gpu"] }), ["gpu-1", "gpu-2"]);
  assertEquals(await claim({ prefixes: ["gpu"], queues: ["cpu"] }), ["cpu", "gpu-1", "gpu-2"]);
  assertEquals(await claim({ queues: ["nowhere"] }), []);
  assertEquals(await claim({ queues: ["gpu"] }), []);
});

Deno.test("Agents.claim() with a session that has ended, or is of another pool, is a stale token", async () => {
  using world = new World();
  const pool = await world.pool();
  await world.pool({ name: "other" });
  const { session } = await world.agent();
  const code = async (poolName: string, session: string) => {
    const claiming = world.services.agents.claim(poolName, claimBody(session, { wait: 5 }), NEVER);
    return (await assertRejects(() => claiming, DomainError)).code;
  };
  assertEquals(await code("other", session), "stale_token");
  assertEquals(await code(POOL, crypto.randomUUID()), "stale_token");
  assertEquals(await code("nowhere", session), "not_found");
  await world.run();
  const key = ["session", pool.id, session];
  const { value } = await world.kv.get<SessionRecord>(key);
  await world.kv.set(key, { ...value!, state: "draining" });
  pool.keeper.ring(); // whoever drains or ends a session rewrites the gate
  const drained = await world.soon(world.services.agents.claim(POOL, claimBody(session), NEVER));
  assertEquals(drained.grants, []);
  await world.kv.set(key, { ...value!, state: "ended" });
  pool.keeper.ring();
  assertEquals(await code(POOL, session), "stale_token");
});

Deno.test("Agents.claim() waits at most 25 seconds", async () => {
  using world = new World();
  await world.pool();
  const { session } = await world.agent();
  const claiming = world.services.agents.claim(POOL, claimBody(session, { wait: 3_600 }), NEVER);
  await world.deps.advance(25_000);
  assertEquals((await claiming).grants, []);
});

Deno.test("Agents.claim() notes what it asks, at most every twenty seconds, and not at the cost of the grants", async () => {
  using hooked = hookedWorld();
  const { world, kv } = hooked;
  await world.pool({ queues: { a: {}, b: {} } });
  const { session } = await world.agent();
  const claim = () =>
    world.soon(world.services.agents.claim(POOL, claimBody(session, { queues: ["a"] }), NEVER));
  const polled = async (name: string) => (await world.services.workQueues.get(POOL, name)).lastPolled;
  await world.runs(3, { queue: "a" });
  kv.onCommit = (commit) =>
    writes(commit, "queue_polled") ? Promise.reject(new TypeError("disk I/O error")) : commit.send();
  assertEquals((await claim()).grants.length, 3);
  kv.onCommit = ({ send }) => send();
  await world.deps.advance(60_000);
  const first = world.now;
  await claim();
  assertEquals([await polled("a"), await polled("b")], [first, null]);
  const count = () => kv.commits.filter((commit) => writes(commit, "queue_polled")).length;
  const before = count();
  await world.deps.advance(5_000);
  await claim();
  assertEquals(count(), before);
  await world.deps.advance(30_000);
  await claim();
  assertEquals(await polled("a"), world.now);
});

Deno.test("Agents.claim() makes its queues ready while it still waits", async () => {
  using world = new World();
  await world.pool();
  const { session } = await world.agent();
  const claiming = world.services.agents.claim(POOL, claimBody(session, { wait: 20 }), NEVER);
  await settle();
  assertEquals((await world.services.workPools.get(POOL)).status, "READY");
  world.deps.controller.abort();
  assertEquals((await claiming).grants, []);
});

Deno.test("Agents.claim() by a claim id that was answered gives the same grants, tokens and descriptions", async () => {
  using world = new World();
  await world.pool();
  await world.runs(3);
  const { session } = await world.agent();
  const body = claimBody(session, { n: 2 });
  const ids = async () => {
    const { grants } = await world.soon(world.services.agents.claim(POOL, body, NEVER));
    return grants.map(({ view, token, attempt }) => [view.run.id, token, attempt]).sort();
  };
  const first = await ids();
  assertEquals([first.length, await ids()], [2, first]);
});
