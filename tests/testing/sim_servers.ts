/** The servers of a simulated world, and how its clients reach them. */
import { DomainError } from "../../src/errors.ts";
import { buildServices, type Services } from "../../src/services/services.ts";
import { simDeps } from "./fake_deps.ts";
import { FakeKv, type KvFaults } from "./fake_kv.ts";
import type { FakeKvStore } from "./fake_kv_store.ts";
import type { SimScheduler } from "./sim_scheduler.ts";

/** What a client got: an answer, a refusal, or nothing (the reply was lost, or the server died). */
export type Reply<T> = { kind: "answer"; value: T } | { kind: "refusal"; error: DomainError } | {
  kind: "lost";
};

/** Chance that a reply does not arrive. */
const LOST_REPLY = 0.04;
/** A client gives a request up after this long. */
const CLIENT_TIMEOUT_MS = 40_000;

export interface SimServersOptions {
  scheduler: SimScheduler;
  store: FakeKvStore;
  faults: KvFaults;
  /** Makes the KV handle of a process; a planted bug may lie in it. */
  openKv?: (kv: FakeKv) => Deno.Kv;
}

export class SimServers {
  /** Set for the end of a world: replies arrive. */
  isCalm = false;
  readonly #options: SimServersOptions;
  readonly #running: { who: string; services: Services }[] = [];
  #boots = 0;

  constructor(options: SimServersOptions, count: number) {
    this.#options = options;
    for (let i = 0; i < count; i++) this.#boot(i);
  }

  #boot(i: number): void {
    const { scheduler, store, faults, openKv } = this.#options;
    const who = `server${i}.${++this.#boots}`;
    const kv = new FakeKv(store, { who, scheduler, faults });
    this.#running[i] = { who, services: buildServices(simDeps(scheduler, who, openKv?.(kv) ?? kv)) };
  }

  /** One of the servers dies, and another starts in its place. */
  crash(): void {
    const i = this.#options.scheduler.random.int(this.#running.length);
    this.#options.scheduler.kill(this.#running[i]!.who);
    this.#boot(i);
  }

  /** A request of `client` to some server. `who` is the server's process. */
  async call<T>(
    client: string,
    request: (services: Services, who: string, signal: AbortSignal) => Promise<T>,
  ): Promise<Reply<T>> {
    const { scheduler } = this.#options;
    await scheduler.point(client, "request");
    const { services, who } = this.#running[scheduler.random.int(this.#running.length)]!;
    const gone = new AbortController();
    const over = new AbortController();
    const served = request(services, who, gone.signal).then(
      (value): Reply<T> => ({ kind: "answer", value }),
      (error): Reply<T> =>
        error instanceof DomainError && !isTryAgain(error) ? { kind: "refusal", error } : lost(error),
    );
    const timeout = scheduler.sleep(client, CLIENT_TIMEOUT_MS, over.signal).then((): Reply<T> => ({
      kind: "lost",
    }));
    const reply = await Promise.race([served, timeout]);
    gone.abort();
    over.abort();
    if (!this.isCalm && scheduler.random.chance(LOST_REPLY)) return { kind: "lost" };
    await scheduler.point(client, "reply");
    return reply;
  }

  async #timeout<T>(client: string, signal: AbortSignal): Promise<Reply<T>> {
    await this.#options.scheduler.sleep(client, CLIENT_TIMEOUT_MS, signal);
    return { kind: "lost" };
  }
}

const isTryAgain = ({ code }: DomainError): boolean => code === "contention" || code === "unknown_outcome";

/** A 500 or 503 tells the client as little as no answer. Any other error is a bug, and ends the world. */
function lost(error: unknown): { kind: "lost" } {
  const isFault = error instanceof DomainError ||
    (error instanceof Error && /simulated|locked/.test(error.message));
  if (!isFault) throw error;
  return { kind: "lost" };
}
