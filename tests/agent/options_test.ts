import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { START_FLAGS, startHelp } from "../../src/agent/flags.ts";
import {
  type AgentOptions,
  asksForHelp,
  type Env,
  parseOptions,
  UsageError,
} from "../../src/agent/options.ts";

function parse(args: string[], env: Env = {}, profile: Record<string, string> = {}): AgentOptions {
  return parseOptions(args, env, profile);
}

Deno.test("parseOptions() fills in every default", () => {
  assertEquals(parse(["-p", "my-pool"]), {
    api: undefined,
    pools: ["my-pool"],
    queues: [],
    prefixes: [],
    limit: undefined,
    prefetchSeconds: 10,
    runOnce: false,
    streamOutput: undefined,
    hideWelcome: false,
    create: true,
    name: undefined,
    graceSeconds: 30,
    cancelGraceSeconds: 10,
    logLevel: "info",
  });
});

Deno.test("parseOptions() reads every flag, long and short, with a space or =", () => {
  const long = "--pool=a --pool b --work-queue q --match dev- --limit 5 --prefetch-seconds=2.5 --run-once " +
    "--hide-welcome --stream-output --no-create --name n --grace 1 --cancel-grace 0 --log-level debug --api http://h/api";
  assertEquals(parse(long.split(" ")), {
    api: "http://h/api",
    pools: ["a", "b"],
    queues: ["q"],
    prefixes: ["dev-"],
    limit: 5,
    prefetchSeconds: 2.5,
    runOnce: true,
    streamOutput: true,
    hideWelcome: true,
    create: false,
    name: "n",
    graceSeconds: 1,
    cancelGraceSeconds: 0,
    logLevel: "debug",
  });
  assertEquals(parse(["-p", "a", "--no-stream-output"]).streamOutput, false);
  const short = parse(["-p", "a", "-p", "a", "-q", "q", "-m", "x", "-l", "2", "--run-once", "--no-run-once"]);
  assertEquals([short.pools, short.queues, short.prefixes, short.limit, short.runOnce], [
    ["a"],
    ["q"],
    ["x"],
    2,
    false,
  ]);
});

Deno.test("parseOptions() puts queues and prefixes without a pool into default-agent-pool", () => {
  assertEquals(parse(["-q", "q"]).pools, ["default-agent-pool"]);
  assertEquals(parse(["-m", "dev-"]).pools, ["default-agent-pool"]);
});

Deno.test("parseOptions() takes API and prefetch from the environment, ours first, flags above both", () => {
  const reference = { PREFECT_API_URL: "http://p/api", PREFECT_AGENT_PREFETCH_SECONDS: "3" };
  const both = { ...reference, SLUICE_API_URL: "http://s/api", SLUICE_AGENT_PREFETCH_SECONDS: "4" };
  const of = (args: string[], env: Env) => {
    const { api, prefetchSeconds } = parse(["-p", "x", ...args], env);
    return [api, prefetchSeconds];
  };
  assertEquals(of([], reference), ["http://p/api", 3]);
  assertEquals(of([], both), ["http://s/api", 4]);
  assertEquals(of(["--api", "http://f/api", "--prefetch-seconds", "0"], both), ["http://f/api", 0]);
  assertEquals(of([], { SLUICE_API_URL: "" }), [undefined, 10]);
});

Deno.test("parseOptions() takes from the profile what neither flag nor environment says", () => {
  const profile = {
    SLUICE_API_URL: "http://profile/api",
    PREFECT_AGENT_PREFETCH_SECONDS: "7",
    SLUICE_LOG_LEVEL: "warn",
  };
  const of = (args: string[], env: Env) => {
    const { api, prefetchSeconds, logLevel } = parse(["-p", "x", ...args], env, profile);
    return [api, prefetchSeconds, logLevel];
  };
  assertEquals(of([], {}), ["http://profile/api", 7, "warn"]);
  assertEquals(of([], { PREFECT_API_URL: "http://env/api", SLUICE_LOG_LEVEL: "error" }), [
    "http://env/api",
    7,
    "error",
  ]);
  assertEquals(of(["--api", "http://flag/api"], { PREFECT_API_URL: "http://env/api" })[0], "http://flag/api");
  const { message } = assertThrows(() => parse(["-p", "x"], {}, { SLUICE_API_URL: "nowhere" }), UsageError);
  assertStringIncludes(message, "SLUICE_API_URL of your profile");
});

Deno.test("parseOptions() refuses what it cannot understand, in one line that says what to do", () => {
  const cases: [args: string[], message: string, env?: Env][] = [
    [[], "-p"],
    [["--limit", "3"], "Nothing to pull from"],
    [["-p", "x", "--limit", "0"], "1 or more"],
    [["-p", "x", "--limit=-2"], "1 or more"],
    [["-p", "x", "--limit", "many"], "many"],
    [["-p", "x", "--prefetch-seconds", "soon"], "--prefetch-seconds takes seconds"],
    [["-p", "x"], "SLUICE_AGENT_PREFETCH_SECONDS takes seconds", { SLUICE_AGENT_PREFETCH_SECONDS: "-1" }],
    [["-p", "x", "--prefech-seconds", "3"], "Did you mean --prefetch-seconds?"],
    [["-p", "x", "--no-creat"], "Did you mean --no-create?"],
    [["-p", "x", "-z"], "Unknown option -z"],
    [["-p", "x", "--log-level", "loud"], "error, warn, info, debug"],
    [["-p", "x", "--api", "localhost:4200"], "is a URL like http://127.0.0.1:4200/api"],
    [["-p"], "--pool needs a value"],
    [["-p", "x", "--name"], "--name needs a value"],
    [["my-pool"], "-p my-pool"],
  ];
  for (const [args, expected, env] of cases) {
    const { message } = assertThrows(() => parseOptions(args, env ?? {}), UsageError);
    assertStringIncludes(message, expected);
    assertEquals(message.includes("\n"), false, message);
  }
});

Deno.test("startHelp() names every flag", () => {
  assertEquals([asksForHelp(["-h"]), asksForHelp(["--help", "-p", "x"]), asksForHelp(["-p", "x"])], [
    true,
    true,
    false,
  ]);
  for (const { name } of START_FLAGS) assertStringIncludes(startHelp(), `--${name}`);
});
