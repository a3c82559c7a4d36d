/** Command lines and readers in loops, for the crowd of crowd_test.ts. */
import { assertEquals } from "@std/assert";
import { Started, type StartedServer } from "../e2e/started.ts";

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

/** Types the script until the time is over. How many commands that were. */
export async function typeOn(server: StartedServer, pool: string, until: number): Promise<number> {
  for (let typed = 0;;) {
    for (const words of script(pool)) {
      if (performance.now() >= until) return typed;
      await using sluice = new Started("cli.ts", ["--api", server.url, ...words]);
      assertEquals(await sluice.ended(), 0, `${words.join(" ")}\n${sluice.output}`);
      typed++;
    }
  }
}

/** Reads lists until the time is over. How often that was. */
export async function readOn({ api }: StartedServer, until: number): Promise<number> {
  for (let read = 0;; read++) {
    if (performance.now() >= until) return read;
    await Promise.all([api.workPools.list(), api.flowRuns.list({ limit: 50 }), api.deployments.list()]);
  }
}
