/** The server: config → KV → deps → services → app → serve. */
import { buildApp } from "./src/routes/app.ts";
import { API_VERSION } from "./src/routes/admin.ts";
import { systemClock } from "./src/runtime/clock.ts";
import { type Config, ConfigError, describeConfig, readConfig, serverHelp } from "./src/runtime/config.ts";
import type { ServerDeps } from "./src/runtime/deps.ts";
import { buildIds } from "./src/runtime/ids.ts";
import { buildLog, type Log, writeStderr, writeStdout } from "./src/runtime/log.ts";
import { lockOwner, OwnedError, type OwnerLock } from "./src/runtime/owner_lock.ts";
import { listenForStop } from "./src/runtime/process.ts";
import { systemRandom } from "./src/runtime/random.ts";
import { VERSION } from "./src/runtime/version.ts";
import { buildServices } from "./src/services/services.ts";

/** Requests in flight get this long to be answered when the server stops. */
const STOP_WITHIN_MS = 9_000;

/** The server cannot start. `message` is one line for the user. */
class StartError extends Error {}

/** A running server. */
export interface RunningServer {
  /** Address of the API, ending in `/api`. */
  url: string;
  /** Stops accepting, answers what is in flight, ends long polls, closes the KV. At most ten seconds. */
  stop(): Promise<void>;
}

/** @throws StartError with one line for the user */
export async function startServer(config: Config): Promise<RunningServer> {
  const log = buildLog({
    level: config.logLevel,
    format: config.logFormat,
    time: () => new Date().toISOString(),
    write: writeStderr,
  });
  const sharedKv = /^https?:\/\//.test(config.kv);
  const lock = sharedKv || config.kv === ":memory:" ? undefined : await own(config.kv);
  try {
    const kv = await openKv(config, sharedKv);
    const shutdown = new AbortController();
    const ids = buildIds(systemClock, systemRandom);
    const deps: ServerDeps = {
      kv,
      sharedKv,
      clock: systemClock,
      random: systemRandom,
      ids,
      log,
      shutdown: shutdown.signal,
    };
    return await listen(deps, config, { shutdown, lock, log });
  } catch (error) {
    lock?.[Symbol.dispose]();
    throw error;
  }
}

async function listen(
  deps: ServerDeps,
  config: Config,
  parts: { shutdown: AbortController; lock: OwnerLock | undefined; log: Log },
): Promise<RunningServer> {
  const app = buildApp(deps, buildServices(deps), {
    maxBodyBytes: config.maxBodyBytes,
    heartbeatSeconds: config.heartbeatSeconds,
    allowedHosts: [config.host, ...isLoopback(config.host) ? [] : ["*"], ...config.allowedHosts],
  });
  let server: Deno.HttpServer<Deno.NetAddr>;
  try {
    server = Deno.serve({ hostname: config.host, port: config.port, onListen() {} }, app.fetch);
  } catch (error) {
    deps.kv.close();
    if (error instanceof Deno.errors.AddrInUse) {
      throw new StartError(
        `Port ${config.port} of ${config.host} is in use. Stop what has it, or choose another --port.`,
      );
    }
    throw new StartError(`Cannot listen on ${config.host}:${config.port}: ${messageOf(error)}.`);
  }
  const { hostname, port } = server.addr;
  const url = `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}/api`;
  await parts.lock?.describe(`process ${Deno.pid} at ${url.replace(/\/api$/, "")}`);
  parts.log.info("Listening.", {
    version: VERSION,
    wire: API_VERSION,
    ...describeConfig({ ...config, port }),
  });
  return {
    url,
    async stop() {
      parts.shutdown.abort();
      const deadline = new AbortController();
      await Promise.race([server.shutdown(), systemClock.sleep(STOP_WITHIN_MS, deadline.signal)]);
      deadline.abort();
      deps.kv.close();
      parts.lock?.[Symbol.dispose]();
    },
  };
}

async function own(kvFile: string): Promise<OwnerLock> {
  const folder = kvFile.replace(/[^/\\]*$/, "");
  try {
    if (folder !== "") await Deno.mkdir(folder, { recursive: true });
    return await lockOwner(kvFile, systemClock);
  } catch (error) {
    if (error instanceof OwnedError) {
      throw new StartError(
        `${kvFile} is in use by another server (${error.owner}). Talk to that one, stop it, or choose another --kv.`,
      );
    }
    throw new StartError(`Cannot write ${kvFile}: ${messageOf(error)}. Choose another --kv.`);
  }
}

async function openKv(config: Config, isRemote: boolean): Promise<Deno.Kv> {
  if (isRemote && config.kvToken === undefined) {
    throw new StartError(`${config.kv} needs an access token: set SLUICE_KV_ACCESS_TOKEN.`);
  }
  // The runtime takes the token from its own variable only.
  if (isRemote) Deno.env.set("DENO_KV_ACCESS_TOKEN", config.kvToken!);
  try {
    const kv = await Deno.openKv(config.kv);
    await kv.get(["ready"]);
    return kv;
  } catch (error) {
    throw new StartError(`Cannot open the KV at ${config.kv}: ${messageOf(error)}.`);
  }
}

const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || host.startsWith("127.");

const messageOf = (error: unknown): string => error instanceof Error ? error.message : String(error);

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
    const server = await startServer(config);
    world.writeOut(welcome(config, server.url));
    await aborted(signals.stop);
    signals.hasten.addEventListener("abort", () => Deno.exit(130), { once: true });
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
    `  State ${config.kv}`,
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
