import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import * as fake from "./fake_objects.ts";
import { type Answers, runCli, type SentRequest } from "./fake_world.ts";

const FILE = `
work_pools:
  - name: my-pool
    concurrency_limit: 3
    queues:
      - { name: high, priority: 1, concurrency_limit: 1 }
      - { name: default, concurrency_limit: 5 }
deployments:
  - name: nightly
    flow: etl
    command: "true"
    work_pool: { name: my-pool, work_queue_name: high }
`;

const SERVER: Answers = {
  "POST /work_pools/filter": () => [],
  "POST /work_pools/": () => fake.pool(),
  "POST /work_pools/my-pool/queues/filter": () => [fake.queue()],
  "POST /work_pools/my-pool/queues": () => fake.queue({ name: "high" }),
  "PATCH /work_pools/my-pool/queues/default": () => new Response(null, { status: 204 }),
  "POST /flows/": () => fake.flow(),
  "POST /deployments/": () => fake.deployment(),
};

async function apply(text: string, answers: Answers, args: string[] = [], env: Record<string, string> = {}) {
  const file = await Deno.makeTempFile({ suffix: ".yaml" });
  try {
    await Deno.writeTextFile(file, text);
    const outcome = await runCli(["deployment", "apply", file, ...args], { answers, env });
    return { ...outcome, file, changes: outcome.requests.filter(isChange).map(({ path }) => path) };
  } finally {
    await Deno.remove(file);
  }
}

const isChange = ({ method, path }: SentRequest): boolean => method !== "GET" && !path.endsWith("/filter");

Deno.test("deployment apply creates pools, queues and deployments, and says what to type next", async () => {
  const { code, out, requests } = await apply(FILE, SERVER);
  assertEquals(code, 0);
  const sent = (path: string) => requests.find((request) => isChange(request) && request.path === path)?.body;
  assertEquals(sent("/work_pools/"), { name: "my-pool", concurrency_limit: 3, description: null });
  assertEquals(sent("/work_pools/my-pool/queues"), { name: "high", priority: 1, concurrency_limit: 1 });
  assertEquals(sent("/work_pools/my-pool/queues/default"), { concurrency_limit: 5 });
  assertMatch(JSON.stringify(sent("/deployments/")), /"work_pool_name":"my-pool","work_queue_name":"high"/);
  assertStringIncludes(out, "Created work pool 'my-pool'.\n");
  assertMatch(out, /etl\/nightly .* created/);
  assertStringIncludes(out, "sluice deployment run etl/nightly --watch\n");
});

Deno.test("deployment apply leaves existing pools and queues as they are, and says where they differ", async () => {
  const answers: Answers = {
    ...SERVER,
    "POST /work_pools/filter": () => [fake.pool()],
    "GET /work_pools/my-pool": () => fake.pool({ concurrency_limit: 0 }),
    "POST /work_pools/my-pool/queues/filter": () => [
      fake.queue({ name: "high", concurrency_limit: 1 }),
      fake.queue({ concurrency_limit: null }),
    ],
    "POST /deployments/": () => fake.deployment({ updated: "2026-11-23T12:00:00Z" }),
  };
  const { out, changes } = await apply(FILE, answers);
  assertEquals(changes, ["/flows/", "/deployments/"]);
  assertStringIncludes(
    out,
    "Work pool 'my-pool' was left as it is: its concurrency_limit is 0, in the file 3.\n",
  );
  assertStringIncludes(
    out,
    "Work queue 'default' of 'my-pool' was left as it is: its concurrency_limit is None",
  );
  assertMatch(out, /etl\/nightly .* updated/);
});

Deno.test("deployment apply reports problems as file:line, and applies nothing", async () => {
  const bad = FILE.replace("command:", "comand:").replace("priority: 1", "priority: 0");
  const { code, out, err, file, requests } = await apply(bad, SERVER);
  assertEquals([code, out, requests], [1, "", []]);
  assertEquals(err.trimEnd().split("\n").map((line) => line.replace(file, "FILE")), [
    "FILE:6: 'priority' must be 1 or more, not 0.",
    "FILE:11: Unknown key 'comand'. Did you mean 'command' or 'name'?",
    "Nothing was applied: 2 problems in FILE.",
  ]);
});

Deno.test("deployment apply refuses a work pool that nobody has, with the nearest names", async () => {
  const bad = FILE.replace("{ name: my-pool, work", "{ name: my-pol, work");
  const { code, err, file, changes } = await apply(bad, SERVER);
  assertEquals([code, changes], [1, []]);
  assertStringIncludes(err, `${file}:12: There is no work pool 'my-pol'. Nearest: 'my-pool'.`);
});

