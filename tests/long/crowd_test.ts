/**
 * Fifty agents, twenty command lines and some readers at one server for a minute (or as many seconds as the argument
 * says): nothing fails or complains, every run ends, and neither side grows.
 */
import { assert, assertEquals } from "@std/assert";
import { agentMain } from "../../src/agent/main.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { buildIds } from "../../src/runtime/ids.ts";
import { writeStderr } from "../../src/runtime/log.ts";
import { systemRandom } from "../../src/runtime/random.ts";
import { readOn, typeOn } from "./command_lines.ts";
import { deploy } from "../e2e/deployed.ts";
import { residentMegabytes, type StartedServer, startServer, until } from "../e2e/started.ts";

const AGENTS = 50;
const COMMAND_LINES = 20;
const READERS = 5;
const SECONDS = Number(Deno.args[0] ?? 60);
const RUNS_A_SECOND = 5;
/** What a heap may grow and shrink by itself between two looks. */
const SLACK_MB = 60;

/** Agents of this process, so that fifty of them need the memory of one; each with its own connection and loops. */
class Agents implements AsyncDisposable {
  readonly stop = new AbortController();
  readonly complaints: string[] = [];
  readonly #ends: Promise<number>[];

  constructor(server: StartedServer, folder: string) {
    this.#ends = Array.from({ length: AGENTS }, (_, i) =>
      agentMain(
        ["start", "--api", server.url, "-p", "p", "--limit", "2", "--name", `agent-${i}`, "--hide-welcome"],
        {
          env: {
            PATH: Deno.env.get("PATH"),
            SLUICE_AGENT_DIR: folder,
            SLUICE_PROFILES_PATH: `${folder}/none.json`,
          },
          deps: { clock: systemClock, random: systemRandom, ids: buildIds(systemClock, systemRandom) },
          host: "h",
          writeOut: () => {},
          streamOut: () => Promise.resolve(),
          writeErr: (line) => line.includes(" info ") || this.complaints.push(line),
          stop: this.stop.signal,
          hasten: this.stop.signal,
          startEphemeral: () => Promise.reject(new Error("a server was named")),
        },
      ));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop.abort();
    assertEquals([...new Set(await Promise.all(this.#ends))], [0]);
  }
}

Deno.test(`${AGENTS} agents and ${COMMAND_LINES} command lines at one server for ${SECONDS} s`, async () => {
  const folder = await Deno.makeTempDir();
  await using server = await startServer(`${folder}/kv.sqlite3`);
  const { api } = server;
  await api.workPools.create({ name: "p", type: "process", concurrency_limit: 20 });
  const { id } = await deploy(server, { name: "d", command: "sh -c 'echo one; echo two'", pool: "p" });
  let created = 0;
  const memory: { server: number; agents: number }[] = [];
  {
    await using agents = new Agents(server, `${folder}/runs`);
    await until(async () => (await api.agents.list({ online: true })).length === AGENTS, 30, 200);
    const end = performance.now() + SECONDS * 1_000;
    const crowd = Promise.all([
      ...Array.from({ length: COMMAND_LINES }, (_, i) => typeOn(server, `pool-${i}`, end)),
      ...Array.from({ length: READERS }, () => readOn(server, end)),
    ]);
    while (performance.now() < end) {
      const began = performance.now();
      for (let i = 0; i < RUNS_A_SECOND; i++) {
        await api.deployments.run(id);
        created++;
      }
      const [pool] = await Promise.all([
        api.workPools.get("p"),
        api.workQueues.list("p"),
        api.agents.list(),
        api.flowRuns.list({ limit: 20 }),
      ]);
      assertEquals(pool.sluice?.agents_online, AGENTS);
      assert((pool.active_slots ?? 0) <= 20);
      memory.push({ server: residentMegabytes(server.process.pid), agents: residentMegabytes(Deno.pid) });
      await systemClock.sleep(1000 - (performance.now() - began));
    }
    const counts = await crowd;
    const typed = counts.slice(0, COMMAND_LINES).reduce((sum, one) => sum + one, 0);
    writeStderr(`${typed} commands, ${counts.reduce((sum, one) => sum + one, 0) - typed} reads`);
    const unfinished = { flow_runs: { state: { type: { not_any_: ["COMPLETED" as const] } } } };
    await until(async () => await api.flowRuns.count(unfinished) === 0, 60, 200);
    assertEquals(agents.complaints, []);
  }
  assertEquals(await api.agents.list(), [], "all have said goodbye");
  assert(!/locked|error/i.test(server.process.output), server.process.output);
  const mean = (part: typeof memory, side: "server" | "agents") =>
    part.reduce((sum, one) => sum + one[side], 0) / part.length;
  const third = Math.ceil(memory.length / 3);
  for (const side of ["server", "agents"] as const) {
    const [before, after] = [mean(memory.slice(third, 2 * third), side), mean(memory.slice(2 * third), side)];
    writeStderr(`${side}: ${before.toFixed(0)} MB, then ${after.toFixed(0)} MB; ${created} runs`);
    assert(after < before + SLACK_MB, `the ${side} grew from ${before.toFixed(0)} to ${after.toFixed(0)} MB`);
  }
  await Deno.remove(folder, { recursive: true });
});
