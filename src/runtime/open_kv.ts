/** Where the server keeps its state: opened, owned, and proven to answer before anything else is built on it. */
import { systemClock } from "./clock.ts";
import type { Config } from "./config.ts";
import { lockOwner, OwnedError, type OwnerLock } from "./owner_lock.ts";

/** The server cannot start. `message` is one line for the user. */
export class StartError extends Error {
  override readonly name: string = "StartError";
}

/** Another process has the file. */
export class OwnedKvError extends StartError {
  override readonly name = "OwnedKvError";
  readonly file: string;
  /** What the owner says about itself: `process 12 at http://127.0.0.1:4200`. */
  readonly owner: string;

  constructor(file: string, owner: string) {
    super(
      `${file} is in use by another server (${owner}). Talk to that one, stop it, or choose another --kv.`,
    );
    this.file = file;
    this.owner = owner;
  }

  /** Where the owner listens; undefined while it is still starting. */
  get address(): string | undefined {
    return / at (https?:\/\/\S+)$/.exec(this.owner)?.[1];
  }
}

/** The server's store. Disposing closes it and lets others have its file. */
export interface OpenedKv extends Disposable {
  kv: Deno.Kv;
  /** Whether other processes may use it too (KV Connect). */
  isShared: boolean;
  /** Says who has the file, for those who come too late. */
  describeOwner(owner: string): Promise<void>;
}

/** A KV Connect server that has not answered by then is taken as unreachable: older runtimes would try for ever. */
const ANSWER_WITHIN_MS = 5_000;

/**
 * Opens the KV of the settings; folders on the way to its file are made.
 *
 * @param stop gives up waiting for a KV Connect server
 * @throws StartError when it cannot be had
 */
export async function openKv(config: Config, stop: AbortSignal): Promise<OpenedKv> {
  const isShared = /^https?:\/\//.test(config.kv);
  const lock = isShared || config.kv === ":memory:" ? undefined : await own(config.kv);
  try {
    const kv = isShared ? await openShared(config, stop) : await openAnswering(config.kv);
    return {
      kv,
      isShared,
      describeOwner: (owner) => lock?.describe(owner) ?? Promise.resolve(),
      [Symbol.dispose]() {
        kv.close();
        lock?.[Symbol.dispose]();
      },
    };
  } catch (error) {
    lock?.[Symbol.dispose]();
    throw error;
  }
}

async function own(kvFile: string): Promise<OwnerLock> {
  const folder = kvFile.replace(/[^/\\]*$/, "");
  try {
    if (folder !== "") await Deno.mkdir(folder, { recursive: true });
    // The same file under another name has the same owner.
    return await lockOwner(await Deno.realPath(kvFile).catch(() => kvFile), systemClock);
  } catch (error) {
    if (error instanceof OwnedError) throw new OwnedKvError(kvFile, error.owner);
    throw new StartError(`Cannot write ${kvFile}: ${messageOf(error)}. Choose another --kv.`);
  }
}

async function openShared({ kv: url, kvToken }: Config, stop: AbortSignal): Promise<Deno.Kv> {
  if (kvToken === undefined) {
    throw new StartError(`${url} needs an access token: set SLUICE_KV_ACCESS_TOKEN.`);
  }
  // The runtime takes the token from its own variable only.
  Deno.env.set("DENO_KV_ACCESS_TOKEN", kvToken);
  const decided = new AbortController();
  const patience = systemClock.sleep(ANSWER_WITHIN_MS, AbortSignal.any([decided.signal, stop]));
  try {
    const kv = await Promise.race([openAnswering(url), patience]);
    if (kv) return kv;
  } finally {
    decided.abort();
  }
  throw new StartError(
    stop.aborted
      ? `Stopped before the KV at ${url} answered.`
      : `The KV at ${url} does not answer. Check the address, or start that KV Connect server first.`,
  );
}

async function openAnswering(place: string): Promise<Deno.Kv> {
  try {
    const kv = await Deno.openKv(place);
    await kv.get(["ready"]);
    return kv;
  } catch (error) {
    throw new StartError(`Cannot open the KV at ${place}: ${messageOf(error)}.`);
  }
}

/** What an error says. */
export const messageOf = (error: unknown): string => error instanceof Error ? error.message : String(error);
