/** A shared KV repeats commits whose answer was lost; what others did in between must not make one count twice. */
import { assertEquals, assertRejects } from "@std/assert";
import { DomainError } from "../../src/errors.ts";
import { buildServices, type Services } from "../../src/services/services.ts";
import { fakeDeps } from "../testing/fake_deps.ts";
import { FakeKv } from "../testing/fake_kv.ts";
import { FakeKvStore } from "../testing/fake_kv_store.ts";
import { HookedKv, type SentCommit, writes } from "./hooked_kv.ts";

interface SharedWorld extends Disposable {
  services: Services;
  /** Another server on the same KV. */
  rival: Services;
  /** Makes the next commit that writes such a key be repeated after `meanwhile`, its first answer lost. */
  repeatNext(kind: string, meanwhile: () => Promise<unknown>): void;
}

function sharedWorld(): SharedWorld {
  const store = new FakeKvStore();
  const kv = new HookedKv(new FakeKv(store));
  const server = { ...fakeDeps({ kv }), sharedKv: true };
  const other = { ...fakeDeps({ kv: new FakeKv(store), seed: 2 }), sharedKv: true };
  const repeat = async (commit: SentCommit, meanwhile: () => Promise<unknown>) => {
    await commit.send();
    await meanwhile();
    return await commit.send();
  };
  return {
    services: buildServices(server),
    rival: buildServices(other),
    repeatNext(kind, meanwhile) {
      kv.onCommit = async (commit) => {
        if (!writes(commit, kind)) return await commit.send();
        kv.onCommit = ({ send }) => send();
        return await repeat(commit, meanwhile);
      };
    },
    [Symbol.dispose]() {
      server.controller.abort();
      other.controller.abort();
    },
  };
}

const pool = (name: string) => ({ name, type: "process", base_job_template: "{}", is_paused: false });
const NO_FLOW_RUN = { parameters: "{}", context: "{}", tags: [] };

async function deploymentOf({ workPools, flows, deployments }: Services): Promise<string> {
  await workPools.create(pool("p"));
  const { flow } = await flows.create({ name: "f", tags: [], labels: "{}" });
  const body = { name: "d", flow_id: flow.id, work_pool_name: "p" };
  return (await deployments.upsert(body)).view.deployment.id;
}

const soleRun = async ({ scheduledRuns }: Services): Promise<string> => {
  const request = { queueNames: [], scheduledBefore: null, scheduledAfter: null, limit: 10 };
  return (await scheduledRuns.ofPool("p", request))[0]!.run.id;
};

Deno.test("a run that was deleted before its creation is repeated does not come back", async () => {
  using world = sharedWorld();
  const { services, rival } = world;
  const deployment = await deploymentOf(services);
  world.repeatNext("run", async () => await rival.flowRuns.delete(await soleRun(rival)));
  const { view } = await services.flowRuns.createFromDeployment(deployment, NO_FLOW_RUN);
  await assertRejects(() => services.flowRuns.get(view.run.id), DomainError, "not found");
});

Deno.test("a pool that was deleted before its creation is repeated does not come back", async () => {
  using world = sharedWorld();
  const { services, rival } = world;
  world.repeatNext("pool", () => rival.workPools.delete("p"));
  await assertRejects(() => services.workPools.create(pool("p")), DomainError);
  assertEquals(await services.workPools.find("p"), undefined);
});

Deno.test("a deployment that was deleted before its creation is repeated does not come back", async () => {
  using world = sharedWorld();
  const { services, rival } = world;
  const { flow } = await services.flows.create({ name: "f", tags: [], labels: "{}" });
  const list = { limit: 10, offset: 0, sort: "NAME_ASC" as const };
  const ids = async () => (await rival.deploymentList.list(list)).map(({ deployment }) => deployment.id);
  let first: string | undefined;
  world.repeatNext("deployment", async () => {
    [first] = await ids();
    await rival.deployments.delete(first!);
  });
  await services.deployments.upsert({ name: "d", flow_id: flow.id });
  // It is made anew, since that is what was asked for, and not with the id that was deleted.
  assertEquals([(await ids()).length, (await ids()).includes(first!)], [1, false]);
});

Deno.test("a schedule that was added is not added again when its commit is repeated", async () => {
  using world = sharedWorld();
  const { services } = world;
  const deployment = await deploymentOf(services);
  world.repeatNext("deployment", () => Promise.resolve());
  const made = await services.deploymentSchedules.add(deployment, [{
    schedule: { interval: 60 },
    active: true,
  }]);
  assertEquals(await services.deploymentSchedules.list(deployment), made);
});

Deno.test("a report is known again though others have changed its run many times since", async () => {
  using world = sharedWorld();
  const { services, rival } = world;
  const { view: { run } } = await services.flowRuns.createFromDeployment(
    await deploymentOf(services),
    NO_FLOW_RUN,
  );
  const { sessions: [session] } = await services.agents.open({
    name: "a",
    host: "h",
    version: "1",
    pools: ["p"],
    queues: [],
    prefixes: [],
  });
  const body = { session: session!.id, claim_id: "1", queues: [], prefixes: [], n: 1, prefetch: 0, wait: 0 };
  const { grants: [grant] } = await services.agents.claim("p", body, new AbortController().signal);
  const propose = (by: Services, type: "FAILED" | "SCHEDULED" | "CANCELLED", token?: string) =>
    by.setState.propose({ run: run.id, state: { type }, force: false, token });
  world.repeatNext("run", async () => {
    for (let i = 0; i < 5; i++) {
      await propose(rival, "SCHEDULED");
      await propose(rival, "CANCELLED");
    }
  });
  // Decided anew, it would be told that its token is of the past.
  const { answer, isWritten } = await propose(services, "FAILED", grant!.token);
  assertEquals([answer.status, isWritten], ["ACCEPT", true]);
});

Deno.test("lines that were merged before their commit is repeated do not come a second time", async () => {
  using world = sharedWorld();
  const { services, rival } = world;
  const run = "00000000-0000-4000-8000-000000000001";
  const line = (message: string) => ({ name: "n", level: 20, message, timestamp: 1, flow_run_id: run });
  await rival.logs.create([line("a")]);
  world.repeatNext("log_head", () => rival.logs.deleteOf(run));
  await services.logs.create([line("b")]);
  const filter = { operator: "and_" as const, flow_run_id: { any_: [run] } };
  const list = { logs: filter, sort: "TIMESTAMP_ASC" as const, limit: 200, offset: 0 };
  assertEquals(await rival.logs.list(list), []);
});
