import { assert, assertEquals, assertRejects } from "@std/assert";
import { DomainError } from "../../src/errors.ts";
import { NEVER, POOL, World } from "./factories.ts";

const NO_FLOW_RUN = { parameters: "{}", context: "{}", tags: [] };

/** A deployment with so many waiting runs, of which some are held by an agent. */
async function deployed(world: World, options: { waiting: number; held: number }) {
  const pool = await world.pool();
  const id = await world.deployment();
  const runs: string[] = [];
  for (let i = 0; i < options.waiting; i++) {
    runs.push((await world.services.flowRuns.createFromDeployment(id, NO_FLOW_RUN)).view.run.id);
  }
  const held = options.held > 0 ? await world.claim(pool.keeper, options.held) : [];
  for (const run of held) await world.propose(run.id, "RUNNING", { token: run.token! });
  return { id, pool, runs, held };
}

Deno.test("DeploymentRemoval.delete() leaves the runs as they are", async () => {
  using world = new World();
  const { id, runs } = await deployed(world, { waiting: 2, held: 1 });
  await world.services.deploymentRemoval.delete(id, { cancels: false, signal: NEVER });
  const types = await Promise.all(runs.map(async (run) => (await world.record(run)).state.type));
  assertEquals(types.sort(), ["RUNNING", "SCHEDULED"]);
  await assertRejects(() => world.services.deployments.get(id), DomainError, "not found");
});

Deno.test("DeploymentRemoval.delete() with cancels cancels what waits, and has what runs cancelled", async () => {
  using world = new World();
  const { id, runs, held } = await deployed(world, { waiting: 5, held: 2 });
  const other = await world.run();
  await world.services.deploymentRemoval.delete(id, { cancels: true, signal: NEVER });
  const isHeld = new Set(held.map((run) => run.id));
  for (const run of runs) {
    assertEquals((await world.record(run)).state.type, isHeld.has(run) ? "CANCELLING" : "CANCELLED");
  }
  assertEquals((await world.record(other)).state.type, "SCHEDULED");
  await assertRejects(() => world.services.deployments.get(id), DomainError, "not found");
  assertEquals(await world.faults(), []);
});

Deno.test("DeploymentRemoval.delete() stops for a client that has gone, and goes on when it is asked again", async () => {
  using world = new World();
  const { id, runs } = await deployed(world, { waiting: 3, held: 0 });
  const { deploymentRemoval } = world.services;
  const gone = AbortSignal.abort();
  const error = await assertRejects(
    () => deploymentRemoval.delete(id, { cancels: true, signal: gone }),
    DomainError,
    "send the request again",
  );
  assertEquals([error.code, (await world.services.deployments.get(id)).deployment.id], ["contention", id]);
  await deploymentRemoval.delete(id, { cancels: true, signal: NEVER });
  for (const run of runs) assertEquals((await world.record(run)).state.type, "CANCELLED");
});

Deno.test("DeploymentRemoval.deleteMatching() deletes by name, and no more than it may", async () => {
  using world = new World();
  await world.pool();
  const ids: string[] = [];
  for (const name of ["b", "a", "c"]) ids.push(await world.deployment({ name }));
  assertEquals(await world.services.deploymentRemoval.deleteMatching(null, 2), [ids[1]!, ids[0]!]);
  assertEquals(await world.services.deploymentRemoval.deleteMatching(null, 2), [ids[2]!]);
});

Deno.test("a run whose deployment was deleted is cancelled when it would be handed out, and holds nothing", async () => {
  using world = new World();
  const { id, pool, runs } = await deployed(world, { waiting: 2, held: 0 });
  const other = await world.run();
  await world.services.deployments.delete(id);
  const claim = {
    session: await world.session(),
    claim_id: "c",
    queues: [],
    prefixes: [],
    n: 10,
    prefetch: 0,
    wait: 0,
  };
  const { grants } = await world.soon(world.services.agents.claim(POOL, claim, NEVER));
  assertEquals(grants.map(({ view }) => view.run.id), [other]);
  for (const run of runs) {
    const { state, session } = await world.record(run);
    assertEquals([state.type, session], ["CANCELLED", null]);
    assert(state.message!.includes("deployment"));
  }
  assertEquals((await world.services.gates.read(pool.id))!.occ, 1);
  assertEquals(await world.faults(), []);
});
