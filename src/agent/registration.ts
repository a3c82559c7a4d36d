import type { Agent } from "../schemas/agent.ts";
import type { HeldRun } from "./held_run.ts";

/** The agent's standing with the server: one agent id with a session for each pool, and what was granted to them. */
export class Registration {
  readonly agentId: string;
  readonly heartbeatSeconds: number;
  /** Session ids by the name of their pool. */
  readonly sessions: ReadonlyMap<string, string>;
  readonly #runs = new Set<HeldRun>();
  #grown = new AbortController();

  constructor(agent: Agent) {
    this.agentId = agent.id;
    this.heartbeatSeconds = agent.heartbeat_seconds;
    this.sessions = new Map(agent.sessions.map(({ work_pool_name, id }) => [work_pool_name, id]));
  }

  get runs(): readonly HeldRun[] {
    return [...this.#runs];
  }

  /** Aborts when runs are added: a heartbeat under way does not speak for them. */
  get grown(): AbortSignal {
    return this.#grown.signal;
  }

  hold(runs: readonly HeldRun[]): void {
    if (runs.length === 0) return;
    for (const run of runs) {
      this.#runs.add(run);
      void run.done.then(() => this.#runs.delete(run));
    }
    this.#grown.abort();
    this.#grown = new AbortController();
  }
}
