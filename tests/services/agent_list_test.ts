import { assertEquals, assertRejects } from "@std/assert";
import { DomainError } from "../../src/errors.ts";
import { NEVER, POOL, World } from "./factories.ts";

const ALL = { limit: 200, offset: 0 };

const open = (world: World, name: string, options: { pools?: string[]; every?: number } = {}) =>
  world.services.agents.open({
    name,
    host: "h",
    version: "1.2",
    pools: options.pools ?? [POOL],
    queues: ["q"],
    prefixes: ["dev-"],
    limit: 3,
  }, options.every ?? 5);

const beat = (world: World, { agent, sessions }: Awaited<ReturnType<typeof open>>) =>
  world.services.agents.heartbeat(
    agent.id,
    { sessions: sessions.map(({ id }) => id), runs: [], wait: 0 },
    NEVER,
  );

const online = async (world: World) =>
  (await world.services.agentList.list(ALL)).filter((view) => view.online).map(({ agent }) => agent.name);

Deno.test("AgentList.list() says what each agent is and holds, in order of their names", async () => {
  using world = new World();
  const pool = await world.pool();
  await world.pool({ name: "other" });
  const second = await open(world, "second");
  const first = await open(world, "first", { pools: [POOL, "other"] });
  await world.runs(3);
  await world.claim(pool.keeper, 2, second.sessions[0]!.id);
  const list = await world.services.agentList.list(ALL);
  assertEquals(list.map(({ agent, held }) => [agent.name, held.length]), [["first", 0], ["second", 2]]);
  const [view] = list;
  assertEquals(view!.agent.id, first.agent.id);
  assertEquals([view!.agent.queues, view!.agent.prefixes, view!.agent.limit], [["q"], ["dev-"], 3]);
  assertEquals(view!.sessions.map(({ poolName, state }) => [poolName, state]), [[POOL, "live"], [
    "other",
    "live",
  ]]);
  assertEquals(view!.lastSeen, world.now);
  const names = async (query: Partial<Parameters<typeof world.services.agentList.list>[0]>) =>
    (await world.services.agentList.list({ ...ALL, ...query })).map(({ agent }) => agent.name);
  assertEquals(await names({ work_pool_name: "other" }), ["first"]);
  assertEquals(await names({ online: false }), []);
  assertEquals(await names({ limit: 1, offset: 1 }), ["second"]);
});

Deno.test("AgentList.get() names the runs that the agent holds", async () => {
  using world = new World();
  const pool = await world.pool();
  const { agent, sessions } = await open(world, "a");
  const id = await world.run({ name: "brave-otter" });
  await world.claim(pool.keeper, 1, sessions[0]!.id);
  const { runs } = await world.services.agentList.get(agent.id);
  assertEquals(runs.map((run) => [run.id, run.name, run.pool, run.state.type]), [
    [id, "brave-otter", pool.id, "PENDING"],
  ]);
  await assertRejects(() => world.services.agentList.get(pool.id), DomainError, "not found");
});

Deno.test("an agent is online until it has missed three heartbeats, by its own rhythm", async () => {
  using world = new World();
  await world.pool();
  const quick = await open(world, "quick");
  await open(world, "slow", { every: 60 });
  await world.deps.advance(15_000);
  assertEquals(await online(world), ["quick", "slow"]);
  await world.deps.advance(1);
  assertEquals(await online(world), ["slow"]);
  assertEquals((await world.services.workPools.get(POOL)).agentsOnline, 1);
  await beat(world, quick);
  assertEquals(await online(world), ["quick", "slow"]);
  assertEquals((await world.services.workPools.get(POOL)).agentsOnline, 2);
  await world.deps.advance(180_001);
  assertEquals(await online(world), []);
  assertEquals((await world.services.workPools.list(null, ALL)).map(({ agentsOnline }) => agentsOnline), [0]);
});

Deno.test("Agents.leave() forgets an agent with its sessions, which get nothing any more", async () => {
  using world = new World();
  const pool = await world.pool();
  const { agent, sessions } = await open(world, "a");
  const waiting = pool.keeper.claim(world.claimOf(sessions[0]!.id), 20_000);
  await world.services.agents.leave(agent.id);
  const run = await world.run();
  await assertRejects(() => world.soon(waiting), DomainError, "has ended");
  assertEquals((await world.record(run)).state.type, "SCHEDULED");
  assertEquals(await world.services.agentList.list(ALL), []);
  assertEquals((await world.kv.get(["session", pool.id, sessions[0]!.id])).value, null);
  await assertRejects(() => world.services.agents.leave(agent.id), DomainError, "not found");
  assertEquals(await world.faults(), []);
});

Deno.test("Agents.leave() is refused while the agent holds runs", async () => {
  using world = new World();
  const pool = await world.pool();
  const { agent, sessions } = await open(world, "a");
  await world.runs(2);
  await world.claim(pool.keeper, 2, sessions[0]!.id);
  await assertRejects(() => world.services.agents.leave(agent.id), DomainError, "holds 2 runs");
  assertEquals((await world.services.agentList.get(agent.id)).sessions[0]!.state, "live");
});

Deno.test("Agents.leave() works when the agent's pool is gone", async () => {
  using world = new World();
  await world.pool();
  const { agent } = await open(world, "a");
  await world.services.workPools.delete(POOL);
  await world.services.agents.leave(agent.id);
  assertEquals(await world.services.agentList.list(ALL), []);
});
