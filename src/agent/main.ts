import { Api } from "../client/api.ts";
import { ApiError, type HttpOptions } from "../client/http.ts";
import { ConfigError } from "../runtime/config.ts";
import type { Deps } from "../runtime/deps.ts";
import { buildLog } from "../runtime/log.ts";
import { StartError } from "../runtime/open_kv.ts";
import { ProfilesError, readActiveProfile } from "../runtime/profiles.ts";
import { VERSION } from "../runtime/version.ts";
import { formatInstant } from "../schemas/wire.ts";
import { Connection } from "./connection.ts";
import { findApi, type FoundApi, type StartEphemeral } from "./ephemeral_api.ts";
import { startHelp } from "./flags.ts";
import { type AgentOptions, asksForHelp, type Env, parseOptions, UsageError } from "./options.ts";
import { buildProcessRunner } from "./process_runner.ts";
import { runAgent } from "./run_agent.ts";
import { runsDirectory } from "./run_folder.ts";
import { TargetError } from "./targets.ts";
import { Terminal } from "./terminal.ts";
import { Turns } from "./turns.ts";
import { agentName, WELCOME } from "./welcome.ts";

/** Batches of output that are read and sent at once; one takes about a megabyte while it is under way. */
const DELIVERIES_AT_ONCE = 6;

/** The outside world of an agent, built by the entry files. */
export interface AgentWorld {
  env: Env;
  deps: Omit<Deps, "log">;
  /** The name of this machine. */
  host: string;
  /** Writes text to standard output. Must not throw. */
  writeOut: (text: string) => void;
  /** Writes text to standard output, however long that takes to take it. Never rejects. */
  streamOut: (text: string) => Promise<void>;
  /** Writes one line to standard error. Must not throw. */
  writeErr: (line: string) => void;
  /** Aborts at the first stop signal: claim no more, let runs finish within the grace. */
  stop: AbortSignal;
  /** Aborts at the second one: end the runs now. */
  hasten: AbortSignal;
  /** Starts a server in this process, for when the user names none. */
  startEphemeral: StartEphemeral;
  /** How requests travel; `fetch` when absent. */
  fetch?: HttpOptions["fetch"];
}

/**
 * The agent's command line: `start` (the word may be left out) with its flags, `--help`, `--version`.
 *
 * @returns the exit code: 0 when it was stopped or has run once, 1 when it could not start, 2 for a wrong command line
 */
export async function agentMain(args: readonly string[], world: AgentWorld): Promise<number> {
  try {
    return await runCommand(args, world);
  } catch (error) {
    if (world.stop.aborted) return 0;
    if (!isForUser(error)) throw error;
    world.writeErr(error.message);
    return error instanceof UsageError || error instanceof ConfigError ? 2 : 1;
  }
}

/** Whether the error's message is one line that tells the user what is wrong. */
const isForUser = (error: unknown): error is Error =>
  [UsageError, ConfigError, TargetError, ApiError, StartError, ProfilesError].some((known) =>
    error instanceof known
  );

async function runCommand(args: readonly string[], world: AgentWorld): Promise<number> {
  const [first] = args;
  if (first === "--version" || first === "version") {
    world.writeOut(`sluice-agent ${VERSION}\n`);
    return 0;
  }
  const flags = first === "start" ? args.slice(1) : args;
  if (asksForHelp(flags)) {
    world.writeOut(startHelp());
    return 0;
  }
  const { settings } = await readActiveProfile({ env: world.env, os: Deno.build.os });
  const options = parseOptions(flags, world.env, settings);
  await start(options, world);
  return 0;
}

async function start(options: AgentOptions, world: AgentWorld): Promise<void> {
  const { env, host, hasten, stop, fetch } = world;
  const say = (line: string) => world.writeOut(`${line}\n`);
  if (!options.hideWelcome) world.writeOut(`${WELCOME}\n`);
  await using found: FoundApi = options.api === undefined
    ? await findApi(world.startEphemeral, { clock: world.deps.clock, say, stop })
    : { url: options.api, [Symbol.asyncDispose]: () => Promise.resolve() };
  const log = buildLog({
    level: options.logLevel,
    format: "text",
    time: () => formatInstant(world.deps.clock.now()),
    write: world.writeErr,
  });
  const deps = { ...world.deps, log };
  const api = new Api({ url: found.url, ...(fetch ? { fetch } : {}) });
  const context = {
    connection: new Connection(api, deps),
    deps,
    runner: buildProcessRunner(runsDirectory(env)),
    say,
    deliveries: new Turns(DELIVERIES_AT_ONCE),
    terminal: new Terminal(world.streamOut, deps.clock),
    streamOutput: options.streamOutput,
    env,
    cancelGraceMs: options.cancelGraceSeconds * 1000,
    hasten,
  };
  const name = options.name ?? agentName(host, deps.random);
  await runAgent({ name, host }, options, context, stop);
}
