/** The server of an agent that was told of none. */
import type { Clock } from "../runtime/clock.ts";
import { OwnedKvError } from "../runtime/open_kv.ts";

/** A server in the agent's own process. */
export interface EphemeralServer {
  /** Ends in `/api`. */
  url: string;
  /** Where its state is. */
  place: string;
  stop(): Promise<void>;
}

/**
 * Starts a server over the default store.
 *
 * @throws OwnedKvError when another server has that, StartError, ConfigError
 */
export type StartEphemeral = (stop: AbortSignal) => Promise<EphemeralServer>;

/** Disposing ends the server, if it is the agent's own. */
export interface FoundApi extends AsyncDisposable {
  url: string;
}

/** A server that takes its store tells its address once it listens; that is waited for. */
const STARTING_TRIES = 25;
const STARTING_PAUSE_MS = 200;

/**
 * Starts a server in this process. When another server has the default store already, that one is the answer: two
 * could not have it. Either way the user is told, and how to name a server.
 *
 * @throws StartError, ConfigError
 */
export async function findApi(
  start: StartEphemeral,
  { clock, say, stop }: { clock: Clock; say: (line: string) => void; stop: AbortSignal },
): Promise<FoundApi> {
  for (let tries = 1;; tries++) {
    try {
      const server = await start(stop);
      say(`No --api, SLUICE_API_URL or profile names a server: this agent starts with an ephemeral API.`);
      say(`  ${server.url} over ${server.place}, for as long as the agent runs`);
      return { url: server.url, [Symbol.asyncDispose]: () => server.stop() };
    } catch (error) {
      if (!(error instanceof OwnedKvError)) throw error;
      const isStarting = error.address === undefined && tries < STARTING_TRIES && !stop.aborted;
      if (error.address !== undefined) return sayOwner(error.address, error, say);
      if (!isStarting) throw error;
      await clock.sleep(STARTING_PAUSE_MS, stop);
    }
  }
}

function sayOwner(address: string, { file, owner }: OwnedKvError, say: (line: string) => void): FoundApi {
  const url = `${address}/api`;
  say(
    `No --api, SLUICE_API_URL or profile names a server, and ${file} is in use by ${owner}: using that server.`,
  );
  say(`  The same by name: --api ${url}, or SLUICE_API_URL=${url}`);
  return { url, [Symbol.asyncDispose]: () => Promise.resolve() };
}
