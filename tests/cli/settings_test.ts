import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import * as fake from "./fake_objects.ts";
import { type Answers, type FakeWorld, runCli } from "./fake_world.ts";
import { rowsOf } from "./rows.ts";

const done = () => new Response(null, { status: 204 });

/** Runs commands one after the other over profiles of their own. */
async function withProfiles(
  test: (sluice: (line: string, world?: FakeWorld) => ReturnType<typeof runCli>) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const SLUICE_PROFILES_PATH = `${folder}/profiles.json`;
  try {
    await test((line, { env, ...world } = {}) =>
      runCli(line.split(" "), { env: { SLUICE_PROFILES_PATH, ...env }, ...world })
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the server comes from --api, then the environment, then the profile, then the default", async () => {
  await withProfiles(async (sluice) => {
    await sluice("config set PREFECT_API_URL=http://profile/api");
    const asked = async (line: string, env: Record<string, string> = {}) =>
      (await sluice(line, { isDown: true, env })).err.replace(/^No server answers at (\S+)\. .*\n$/, "$1");
    assertEquals(await asked("work-pool ls"), "http://profile/api");
    assertEquals(await asked("work-pool ls", { PREFECT_API_URL: "http://env/api" }), "http://env/api");
    assertEquals(await asked("work-pool ls --api http://flag/api"), "http://flag/api");
    await sluice("profile create other");
    assertEquals(await asked("-p other work-pool ls"), "http://127.0.0.1:4200/api");
    assertEquals(await asked("work-pool ls", { SLUICE_PROFILE: "other" }), "http://127.0.0.1:4200/api");
    assertMatch((await sluice("--profile othr work-pool ls")).err, /^There is no profile 'othr'/);
  });
});

Deno.test("config set, view and unset keep settings in the profile and say what wins", async () => {
  await withProfiles(async (sluice) => {
    const set = await sluice("config set SLUICE_API_URL=http://a/api PREFECT_API_KEI=x", {
      env: { SLUICE_API_URL: "http://b/api" },
    });
    assertEquals(set.code, 0);
    assertStringIncludes(set.out, "Set SLUICE_API_URL to 'http://a/api' in profile 'default'.\n");
    assertMatch(set.err, /SLUICE_API_URL is also in the environment, which wins: 'http:\/\/b\/api'/);
    assertMatch(set.err, /Nothing here reads PREFECT_API_KEI; it is kept\. Nearest: PREFECT_API_URL,/);
    const view = await sluice("config view", { env: { SLUICE_PORT: "1" } });
    assertEquals(view.out.split("\n").slice(0, -1), [
      "SLUICE_PROFILE='default'",
      "PREFECT_API_KEI='x' (from profile)",
      "SLUICE_API_URL='http://a/api' (from profile)",
      "SLUICE_PORT='1' (from env)",
    ]);
    assertStringIncludes(
      (await sluice("config view --show-defaults")).out,
      "SLUICE_PORT='4200' (from default)\n",
    );
    assertMatch(
      (await sluice("config unset SLUICE_API_URL")).err,
      /^Add --yes to take SLUICE_API_URL out of/,
    );
    assertEquals((await sluice("config unset SLUICE_API_URL PREFECT_API_KEI -y")).code, 0);
    assertEquals((await sluice("config view --hide-sources")).out, "SLUICE_PROFILE='default'\n");
    assertMatch((await sluice("config unset SLUICE_PORT -y")).err, /no setting in profile 'default' named/);
    assertEquals((await sluice("config set SLUICE_PORT")).code, 2);
    assertMatch((await sluice("config set PORT=1")).err, /'PORT' is no setting/);
  });
});

Deno.test("config view shows no secrets", async () => {
  const env = { SLUICE_KV_ACCESS_TOKEN: "hush" };
  await withProfiles(async (sluice) => {
    await sluice("config set SLUICE_KV_ACCESS_TOKEN=hush");
    const { out } = await sluice("config view -o json", { env });
    assertEquals(out.includes("hush"), false);
  });
});

Deno.test("profile create, ls, use, inspect, rename and delete", async () => {
  await withProfiles(async (sluice) => {
    assertEquals((await sluice("profile create staging")).code, 0);
    await sluice("--profile staging config set SLUICE_API_URL=http://s/api");
    assertEquals((await sluice("profile inspect staging")).out, "SLUICE_API_URL='http://s/api'\n");
    assertEquals((await sluice("profile create copy --from staging")).code, 0);
    assertMatch((await sluice("profile create copy")).err, /^There is a profile 'copy' already/);
    assertEquals(
      (await sluice("profile use staging")).out,
      "Profile 'staging' is the active one: http://s/api.\n",
    );
    assertEquals(rowsOf((await sluice("profile ls")).out), [
      ["copy", "http://s/api"],
      ["default", ""],
      ["* staging", "http://s/api"],
    ]);
    assertMatch((await sluice("profile delete staging -y")).err, /is the active one: use another one first/);
    assertEquals((await sluice("profile rename staging live")).code, 0);
    assertStringIncludes((await sluice("profile ls -o json")).out, '"name": "live",\n    "is_active": true');
    assertEquals((await sluice("profile delete copy -y")).code, 0);
    assertEquals(
      (await sluice("profile use stagin")).err,
      "There is no profile 'stagin'. Nearest: 'default', 'live'.\n",
    );
  });
});

Deno.test("work-pool create --set-as-default is where deployments go that name no pool", async () => {
  const answers: Answers = {
    "POST /work_pools/": () => fake.pool({ name: "mine" }),
    "POST /work_pools/filter": () => [fake.pool({ name: "mine" })],
    "POST /flows/": () => fake.flow(),
    "POST /deployments/": () => fake.deployment(),
  };
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(file, '{"deployments": [{"name": "a", "flow": "f", "command": "x"}]}');
    await withProfiles(async (sluice) => {
      await sluice("work-pool create mine --set-as-default", { answers });
      const { err, requests } = await sluice(`deployment apply ${file}`, { answers });
      assertEquals(err, "");
      const sent = requests.find(({ path }) => path === "/deployments/")?.body;
      assertEquals((sent as { work_pool_name: string }).work_pool_name, "mine");
    });
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("variable set, get, ls, inspect and unset", async () => {
  const taken = () => Response.json({ detail: "It exists." }, { status: 409 });
  const answers: Answers = {
    "POST /variables/": ({ body }) => (body as { name: string }).name === "taken" ? taken() : fake.variable(),
    "PATCH /variables/name/taken": done,
    "GET /variables/name/bucket": () => fake.variable(),
    "GET /variables/name/number": () => fake.variable("number", 5),
    "POST /variables/filter": () => [fake.variable(), fake.variable("list", [1])],
    "DELETE /variables/name/bucket": done,
  };
  const sluice = (...args: string[]) => runCli(["variable", ...args], { answers });
  const set = await sluice("set", "bucket", '{"a": 1}', "--tag", "t");
  assertEquals(set.requests[0]?.body, { name: "bucket", value: { a: 1 }, tags: ["t"] });
  assertEquals(
    (await sluice("set", "taken", "5")).err,
    "Variable 'taken' exists already: --overwrite changes it.\n",
  );
  const overwritten = await sluice("set", "taken", "5", "--overwrite");
  assertEquals(overwritten.requests[1]?.body, { name: "taken", value: 5, tags: [] });
  assertEquals((await sluice("get", "bucket")).out, "eu\n");
  assertEquals((await sluice("get", "number")).out, "5\n");
  assertEquals((await sluice("get", "bucket", "-o", "json")).out, '"eu"\n');
  assertEquals(rowsOf((await sluice("ls")).out).map((row) => row.slice(0, 2)), [["bucket", "eu"], [
    "list",
    "[1]",
  ]]);
  assertEquals(
    (await sluice("get", "buket")).err,
    "There is no variable 'buket'. Nearest: 'bucket', 'list'.\n",
  );
  assertEquals((await sluice("unset", "bucket")).code, 1);
  assertEquals((await sluice("delete", "bucket", "-y")).out, "Deleted variable 'bucket'.\n");
});

Deno.test("server status says what is there, waits when it is told to, and fails when none answers", async () => {
  let tries = 0;
  const answers: Answers = {
    "GET /health": () => ++tries < 3 ? new Response("", { status: 503 }) : true,
    "GET /admin/version": () => "3.4.5",
    "POST /work_pools/filter": () => [fake.pool({ active_slots: 2 }), fake.pool({ is_paused: true })],
  };
  const { code, out } = await runCli(["server", "status", "--wait", "-o", "json"], { answers });
  assertEquals([code, JSON.parse(out)], [0, {
    api: "http://127.0.0.1:4200/api",
    version: "3.4.5",
    work_pools: 2,
    paused_work_pools: 1,
    slots_taken: 2,
  }]);
  const down = await runCli(["server", "status", "--wait", "--timeout", "2"], { isDown: true });
  assertEquals(down.code, 1);
  assertMatch(down.err, /^No server answers at/);
});
