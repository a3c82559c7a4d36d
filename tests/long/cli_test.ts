/**
 * Twenty command lines in loops, with readers beside them, for a minute (or as many seconds as the argument says): no
 * command fails or complains, and the server does not grow.
 */
import { assert, assertEquals } from "@std/assert";
import { writeStderr } from "../../src/runtime/log.ts";
import { deploy } from "../e2e/deployed.ts";
import { residentMegabytes, Started, type StartedServer, startServer } from "../e2e/started.ts";

const COMMAND_LINES = 20;
const READERS = 5;
const SECONDS = Number(Deno.args[0] ?? 60);
/** What a heap may grow and shrink by itself between two looks. */
const SLACK_MB = 60;

/** What each of them types again and again; its pool is its own. */
const script = (pool: string): string[][] => [
  ["work-pool", "create", pool, "--overwrite", "--concurrency-limit", "2"],
  ["work-pool", "ls"],
  ["deployment", "run", "e2e/d"],
  ["flow-run", "ls", "-o", "json"],
  ["work-queue", "create", "q", "--pool", pool],
  ["work-queue", "ls", "--pool", pool],
  ["work-pool", "pause", pool],
  ["work-pool", "preview", "p"],
  ["work-pool", "resume", pool],
  ["work-pool", "inspect", pool],
  ["work-pool", "delete", pool, "--yes"],
];

async function typeOn(server: StartedServer, pool: string, until: number): Promise<number> {
  for (let typed = 0;;) {
    for (const words of script(pool)) {
      if (performance.now() >= until) return typed;
      await using sluice = new Started("cli.ts", ["--api", server.url, ...words]);
      assertEquals(await sluice.ended(), 0, `${words.join(" ")}\n${sluice.output}`);
      typed++;
    }
  }
}

async function readOn({ api }: StartedServer, until: number): Promise<number> {
  for (let read = 0;; read++) {
    if (performance.now() >= until) return read;
    await Promise.all([api.workPools.list(), api.flowRuns.list({ limit: 50 }), api.deployments.list()]);
  }
}

Deno.test(`${COMMAND_LINES} command lines and ${READERS} readers at one server for ${SECONDS} s`, async () => {
  const folder = await Deno.makeTempDir();
  await using server = await startServer(`${folder}/kv.sqlite3`);
  await server.api.workPools.create({ name: "p" });
  await deploy(server, { name: "d", command: "true", pool: "p" });
  const until = performance.now() + SECONDS * 1_000;
  const memory: number[] = [];
  const watching = setInterval(() => memory.push(residentMegabytes(server.process.pid)), 500);
  const typing = Array.from({ length: COMMAND_LINES }, (_, index) => typeOn(server, `pool-${index}`, until));
  const reading = Array.from({ length: READERS }, () => readOn(server, until));
  try {
    const sum = async (counts: Promise<number>[]) => (await Promise.all(counts)).reduce((a, b) => a + b, 0);
    const [typed, read] = await Promise.all([sum(typing), sum(reading)]);
    writeStderr(`${typed} commands, ${read} reads`);
  } finally {
    clearInterval(watching);
  }
  assert(!/locked|error/i.test(server.process.output), server.process.output);
  const mean = (part: number[]) => part.reduce((sum, one) => sum + one, 0) / part.length;
  const third = Math.ceil(memory.length / 3);
  const [before, after] = [mean(memory.slice(third, 2 * third)), mean(memory.slice(2 * third))];
  writeStderr(`server: ${before.toFixed(0)} MB, then ${after.toFixed(0)} MB`);
  assert(after < before + SLACK_MB, `the server grew from ${before.toFixed(0)} to ${after.toFixed(0)} MB`);
  await Deno.remove(folder, { recursive: true });
});
