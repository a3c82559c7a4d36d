import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parseArguments } from "../../src/cli/commander.ts";
import type { Input } from "../../src/cli/input.ts";
import { withSettings } from "../../src/cli/settings.ts";
import type { Main } from "../../src/cli/world.ts";
import { runCli } from "./fake_world.ts";

async function parse(text: string, env: Record<string, string> = {}): Promise<Input> {
  const input = parseArguments(text.split(" "), { program: "sluice", writeOut: () => {}, columns: 80 });
  if (input === undefined) throw new Error("help was asked for");
  return await withSettings(input, { env: { SLUICE_PROFILES_PATH: "/nonexistent", ...env }, os: "linux" });
}

Deno.test("parseArguments() reads every kind of option", async () => {
  const input = await parse("deployment run etl/nightly -p a=1 --param b=2 --start-in=5 -w");
  assertEquals(input.argument("DEPLOYMENT"), "etl/nightly");
  assertEquals(input.texts("param"), ["a=1", "b=2"]);
  assertEquals(input.text("start-in"), "5");
  assertEquals(input.isSet("watch"), true);
  assertEquals(input.texts("tag"), []);
  assertEquals((await parse("work-pool create a --concurrency-limit 0")).number("concurrency-limit"), 0);
});

Deno.test("parseArguments() takes the API from the option, then SLUICE_API_URL, then PREFECT_API_URL", async () => {
  const env = { PREFECT_API_URL: "http://p/api", SLUICE_API_URL: "http://s/api" };
  assertEquals((await parse("work-pool ls")).text("api"), "http://127.0.0.1:4200/api");
  assertEquals(
    (await parse("work-pool ls", { PREFECT_API_URL: "http://p/api" })).text("api"),
    "http://p/api",
  );
  assertEquals((await parse("work-pool ls", env)).text("api"), "http://s/api");
  assertEquals((await parse("work-pool ls --api http://o/api", env)).text("api"), "http://o/api");
  assertEquals((await parse("--api http://o/api work-pool ls", env)).text("api"), "http://o/api");
});

const REFUSED: [string, RegExp][] = [
  ["work-pol ls", /Unknown command 'work-pol'\. Nearest: work-pool,/],
  ["nope", /Unknown command 'nope'/],
  ["worker start -p a", /There is no 'worker' here\. Runs of every type of pool are executed by agents/],
  ["deployment schedule ls a/b", /There is no 'deployment schedule' here/],
  ["work-pool", /'work-pool' needs a second word: create, ls,/],
  ["work-pool lss", /Unknown command 'work-pool lss'\. Nearest: ls,/],
  ["work-pool create", /Missing required argument 'NAME'/],
  ["work-pool inspect a b", /Too many arguments/],
  ["work-pool ls --outptu json", /Unknown option '--outptu'\. Did you mean --output\?/],
  ["work-pool ls --output yaml", /Allowed are text and json/],
  ["work-pool create a --concurrency-limit -1", /whole number of 0 or more/],
  ["work-pool create a --concurrency-limit 1.5", /whole number of 0 or more/],
  ["work-queue create a --priority 0", /whole number of 1 or more/],
  ["work-pool create a/b", /none of \/ % & > </],
  ["work-pool set-concurrency-limit a many", /whole number of 0 or more, not 'many'/],
  ["work-pool ls --api localhost", /is a URL like http/],
  ["deployment run etl/nightly --param day", /--param takes KEY=VALUE, not 'day'/],
  ["deployment run etl/nightly --params 5", /JSON object/],
  ["deployment run etl/nightly --start-in soon", /--start-in takes seconds/],
  ["deployment run etl/nightly --start-at 5", /--start-at takes a time/],
  ["deployment run etl/nightly --start-at 2026-11-23 --start-in 5", /not both/],
];

Deno.test("cliMain() refuses what it does not understand with one line and the usage on standard error, and exit code 2", async () => {
  for (const [text, message] of REFUSED) {
    const { code, out, err, requests } = await runCli(text.split(" "));
    assertEquals([code, out, requests.length], [2, "", 0], text);
    assertMatch(err, message);
    assertEquals(err.split("\n").length, 3, err);
    assertMatch(err, /\nUsage: sluice [^]*\n$/);
  }
});

Deno.test("cliMain() names the URL and the way to a server when none answers", async () => {
  const { code, err } = await runCli(["work-pool", "ls"], { isDown: true });
  assertEquals(code, 1);
  assertEquals(
    err,
    "No server answers at http://127.0.0.1:4200/api. Start one: sluice server start (or name another by --api).\n",
  );
});

Deno.test("cliMain() says when something else than a server of ours answers", async () => {
  const answers = { "POST /work_pools/filter": () => new Response("<html>") };
  const { code, err } = await runCli(["work-pool", "ls"], { answers });
  assertEquals([code, err], [
    1,
    "POST http://127.0.0.1:4200/api/work_pools/filter was answered in an unknown way. Is it a Sluice server that listens there?\n",
  ]);
});

Deno.test("cliMain() shows where an error comes from only with --debug", async () => {
  assertEquals((await runCli(["work-pool", "ls"], { isDown: true })).err.includes("    at "), false);
  assertStringIncludes((await runCli(["work-pool", "ls", "--debug"], { isDown: true })).err, "    at ");
});

Deno.test("cliMain() hands the flags of server and agent over as they were typed", async () => {
  const calls: string[][] = [];
  const profiles: unknown[] = [];
  const record: Main = (args, env) => {
    calls.push(args);
    profiles.push(env.SLUICE_PROFILE);
    return Promise.resolve(7);
  };
  const mains = { serverMain: record, agentMain: record };
  const { code } = await runCli(["server", "start", "--port", "0", "--help"], mains);
  await runCli(["--api", "http://a/api", "agent", "start", "-p", "x", "--no-run-once"], mains);
  await runCli(["-p", "mine", "agent", "start"], mains);
  assertEquals(code, 7);
  assertEquals(profiles, [undefined, undefined, "mine"]);
  assertEquals(calls, [
    ["--port", "0", "--help"],
    ["start", "--api", "http://a/api", "-p", "x", "--no-run-once"],
    ["start"],
  ]);
});
