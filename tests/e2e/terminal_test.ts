/** The story of work pools as a user types it in a terminal, compared by the shapes of what is printed. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { deploy } from "./deployed.ts";
import { startServer } from "./started.ts";
import { tableShape } from "./table_shape.ts";
import { openTerminal } from "./terminal.ts";

const UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}";

Deno.test("pools, queues and agents in a terminal, as the story goes", async () => {
  const folder = await Deno.makeTempDir();
  await using server = await startServer(":memory:");
  await using terminal = await openTerminal(server, folder, 120);
  const sluice = (line: string) => terminal.run(`sluice ${line}`);

  // An agent makes the pool that it names, says what it looks for, and ends with Ctrl-C.
  await terminal.type("sluice agent start -p 'my-pool'");
  await terminal.shows("Agent started! Looking for work from work pool 'my-pool'");
  await terminal.press("\x03");
  await terminal.printed();

  const created = await sluice("work-pool create test-pool");
  assertMatch(
    created,
    new RegExp(
      `^Created work pool with properties:\\n    name - 'test-pool'\\n    id - ${UUID}\\n    concurrency limit - None\\n`,
    ),
  );
  assertMatch(created, /\n[^\n]*agent[^\n]*:\n {4}\S.* agent start -p test-pool\n/);
  assertMatch(created, /\n {4}\S.* work-pool inspect test-pool\n$/);

  const pools = tableShape(await sluice("work-pool ls"), 120);
  assertEquals(pools.title, "Work pools");
  assertEquals(pools.headers.slice(0, 4), ["Name", "Type", "ID", "Concurrency Limit"]);
  assertEquals(pools.rows.map((row) => row.slice(0, 2)), [
    ["my-pool", "prefect-agent"],
    ["test-pool", "prefect-agent"],
  ]);
  assertEquals(pools.rows.map((row) => row[3]), ["None", "None"]);
  assertEquals(pools.caption, "(**) denotes a paused pool");

  const inspected = await sluice("work-pool inspect 'test-pool'");
  assertMatch(inspected, /^ {4}created='(now|\d+ seconds? ago)',$/m);
  assertMatch(inspected, /^ {4}updated='(now|\d+ seconds? ago)',$/m);

  await deploy(server, { name: "nightly", command: "true", pool: "test-pool" });
  for (const start of ["'150 minutes'", "'90 minutes'", "'13 hours'"]) {
    await sluice(`deployment run e2e/nightly --start-in ${start}`);
  }
  const upcoming = tableShape(await sluice("work-pool preview 'test-pool' --hours 12"), 120);
  assertEquals(upcoming.headers, ["Scheduled Start Time", "Run ID", "Name", "Deployment ID"]);
  assertEquals(upcoming.rows.map(([when]) => when), ["in 1 hour", "in 2 hours"]);
  assertEquals(upcoming.caption, "(**) denotes a late run");

  assertMatch(await sluice("work-pool pause 'test-pool'"), /^Paused work pool 'test-pool'\.?\n$/);
  assertEquals(tableShape(await sluice("work-pool ls"), 120).rows[1]?.[0], "test-pool (**)");
  assertMatch(await sluice("work-pool resume 'test-pool'"), /^Resumed work pool 'test-pool'/);
  await sluice("work-pool set-concurrency-limit test-pool 5");
  assertEquals(tableShape(await sluice("work-pool ls"), 120).rows[1]?.[3], "5");
  await sluice("work-pool clear-concurrency-limit test-pool");
  assertEquals(tableShape(await sluice("work-pool ls"), 120).rows[1]?.[3], "None");

  await sluice("work-queue create low --pool test-pool --priority 10");
  await sluice("work-queue create high --pool test-pool --priority 5 --limit 3");
  await sluice("work-queue create critical --pool test-pool --priority 1 --limit 1");
  const queues = tableShape(await sluice("work-queue ls --pool test-pool"), 120);
  assertEquals(queues.rows.map(([name]) => name), ["critical", "default", "high", "low"]);

  // Debugging on one's own machine: what waits already comes along when the question is answered with yes.
  await sluice("work-pool create my-local-machine");
  await terminal.type("sluice deployment update 'e2e/nightly' --pool my-local-machine");
  await terminal.shows("Take 3 runs along that wait already in 'test-pool'?");
  await terminal.type("y");
  assertStringIncludes(await terminal.printed(), "work pool 'my-local-machine', queue 'default', with those");
  assertEquals(tableShape(await sluice("work-pool preview my-local-machine --hours 24"), 120).rows.length, 3);

  await terminal.type("sluice work-pool delete test-pool");
  await terminal.shows("Delete work pool 'test-pool' and its queues?");
  await terminal.type("n");
  assertMatch(await terminal.printed(), /Nothing was changed\.\n$/);
  assertEquals(await sluice("work-pool delete test-pool --yes"), "Deleted work pool 'test-pool'.\n");
  assertEquals(await terminal.run("echo $?"), "0\n");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("Ctrl-C while a run is watched leaves the run alone, and says so", async () => {
  const folder = await Deno.makeTempDir();
  await using server = await startServer(":memory:");
  await using terminal = await openTerminal(server, folder, 100);
  await server.api.workPools.create({ name: "p" });
  await deploy(server, { name: "nightly", command: "true", pool: "p" });
  await terminal.type("sluice deployment run e2e/nightly --watch");
  await terminal.shows("Scheduled");
  await terminal.press("\x03");
  assertMatch(
    await terminal.printed(),
    /Stopped watching; the run goes on\. To cancel it:\n.* flow-run cancel /,
  );
  assertEquals(await terminal.run("echo $?"), "1\n");
  const [run] = await server.api.flowRuns.list();
  assertEquals(run?.state_type, "SCHEDULED");
  await Deno.remove(folder, { recursive: true });
});
