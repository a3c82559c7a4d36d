/** The server: config → KV → deps → services → app → serve. */
import { buildApp } from "./src/routes/app.ts";
import { API_VERSION } from "./src/routes/admin.ts";
import { systemClock } from "./src/runtime/clock.ts";
import {
  type Config,
  ConfigError,
  describeConfig,
  readConfig,
  serverHelp,
  type Surroundings,
} from "./src/runtime/config.ts";
import type { ServerDeps } from "./src/runtime/deps.ts";
import { buildIds } from "./src/runtime/ids.ts";
import { buildLog, writeStderr, writeStdout } from "./src/runtime/log.ts";
import { messageOf, openKv, StartError } from "./src/runtime/open_kv.ts";
import { listenForStop } from "./src/runtime/process.ts";
import { systemRandom } from "./src/runtime/random.ts";
import { VERSION } from "./src/runtime/version.ts";
import { startScheduler } from "./src/scheduler/scheduler.ts";
import { keepPacked } from "./src/services/run_index/background.ts";
import { buildServices } from "./src/services/services.ts";

/** Requests in flight get this long to be answered when the server stops. */
const STOP_WITHIN_MS = 9_000;

/** A running server. */
export interface RunningServer {
  /** Address of the API, ending in `/api`. */
  url: string;
  /** Stops accepting, answers what is in flight, ends long polls, closes the KV. At most ten seconds. */
  stop(): Promise<void>;
}

/**
 * @param stop gives up while the server is still starting
 * @throws StartError with one line for the user
 */
export async function startServer(config: Config, stop: AbortSignal): Promise<RunningServer> {
  const log = buildLog({
    level: config.logLevel,
    format: config.logFormat,
    time: () => new Date().toISOString(),
    write: writeStderr,
  });
  const store = await openKv(config, stop);
  const shutdown = new AbortController();
  const ids = buildIds(systemClock, systemRandom);
  const deps: ServerDeps = {
    kv: store.kv,
    sharedKv: store.isShared,
    clock: systemClock,
    random: systemRandom,
    ids,
    log,
    shutdown: shutdown.signal,
  };
  try {
    const { server, background } = serve(deps, config);
    const { hostname, port } = server.addr;
    const address = `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
    await store.describeOwner(`process ${Deno.pid} at ${address}`);
    log.info("Listening.", { version: VERSION, wire: API_VERSION, ...describeConfig({ ...config, port }) });
    return {
      url: `${address}/api`,
      async stop() {
        shutdown.abort();
        const deadline = new AbortController();
        const stopped = Promise.all([server.shutdown(), background]);
        await Promise.race([stopped, systemClock.sleep(STOP_WITHIN_MS, deadline.signal)]);
        deadline.abort();
        store[Symbol.dispose]();
      },
    };
  } catch (error) {
    store[Symbol.dispose]();
    throw error;
  }
}

class PortInUseError extends StartError {
  override readonly name = "PortInUseError";
}

/** A server inside another program, which says where it is and what it keeps. */
export interface EphemeralServer extends RunningServer {
  /** Where its state is. */
  place: string;
}

/**
 * A server for a program that was told of none, over the store of the settings. When their port is taken it listens on
 * any free one. Its log says only what has to be said.
 *
 * @throws ConfigError, StartError, OwnedKvError when another server has the store
 */
export async function startEphemeral(around: Surroundings, stop: AbortSignal): Promise<EphemeralServer> {
  const read = readConfig([], around);
  const config: Config = { ...read, logLevel: read.logLevel === "info" ? "warn" : read.logLevel };
  try {
    return { ...await startServer(config, stop), place: config.kv };
  } catch (error) {
    if (!(error instanceof PortInUseError)) throw error;
    return { ...await startServer({ ...config, port: 0 }, stop), place: config.kv };
  }
}

interface Serving {
  server: Deno.HttpServer<Deno.NetAddr>;
  /** Resolves once what goes on beside the requests has stopped. */
  background: Promise<unknown>;
}

function serve(deps: ServerDeps, config: Config): Serving {
  const { host, port } = config;
  const services = buildServices(deps);
  const app = buildApp(deps, services, {
    maxBodyBytes: config.maxBodyBytes,
    heartbeatSeconds: config.heartbeatSeconds,
    allowedHosts: hostsOf(config),
  });
  try {
    const server = Deno.serve({ hostname: host, port, onListen() {} }, app.fetch);
    void services.leftovers.keepSweeping();
    const background = [keepPacked(deps, services.runIndex), startScheduler(deps, services).stopped];
    return { server, background: Promise.all(background) };
  } catch (error) {
    throw error instanceof Deno.errors.AddrInUse
      ? new PortInUseError(`Port ${port} of ${host} is in use. Stop what has it, or choose another --port.`)
      : new StartError(`Cannot listen on ${host}:${port}: ${messageOf(error)}.`);
  }
}

/** A server that the network reaches has names that it cannot know: there the user decides which to allow. */
function hostsOf({ host, allowedHosts }: Config): string[] {
  return isLoopback(host) || allowedHosts.length > 0 ? [host, ...allowedHosts] : ["*"];
}

const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || host.startsWith("127.");

/** The outside world of the server's command line. */
export interface ServerWorld {
  env: Readonly<Record<string, string | undefined>>;
  /** Writes text to standard output. Must not throw. */
  writeOut: (text: string) => void;
  /** Writes one line to standard error. Must not throw. */
  writeErr: (line: string) => void;
  /** How the user started this; stands in `--help`. */
  command?: string;
}

/** The server as a command. Returns the exit code once it has stopped. */
export async function serverMain(args: readonly string[], world: ServerWorld): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    world.writeOut(serverHelp(world.command ?? "deno task start"));
    return 0;
  }
  try {
    const config = readConfig(args, { env: world.env, os: Deno.build.os });
    using signals = listenForStop();
    signals.hasten.addEventListener("abort", () => Deno.exit(130), { once: true });
    const server = await startServer(config, signals.stop);
    world.writeOut(welcome(config, server.url));
    await aborted(signals.stop);
    await server.stop();
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof StartError)) throw error;
    world.writeErr(error.message);
    return error instanceof ConfigError ? 2 : 1;
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

function welcome(config: Config, url: string): string {
  const lines = [
    `Sluice ${VERSION} listens on ${url.replace(/\/api$/, "")}`,
    `  API   ${url}`,
    `  Docs  ${url.replace(/\/api$/, "/docs")}`,
    `  State ${config.kv}`,
    `  Try   curl ${url}/health`,
  ];
  if (config.kv === ":memory:") lines.push("  Nothing is kept when it stops: --kv names a file that is.");
  if (!isLoopback(config.host)) {
    lines.push(
      `  Warning: everybody who reaches ${config.host} can use it. There are no logins in this release.`,
    );
  }
  return `${lines.join("\n")}\n`;
}

if (import.meta.main) {
  Deno.exit(
    await serverMain(Deno.args, { env: Deno.env.toObject(), writeOut: writeStdout, writeErr: writeStderr }),
  );
}
