import { VERSION } from "../runtime/version.ts";
import type { AgentContext } from "./context.ts";
import { keepAlive } from "./heartbeat.ts";
import type { AgentOptions } from "./options.ts";
import { Registration } from "./registration.ts";
import { ensureTargets } from "./targets.ts";

/** Pause before registering again, so that a server which ends sessions at once is not flooded. */
const RENEW_PAUSE_MS = 1000;

/** How long the end of an agent may be held up by telling it. */
const LEAVE_MS = 2000;

/** What an agent registers as. */
export interface AgentIdentity {
  name: string;
  host: string;
}

/**
 * The registration that claims are made under, each kept alive by its own heartbeats. When the server has ended a
 * session, a new registration takes its place; the old one's heartbeats go on while runs are held under it.
 */
export class Sessions {
  readonly #identity: AgentIdentity;
  readonly #options: AgentOptions;
  readonly #context: AgentContext;
  readonly #stop: AbortSignal;
  readonly #over: AbortSignal;
  readonly #heartbeats = new Set<Promise<void>>();
  #current: Registration | undefined;
  #renewal: Promise<boolean> | undefined;

  /**
   * @param signals `stop` ends waiting for the server, `over` ends the heartbeats
   */
  constructor(
    identity: AgentIdentity,
    options: AgentOptions,
    context: AgentContext,
    signals: { stop: AbortSignal; over: AbortSignal },
  ) {
    this.#identity = identity;
    this.#options = options;
    this.#context = context;
    this.#stop = signals.stop;
    this.#over = signals.over;
  }

  /** The registration for new claims; undefined before {@link open}. */
  get current(): Registration | undefined {
    return this.#current;
  }

  /**
   * Makes sure of pools and queues, registers, and starts the heartbeats.
   *
   * @throws TargetError, ApiError, or the reason of the stop
   */
  async open(): Promise<void> {
    const { connection } = this.#context;
    const { pools, queues, prefixes, limit } = this.#options;
    await ensureTargets(this.#options, this.#context, this.#stop);
    const body = { ...this.#identity, version: VERSION, pools, queues, prefixes, limit };
    const agent = await connection.call(
      (signal) => connection.api.agents.create(body, { signal }),
      this.#stop,
    );
    const registration = new Registration(agent);
    this.#current = registration;
    const heartbeats = keepAlive(registration, this, this.#context, this.#over);
    this.#heartbeats.add(heartbeats);
    void heartbeats.finally(() => this.#heartbeats.delete(heartbeats));
  }

  /**
   * Replaces a registration whose session has ended, however long that takes.
   *
   * @returns whether there is a newer one now; false when the agent is stopping
   */
  renew(lost: Registration): Promise<boolean> {
    if (this.#current !== lost) return Promise.resolve(true);
    this.#renewal ??= this.#openAgain().finally(() => this.#renewal = undefined);
    return this.#renewal;
  }

  /** Resolves when all heartbeats have ended. */
  async closed(): Promise<void> {
    await Promise.all(this.#heartbeats);
  }

  /**
   * Says goodbye, so that the server need not wait for heartbeats that will not come. Tried once: the server finds out
   * by itself in the end, and keeps an agent whose last reports did not arrive.
   */
  async leave(): Promise<void> {
    const id = this.#current?.agentId;
    if (id === undefined) return;
    try {
      await this.#context.connection.api.agents.delete(id, { deadlineMs: LEAVE_MS });
    } catch (error) {
      this.#context.deps.log.debug("The server was not told that this agent ends.", { error });
    }
  }

  async #openAgain(): Promise<boolean> {
    const { log, clock } = this.#context.deps;
    log.warn("The server has ended this agent's session; registering again.");
    while (!this.#stop.aborted) {
      await clock.sleep(RENEW_PAUSE_MS, this.#stop);
      try {
        await this.open();
        return true;
      } catch (error) {
        if (!this.#stop.aborted) log.warn("Registering failed; trying again.", { error });
      }
    }
    return false;
  }
}
