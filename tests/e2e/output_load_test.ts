/**
 * What runs write, under load: with a real agent process and a server that counts what arrives instead of keeping it.
 */
import { assert, assertEquals } from "@std/assert";
import { FakeServer } from "../agent/fake_server.ts";
import { LONGEST_LINE_BYTES } from "../../src/agent/output_tail.ts";
import { residentMegabytes, Started } from "./started.ts";

/** A started agent, and what each run's lines were given to, in the order of their arrival. */
async function withAgent(
  args: string[],
  body: (server: FakeServer, agent: Started, folder: string) => Promise<void>,
  take: (run: string, message: string) => void,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  await using server = new FakeServer().listen();
  server.fault = ({ path, body }) => {
    if (path !== "/api/logs/") return undefined;
    server.calls.length = 0; // what was taken is not kept
    for (const { flow_run_id, message } of body as unknown as { flow_run_id: string; message: string }[]) {
      take(flow_run_id, message);
    }
    return new Response(null, { status: 201 });
  };
  const flags = ["start", "--api", server.api, "-p", "my-pool", "--hide-welcome", ...args];
  await using agent = new Started("agent.ts", flags, { SLUICE_AGENT_DIR: folder });
  await agent.said(/Agent started/);
  await body(server, agent, folder);
  assertEquals(await agent.end("SIGTERM"), 0);
  await Deno.remove(folder, { recursive: true });
}

/** Calls `look` again and again while `work` goes on; the largest that it said. */
async function mostDuring(work: Promise<void>, look: () => number): Promise<number> {
  let most = 0;
  let isOver = false;
  const watched = work.finally(() => isOver = true);
  watched.catch(() => {});
  while (!isOver) {
    most = Math.max(most, look());
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await watched;
  return most;
}

Deno.test("100 MB of one run and of fifty at once arrive whole and in order, in bounded memory", async () => {
  const next = new Map<string, number>();
  const disorder: string[] = [];
  const take = (run: string, message: string) => {
    const expected = next.get(run) ?? 1;
    if (!message.startsWith(`${expected} `)) disorder.push(`${run}: ${expected} was ${message.slice(0, 20)}`);
    next.set(run, expected + 1);
  };
  const fill = "x".repeat(990);
  const command = (lines: number) => `seq -f '%.0f ${fill}' ${lines}`;
  await withAgent([], async (server, agent) => {
    const ends = (count: number) =>
      server.until(
        () => server.runs.filter(({ type }) => type === "COMPLETED").length === count,
        "all end",
        90,
      );
    server.addRun(command(10_000));
    await ends(1);
    const warm = residentMegabytes(agent.pid);
    const one = server.addRun(command(100_000));
    const alone = await mostDuring(ends(2), () => residentMegabytes(agent.pid));
    assertEquals(next.get(one.id), 100_001);
    const many = Array.from({ length: 50 }, () => server.addRun(command(2_000)));
    const together = await mostDuring(ends(52), () => residentMegabytes(agent.pid));
    assertEquals([...new Set(many.map(({ id }) => next.get(id)))], [2_001]);
    assertEquals(disorder, []);
    // The garbage collector may let a few batches stand; what is asked is that output does not pile up.
    assert(alone < warm + 60, `one run: from ${warm.toFixed(0)} to ${alone.toFixed(0)} MB`);
    // Fifty readers with their buffers, and the requests under way.
    assert(together < warm + 150, `fifty runs: from ${warm.toFixed(0)} to ${together.toFixed(0)} MB`);
  }, take);
});

Deno.test("a line of 20 MB and a million random bytes arrive, in pieces that a log can keep", async () => {
  const got = new Map<string, { characters: number; longest: number; lines: number }>();
  const take = (run: string, message: string) => {
    const { characters, longest, lines } = got.get(run) ?? { characters: 0, longest: 0, lines: 0 };
    got.set(run, {
      characters: characters + message.length,
      longest: Math.max(longest, new TextEncoder().encode(message).length),
      lines: lines + 1,
    });
  };
  await withAgent([], async (server) => {
    const long = server.addRun("sh -c 'head -c 20000000 /dev/zero | tr \"\\\\0\" y'");
    const binary = server.addRun("sh -c 'head -c 1000000 /dev/urandom; echo; echo end'");
    await server.until(() => long.type === "COMPLETED" && binary.type === "COMPLETED", "both end", 60);
    assertEquals(got.get(long.id)?.characters, 20_000_000);
    assert(got.get(long.id)!.longest <= LONGEST_LINE_BYTES);
    // Every byte that is no text becomes one character, of three bytes.
    assert(got.get(binary.id)!.longest <= 3 * LONGEST_LINE_BYTES);
    assert(got.get(binary.id)!.characters > 500_000 && got.get(binary.id)!.lines > 3_000);
  }, take);
});

Deno.test("what is written after the command itself has ended arrives, up to the end of the run", async () => {
  const lines: string[] = [];
  await withAgent([], async (server) => {
    // The grandchild outlives its parent and is ended with the run: all that it wrote until then counts.
    const run = server.addRun(
      `sh -c '(trap "" HUP; i=0; while :; do i=$((i+1)); echo $i; done) & sleep 0.3; echo parent >&2'`,
    );
    await server.until(() => run.type === "COMPLETED", "the run ends", 30);
    const numbers = lines.filter((line) => line !== "parent");
    assert(lines.includes("parent") && numbers.length > 100, `${lines.length} lines`);
    // Its last line may be cut where it was ended.
    assertEquals(numbers.slice(0, -1).findIndex((line, i) => line !== String(i + 1)), -1);
  }, (_run, message) => lines.push(message));
});

Deno.test("a run whose agent was killed writes on, and its output and exit code stay", async () => {
  const folder = await Deno.makeTempDir();
  await using server = new FakeServer().listen();
  const run = server.addRun("sh -c 'echo 1; while [ ! -e ../go ]; do sleep 0.02; done; seq 2 50000; exit 3'");
  const flags = ["start", "--api", server.api, "-p", "my-pool", "--hide-welcome"];
  await using agent = new Started("agent.ts", flags, { SLUICE_AGENT_DIR: folder });
  await server.until(() => server.logs.length === 1, "the run is under way", 20);
  await agent.end("SIGKILL");
  const own = `${folder}/${[...Deno.readDirSync(folder)].find(({ name }) => name.startsWith(run.id))!.name}`;
  await Deno.writeTextFile(`${own}/go`, "");
  await server.until(
    () => {
      try {
        return Deno.readTextFileSync(`${own}/exit_code`) === "3\n";
      } catch {
        return false;
      }
    },
    "the run ends by itself",
    20,
  );
  const output = await Deno.readTextFile(`${own}/output`);
  assertEquals(output, Array.from({ length: 50_000 }, (_, i) => `${i + 1}\n`).join(""));
  await Deno.remove(folder, { recursive: true });
});
