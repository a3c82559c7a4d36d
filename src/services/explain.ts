import { type Blocked, blockedReason } from "../domain/gate.ts";
import { type Hindrance, hindrances } from "../domain/explain.ts";
import { isTerminal, placeOf } from "../domain/run_state.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { Reason } from "../schemas/explanation.ts";
import { type Instant, type RunRecord, THIRD_PARTY } from "../schemas/records.ts";
import { formatInstant } from "../schemas/wire.ts";
import type { FlowRunView } from "./flow_run_views.ts";
import type { FlowRuns } from "./flow_runs.ts";
import type { Gates } from "./gate/gates.ts";
import { PoolGoneError } from "./gate/operation.ts";
import { Holders, namesOf } from "./holders.ts";

/** Why a run has not started, as people see it. */
export interface ExplanationView {
  run: RunRecord;
  startable: boolean;
  reasons: Reason[];
}

/** So many grants are planned at most to see what stands before a run. */
const MOST_AHEAD = 1_000;

/** Answers why a run has not started, by the function that claims. */
export class Explain {
  readonly #deps: ServerDeps;
  readonly #gates: Gates;
  readonly #runs: FlowRuns;
  readonly #holders: Holders;

  constructor(deps: ServerDeps, parts: { gates: Gates; runs: FlowRuns }) {
    this.#deps = deps;
    this.#gates = parts.gates;
    this.#runs = parts.runs;
    this.#holders = new Holders(deps.kv, parts.runs);
  }

  /** @throws DomainError `not_found` */
  async explain(id: string): Promise<ExplanationView> {
    const view = await this.#runs.get(id);
    const { run } = view;
    if (placeOf(run) !== "wait") return { run, startable: false, reasons: [await this.#elsewhere(view)] };
    try {
      return await this.#explainWaiting(view);
    } catch (error) {
      if (!(error instanceof PoolGoneError)) throw error;
      return { run, startable: false, reasons: [reason("no_pool", "Its work pool was deleted.")] };
    }
  }

  async #explainWaiting(view: FlowRunView): Promise<ExplanationView> {
    const { run } = view;
    const now = this.#deps.clock.now();
    const { plan, gate, queues, limit } = await this.#gates.of(run.pool!).inspect(() => ({
      allows: () => true,
      n: MOST_AHEAD,
      dueBefore: now,
    }), run.deployment);
    const queue = queues.byNo.get(run.queueNo);
    const found = hindrances({ run, queue, gate, limit, plan, now });
    const reasons = await Promise.all(found.map((one) => this.#toReason(one, view, now)));
    const audience = await this.#holders.audience(run, now);
    if (audience) reasons.push(reason(audience.kind, audience.message));
    return { run, startable: found.length === 0, reasons };
  }

  async #toReason(hindrance: Hindrance, view: FlowRunView, now: Instant): Promise<Reason> {
    const { run } = view;
    switch (hindrance.kind) {
      case "not_due": {
        const seconds = Math.ceil((hindrance.due - now) / 1e6);
        const message = `It is scheduled for ${formatInstant(hindrance.due)}, in ${seconds} s.`;
        return { ...reason("not_due", message), due: formatInstant(hindrance.due) };
      }
      case "behind": {
        const { ahead, then } = hindrance;
        const cause = then ? ` ${await this.#words(then, view)}` : "";
        const runs = ahead === 1 ? "1 run stands" : `${ahead} runs stand`;
        const message = `${runs} before it and will be handed out first.${cause && ` Then:${cause}`}`;
        return { ...reason("behind", message), ahead };
      }
      case "pool_full":
      case "queue_full":
      case "deployment_full": {
        const { kind, limit, held } = hindrance;
        const holders = await this.#holders.of(run, kind);
        return { ...reason(kind, await this.#words(hindrance, view)), limit, held, holders };
      }
      default:
        return reason(hindrance.kind, await this.#words(hindrance, view));
    }
  }

  async #words(blocked: Blocked, view: FlowRunView): Promise<string> {
    return blockedReason(blocked, await namesOf(this.#deps.kv, view));
  }

  /** A run that does not wait at a gate. */
  async #elsewhere({ run, poolName }: FlowRunView): Promise<Reason> {
    const { state } = run;
    if (isTerminal(state.type)) {
      return reason("ended", `It has ended as ${state.name} at ${formatInstant(state.timestamp)}.`);
    }
    if (run.session !== null) {
      const holder = run.session === THIRD_PARTY ? undefined : await this.#holders.agentOf(run);
      const where = holder ? ` to agent '${holder.name}' on ${holder.host}` : "";
      const since = formatInstant(state.timestamp);
      return run.started
        ? reason(
          "started",
          `It has started${holder ? ` on ${holder.host}` : ""}: ${state.name} since ${since}.`,
        )
        : reason(
          "handed_out",
          `It was handed out${where} and has not started yet: ${state.name} since ${since}.`,
        );
    }
    if (state.type === "PAUSED") {
      return reason("suspended", `It is ${state.name} since ${formatInstant(state.timestamp)}: resume it.`);
    }
    const message = poolName === null
      ? "It has no work pool: whoever created it has to start it."
      : `It is ${state.name} and does not wait in its work pool.`;
    return reason("no_pool", message);
  }
}

function reason(kind: Reason["kind"], message: string): Reason {
  return { kind, message, due: null, ahead: null, limit: null, held: null, holders: [] };
}
