import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import * as fake from "./fake_objects.ts";
import { type Answers, type FakeWorld, runCli } from "./fake_world.ts";

const done = () => new Response(null, { status: 204 });
const { id } = fake.deployment();
const PATCH = `PATCH /deployments/${id}`;
const SERVER: Answers = {
  "GET /deployments/name/etl/nightly": () => fake.deployment({ parameters: { a: 1 }, tags: ["old"] }),
  [`GET /deployments/${id}`]: () => fake.deployment({ work_pool_name: "mine" }),
  "GET /work_pools/mine": () => fake.pool({ name: "mine" }),
  "GET /flows/01a20cf9-0000-7000-8000-000000000003": () => fake.flow(),
  "POST /flow_runs/filter": () => [],
  [PATCH]: done,
};

async function update(options: string[], world: FakeWorld = {}) {
  const answers = { ...SERVER, ...world.answers };
  const outcome = await runCli(["deployment", "update", "etl/nightly", ...options], { ...world, answers });
  return { ...outcome, sent: outcome.requests.find(({ method }) => method === "PATCH")?.body };
}

Deno.test("deployment update sends what was given, over what is there", async () => {
  const cases: [string[], object][] = [
    [["-p", "b=2"], { parameters: { a: 1, b: 2 } }],
    [["-j", "command=true"], { job_variables: { command: true } }],
    [["-jv", "x=y"], { job_variables: { x: "y" } }],
    [["--tag", "a", "--tag", "b"], { tags: ["a", "b"] }],
    [["-q", "high"], { work_queue_name: "high" }],
    [["--description", "why"], { description: "why" }],
  ];
  for (const [options, change] of cases) {
    const { code, sent } = await update(options);
    assertEquals([code, sent], [0, { ...change, sluice: { move_waiting: false } }]);
  }
  assertEquals((await update([])).code, 2);
});

Deno.test("deployment update --pool takes waiting runs along when it is told to, or asks", async () => {
  const waiting: Answers = { "POST /flow_runs/filter": () => [fake.flowRun(), fake.flowRun()] };
  const moves = async (options: string[], world: FakeWorld) => {
    const { sent, err } = await update(["--pool", "mine", ...options], { answers: waiting, ...world });
    return [(sent as { sluice?: { move_waiting?: boolean } } | undefined)?.sluice?.move_waiting, err];
  };
  let asked = 0;
  const confirm = (question: string) => {
    asked++;
    return question === "Take 2 runs along that wait already in 'my-pool'?";
  };
  assertEquals(await moves([], { confirm }), [true, ""]);
  assertEquals(asked, 1);
  assertEquals(await moves(["--move-waiting"], { confirm }), [true, ""]);
  assertEquals(await moves(["--leave-waiting"], { confirm }), [false, ""]);
  assertEquals(asked, 1);
  const [isMoved, note] = await moves([], {});
  assertEquals(isMoved, false);
  assertMatch(
    String(note),
    /^2 runs of 'etl\/nightly' that wait already stay where they are; --move-waiting/,
  );
  assertEquals((await update(["--move-waiting", "--leave-waiting"])).code, 2);
});

Deno.test("deployment pause, resume, inspect and delete take names and ids", async () => {
  const answers: Answers = {
    ...SERVER,
    [`POST /deployments/${id}/pause_deployment`]: done,
    [`POST /deployments/${id}/resume_deployment`]: done,
    [`DELETE /deployments/${id}`]: done,
  };
  for (const reference of ["etl/nightly", id]) {
    for (const command of ["pause", "resume", "inspect", "delete"]) {
      const yes = command === "delete" ? ["--yes"] : [];
      const { code, err } = await runCli(["deployment", command, reference, ...yes], { answers });
      assertEquals([code, err], [0, ""], `${command} ${reference}`);
    }
  }
});

Deno.test("deployment run takes --id, a name for the run", async () => {
  const answers: Answers = { ...SERVER, [`POST /deployments/${id}/create_flow_run`]: () => fake.flowRun() };
  const { code, requests } = await runCli(["deployment", "run", "--id", id, "--flow-run-name", "mine"], {
    answers,
  });
  assertEquals([code, (requests.at(-1)?.body as { name: string }).name], [0, "mine"]);
  const nothing = await runCli(["deployment", "run"], { answers });
  assertEquals(nothing.code, 2);
  assertMatch(nothing.err, /Name a deployment as FLOW\/NAME, or give its --id\./);
});

Deno.test("deployment ls --flow-name shows the deployments of that flow, --by-created the newest first", async () => {
  const answers: Answers = {
    "POST /deployments/filter": () => [
      fake.deployment({ name: "a", created: "2026-11-23T10:00:00Z" }),
      fake.deployment({ name: "b", created: "2026-11-23T11:00:00Z" }),
    ],
    "POST /flows/filter": () => [fake.flow()],
  };
  const names = async (...options: string[]) =>
    JSON.parse((await runCli(["deployment", "ls", "-o", "json", ...options], { answers })).out)
      .map(({ name }: { name: string }) => name);
  assertEquals(await names(), ["a", "b"]);
  assertEquals(await names("--by-created"), ["b", "a"]);
  assertEquals(await names("--flow-name", "other"), []);
});

Deno.test("deployment schema prints a JSON Schema", async () => {
  const { out } = await runCli(["deployment", "schema"]);
  assertStringIncludes(JSON.parse(out).$schema, "json-schema.org");
});
