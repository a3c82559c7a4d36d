/** Prefect 3 as it comes from its registry, with a server of ours. */
import { assertEquals, assertMatch } from "@std/assert";
import { Installation } from "./prefect/client.ts";

const start = () => Installation.start("SLUICE_PREFECT3", "3.8.8");

/** Clients do without these, each in its own way (docs/api.md). */
const EVENTS = ["WebSocket /events/in", "WebSocket /events/out"];
const CHANNEL = "WebSocket /work_pools/p/workers/connect";

Deno.test("3.8.8: the command line manages pools and queues", async () => {
  await using client = await start();
  await client.prefect("work-pool create p --type process");
  await client.prefect("work-pool set-concurrency-limit p 3");
  assertMatch(await client.prefect("work-pool ls"), /p +│ process +│ .* │ 3 /);
  await client.prefect("work-pool pause p");
  assertMatch(await client.prefect("work-pool inspect p"), /is_paused=True[^]*concurrency_limit=3/);
  await client.prefect("work-pool resume p");
  await client.prefect("work-queue create q --pool p --limit 2 --priority 1");
  assertMatch(await client.prefect("work-queue ls --pool p"), /q +│ 1 +│ 2 +│[^]*default +│ 2 /);
  await client.prefect("work-queue pause q --pool p");
  assertMatch(await client.prefect("work-queue inspect q --pool p"), /is_paused=True[^]*concurrency_limit=2/);
  assertMatch(await client.prefect("work-queue slots q --pool p"), /0 \/ 2/);
  assertMatch(await client.prefect("work-pool slots p"), /0 \/ 3/);
  await client.prefect("work-queue delete q --pool p");
  await client.prefect("work-pool delete p");
  assertEquals(await client.ask("/work_pools/filter", {}), []);
  assertEquals(client.unanswered(), []);
});

Deno.test("3.8.8: the command line manages deployments, schedules, runs and variables", async () => {
  await using client = await start();
  await client.prefect("work-pool create p --type process");
  await client.python("deploy3.py", "p");
  assertMatch(await client.prefect("deployment ls"), /plain\/d/);
  assertMatch(await client.prefect("deployment inspect plain/d"), /'entrypoint': 'flows3.py:plain'/);
  assertMatch(await client.prefect("flow ls"), /sleepy[^]*plain/);

  await client.prefect("deployment schedule create plain/d --interval 3600");
  assertMatch(await client.prefect("deployment schedule ls plain/d"), /interval: 1:00:00|3600/);
  type Deployment = { schedules: { id: string; active: boolean }[] };
  const schedules = async () => (await client.ask<Deployment>("/deployments/name/plain/d")).schedules;
  const { id: schedule } = (await schedules())[0]!;
  await client.prefect(`deployment schedule pause plain/d ${schedule}`);
  assertEquals((await schedules()).map(({ active }) => active), [false]);
  await client.prefect(`deployment schedule delete plain/d ${schedule} -y`);
  assertEquals(await schedules(), []);

  await client.prefect("deployment run plain/d --param name=bob --start-in 1h");
  const { id } = (await client.run("plain"))!;
  assertMatch(await client.prefect("flow-run ls"), /plain[^]*SCHEDULED/i);
  assertMatch(await client.prefect(`flow-run inspect ${id}`), /parameters=\{'name': 'bob'\}/);
  await client.prefect(`flow-run logs ${id}`);
  await client.prefect(`flow-run cancel ${id}`);
  assertEquals((await client.run("plain"))?.state_type, "CANCELLED");

  await client.prefect("variable set v 5");
  assertMatch(await client.prefect("variable get v"), /^5$/m);
  assertMatch(await client.prefect("variable ls"), /v +│/);
  await client.prefect("--no-prompt variable unset v");
  assertEquals(await client.ask("/variables/filter", {}), []);
  assertEquals(client.unanswered(), []);
});

Deno.test("3.8.8: flows run from a script, with tasks, retries, a failure, and a pause", async () => {
  await using client = await start();
  const said = await client.python("flows3.py", "plain", "retried", "failing");
  assertMatch(said, /plain: Completed\n[^]*retried: Completed\n[^]*failing: Failed\n/);
  assertEquals((await client.run("plain"))?.state_name, "Completed");
  assertEquals((await client.run("retried"))?.run_count, 3);
  assertEquals((await client.run("failing"))?.state_name, "Failed");
  const { id } = (await client.run("plain"))!;
  assertMatch(await client.prefect(`flow-run logs ${id}`), /hello world/);

  await using pausing = client.startScript("flows3.py", "paused");
  const { id: paused } = await client.reaches("paused", "PAUSED", pausing);
  await client.python("resume3.py", paused);
  const { code, output } = await pausing.ended();
  assertEquals(code, 0, output);
  assertEquals((await client.run("paused"))?.state_type, "COMPLETED");
  assertEquals(client.unanswered(), ["WebSocket /events/in"]);
});

Deno.test("3.8.8: a flow that calls another one fails, as long as there are no task runs", async () => {
  await using client = await start();
  assertMatch(await client.python("flows3.py", "parent"), /parent: Failed/);
  assertEquals(client.unanswered(), ["POST /task_runs/", "WebSocket /events/in"]);
});

Deno.test("3.8.8: a worker runs a deployment, and stops a run that is cancelled", async () => {
  await using client = await start();
  await client.prefect("work-pool create p --type process");
  await client.python("deploy3.py", "p");
  await using worker = client.start("prefect", ["worker", "start", "--pool", "p", "--type", "process"]);
  await client.prefect("deployment run plain/d --param name=bob");
  await client.reaches("plain", "COMPLETED", worker);
  await client.prefect("deployment run sleepy/d");
  const { id } = await client.reaches("sleepy", "RUNNING", worker);
  await client.prefect(`flow-run cancel ${id}`);
  await client.reaches("sleepy", "CANCELLED", worker);
  assertEquals((await client.ask<{ status: string }>("/work_pools/p")).status, "READY");
  await worker.interrupt();
  assertEquals(client.unanswered(), [...EVENTS, CHANNEL]);
});

Deno.test("3.8.8: serve() runs what run_deployment() asks for, and pauses its deployment when it ends", async () => {
  await using client = await start();
  await using serving = client.startScript("serve3.py");
  const isPaused = async () =>
    (await client.ask<{ paused: boolean }>("/deployments/name/plain/served")).paused;
  await serving.says(/Your flow 'plain' is being served/);
  assertEquals(await isPaused(), false);
  assertMatch(await client.python("run_deployment3.py", "plain/served"), /ended as Completed/);
  await serving.interrupt();
  assertEquals(await isPaused(), true);
  assertEquals(client.unanswered(), EVENTS);
});
