/** Two servers on one shared KV, as two processes would be: each with its own connection, bells and clock. */
import { assert, assertEquals } from "@std/assert";
import { systemClock } from "../../src/runtime/clock.ts";
import { buildIds } from "../../src/runtime/ids.ts";
import { silentLog } from "../../src/runtime/log.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { buildServices, type Services } from "../../src/services/services.ts";
import { readAll } from "../services/audit.ts";
import { CheckedKv } from "./checked_kv.ts";

const RUNS = 120;
const LIMIT = 6;
const NEVER = new AbortController().signal;

/** Runs the whole life of {@link RUNS} runs through both servers at once. `open` gives a connection to the same KV. */
export async function sharePool(open: () => Promise<Deno.Kv>): Promise<void> {
  const shutdown = new AbortController();
  const kvs = [new CheckedKv(await open()), new CheckedKv(await open())];
  const servers = kvs.map((kv) =>
    buildServices({
      kv,
      sharedKv: true,
      clock: systemClock,
      random: systemRandom,
      ids: buildIds(systemClock, systemRandom),
      log: silentLog,
      shutdown: shutdown.signal,
    })
  );
  const [left, right] = servers as [Services, Services];
  const pool = { type: "process", base_job_template: "{}", is_paused: false, concurrency_limit: LIMIT };
  await left.workPools.create({ name: "p", ...pool });
  const { flow } = await left.flows.create({ name: "f", tags: [], labels: "{}" });
  const { view } = await left.deployments.upsert({ name: "d", flow_id: flow.id, work_pool_name: "p" });
  let isOver = false;
  const ended = new Set<string>();
  const agents = servers.flatMap((server) => [0, 1, 2].map(() => work(server, () => isOver, ended)));
  // Created through one server, taken by agents of both: the bell tells the other one.
  for (let i = 0; i < RUNS; i++) {
    const body = { parameters: "{}", context: "{}", tags: [] };
    await (i % 2 ? left : right).flowRuns.createFromDeployment(view.deployment.id, body);
  }
  const deadline = Date.now() + 30_000;
  while (ended.size < RUNS) {
    assert(Date.now() < deadline, `${ended.size} of ${RUNS} runs ended`);
    const held = (await left.gates.read((await left.workPools.require("p")).id))!.occ;
    assert(held <= LIMIT, `${held} held, the limit is ${LIMIT}`);
  }
  isOver = true;
  await Promise.all(agents);
  assertEquals((await readAll(kvs[0]!)).faults(), []);
  assertEquals(kvs.flatMap((kv) => kv.violations), []);
  shutdown.abort();
  for (const kv of kvs) kv.close();
}

async function work(server: Services, isOver: () => boolean, ended: Set<string>): Promise<void> {
  const body = { name: "a", host: "h", version: "1", pools: ["p"], queues: [], prefixes: [] };
  const session = (await server.agents.open(body)).sessions[0]!.id;
  for (let n = 0; !isOver(); n++) {
    const claim = { session, claim_id: String(n), queues: [], prefixes: [], n: 2, prefetch: 0, wait: 0.5 };
    const { grants } = await server.agents.claim("p", claim, NEVER);
    for (const { view: { run }, token } of grants) {
      for (const type of ["RUNNING", "COMPLETED"] as const) {
        const state = { type };
        const { answer } = await server.setState.propose({ run: run.id, state, force: false, token });
        assertEquals(answer.status, "ACCEPT");
      }
      assert(!ended.has(run.id), "a run was handed out twice");
      ended.add(run.id);
    }
  }
}
