/** Prefect 2.20 as it comes from its registry, with a server of ours. */
import { assertEquals, assertMatch } from "@std/assert";
import { Installation } from "./prefect/client.ts";

const start = () => Installation.start("SLUICE_PREFECT2", "2.20.25");

Deno.test("2.20.25: the command line manages pools, queues, deployments and runs", async () => {
  await using client = await start();
  await Promise.all([
    client.prefect("work-pool create a --type prefect-agent"),
    client.prefect("work-pool create w --type process"),
  ]);
  await client.prefect("work-pool set-concurrency-limit a 3");
  await client.prefect("work-pool pause a");
  assertMatch(await client.prefect("work-pool inspect a"), /is_paused=True[^]*concurrency_limit=3/);
  await client.prefect("work-pool resume a");
  await client.prefect("work-queue create q --pool a --limit 2 -q 1");
  assertMatch(await client.prefect("work-queue ls --pool a"), /q +│ 1 +│ 2 /);
  assertMatch(await client.prefect("work-queue inspect q --pool a"), /concurrency_limit=2/);
  await client.python("deploy2.py", "a", "w");
  assertMatch(await client.prefect("deployment ls"), /plain\/for-agents/);
  await client.prefect("deployment schedule create plain/for-agents --interval 3600");
  assertMatch(await client.prefect("deployment schedule ls plain/for-agents"), /3600|1:00:00/);
  await client.prefect("deployment run plain/for-agents --param name=bob --start-in 1h");
  const { id } = (await client.run("plain"))!;
  assertMatch(await client.prefect("flow-run ls"), /plain/);
  await client.prefect(`flow-run cancel ${id}`);
  assertEquals((await client.run("plain"))?.state_type, "CANCELLED");
  assertMatch(await client.prefect("flow ls"), /sleepy/);
  assertEquals(client.unanswered(), []);
});

Deno.test("2.20.25: flows run from a script, with retries and a failure", async () => {
  await using client = await start();
  const said = await client.python("flows2.py", "plain", "retried", "failing");
  assertMatch(said, /plain: Completed\n[^]*retried: Completed\n[^]*failing: Failed\n/);
  assertEquals((await client.run("plain"))?.state_name, "Completed");
  assertEquals((await client.run("retried"))?.run_count, 3);
  assertEquals((await client.run("failing"))?.state_name, "Failed");
  assertEquals(client.unanswered(), []);
});

Deno.test("2.20.25: a flow with a task crashes, as long as there are no task runs", async () => {
  await using client = await start();
  // The process does not end by itself after that.
  await using running = client.startScript("flows2.py", "with_task");
  await client.reaches("with-task", "CRASHED", running);
  assertEquals(client.unanswered(), ["POST /task_runs/"]);
});

Deno.test("2.20.25: an agent and a worker run deployments, and stop runs that are cancelled", async () => {
  await using client = await start();
  await Promise.all([
    client.prefect("work-pool create a --type prefect-agent"),
    client.prefect("work-pool create w --type process"),
  ]);
  await client.python("deploy2.py", "a", "w");
  for (
    const { args, name } of [
      { args: ["agent", "start", "--pool", "a"], name: "for-agents" },
      { args: ["worker", "start", "--pool", "w", "--type", "process"], name: "for-workers" },
    ]
  ) {
    await using runner = client.start("prefect", args);
    await client.prefect(`deployment run plain/${name}`);
    await client.reaches("plain", "COMPLETED", runner);
    await client.prefect(`deployment run sleepy/${name}`);
    const { id } = await client.reaches("sleepy", "RUNNING", runner);
    await client.prefect(`flow-run cancel ${id}`);
    await client.reaches("sleepy", "CANCELLED", runner);
    await runner.interrupt();
  }
  assertEquals(client.unanswered(), []);
});

Deno.test("2.20.25: deployment build needs the endpoints of blocks", async () => {
  await using client = await start();
  await client.prefect("work-pool create a --type prefect-agent");
  const entrypoint = new URL("prefect/flows2.py:plain", import.meta.url).pathname;
  await using building = client.start("prefect", [
    ...["deployment", "build", entrypoint, "--name", "d", "--pool", "a", "--skip-upload", "--apply"],
    ...["--output", "/dev/null"],
  ]);
  assertEquals((await building.ended()).code, 1);
  assertEquals(client.unanswered(), ["GET /block_types/slug/process", "POST /block_types/"]);
});