Deno.test("deployment apply --output json keeps notes out of the answer", async () => {
  const { out, err } = await apply(FILE, SERVER, ["-o", "json"]);
  assertEquals(JSON.parse(out), [fake.deployment()]);
  assertStringIncludes(err, "Created work pool");
});

Deno.test("deployment apply says when there is no such file", async () => {
  const { code, err } = await runCli(["deployment", "apply", "no-such.yaml"]);
  assertEquals([code, err], [1, "Cannot read no-such.yaml: there is no such file.\n"]);
});

Deno.test("deployment apply fills in the environment and the server's variables, and says where one is missing", async () => {
  const text = FILE.replace(
    'command: "true"',
    'command: "run {{ $FOLDER }} {{ day }}"\n    parameters: {{ prefect.variables.all }}\n    description: "in {{prefect.variables.place}}"'
      .replace("{{ prefect.variables.all }}", '"{{ prefect.variables.all }}"'),
  );
  const answers: Answers = {
    ...SERVER,
    "GET /variables/name/all": () => fake.variable("all", { day: 5 }),
    "GET /variables/name/place": () => fake.variable("place", "eu"),
  };
  const filled = await apply(text, answers, [], { FOLDER: "/data" });
  assertEquals([filled.code, filled.err], [0, ""]);
  const sent = filled.requests.find(({ path }) => path === "/deployments/")?.body as Record<string, unknown>;
  assertEquals(sent.parameters, { day: 5 });
  assertEquals(sent.description, "in eu");
  assertEquals(sent.job_variables, { command: "run /data {{ day }}" });
  const { "GET /variables/name/place": _place, ...without } = answers;
  const missing = await apply(text, without);
  assertEquals(missing.changes, []);
  assertEquals(missing.err.replaceAll(missing.file, "FILE").trimEnd().split("\n"), [
    "FILE:11: The environment has no FOLDER, for which '{{ $FOLDER }}' stands.",
    "FILE:13: The server has no variable 'place': set it by variable set place VALUE.",
    "Nothing was applied: 2 problems in FILE.",
  ]);
});

Deno.test("deployment apply --dry-run shows what would change, field by field, and changes nothing", async () => {
  const there: Answers = {
    ...SERVER,
    "POST /work_pools/filter": () => [fake.pool()],
    "GET /work_pools/my-pool": () => fake.pool(),
    "GET /deployments/name/etl/nightly": () =>
      fake.deployment({ job_variables: { command: "false" }, work_queue_name: "high", tags: ["old"] }),
  };
  const { out, changes } = await apply(FILE, there, ["--dry-run"]);
  assertEquals(changes, []);
  assertEquals(out.trimEnd().split("\n"), [
    "  work pool 'my-pool' stays as it is",
    "+ work queue 'my-pool/high' would be created",
    "  work queue 'my-pool/default' stays as it is",
    "~ deployment 'etl/nightly' would be updated",
    `      tags: ["old"] → []`,
    `      job_variables: {"command":"false"} → {"command":"true"}`,
    "This was a dry run: nothing was changed.",
  ]);
  const ofDefaultQueue = FILE.replace(", work_queue_name: high", "");
  const same: Answers = {
    ...there,
    "GET /deployments/name/etl/nightly": () => fake.deployment({ job_variables: { command: "true" } }),
  };
  assertStringIncludes(
    (await apply(ofDefaultQueue, same, ["--dry-run"])).out,
    "'etl/nightly' stays as it is\n",
  );
  const fresh = await apply(FILE, SERVER, ["--dry-run", "-o", "json"]);
  assertEquals(
    JSON.parse(fresh.out).map(({ action }: { action: string }) => action),
    ["create", "create", "create", "create"],
  );
});

Deno.test("deployment apply takes several files, whose pools all count, and applies none if one has problems", async () => {
  const pools = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(pools, '{"work_pools": [{"name": "other-pool"}]}');
    const other = FILE.replace("{ name: my-pool, work", "{ name: other-pool, work");
    assertEquals(
      (await apply(other, { ...SERVER, "POST /work_pools/other-pool/queues/filter": () => [] }, [pools]))
        .code,
      0,
    );
    await Deno.writeTextFile(pools, '{"work_pool": []}');
    const { code, err, changes } = await apply(other, SERVER, [pools]);
    assertEquals([code, changes], [1, []]);
    assertEquals(err.includes("There is no work pool"), false, err);
    assertMatch(err, /:1: Unknown key 'work_pool'\. Did you mean 'work_pools'/);
  } finally {
    await Deno.remove(pools);
  }
});
