import { type Blocked, blockedReason } from "../domain/gate.ts";
import { type Answer, planTransition } from "../domain/plan_transition.ts";
import { DomainError } from "../errors.ts";
import { Commit } from "../kv/commit.ts";
import { gateKey, runDocKey, runKey, runStateKey } from "../kv/keys.ts";
import { packText, pointAt, storeAhead } from "../kv/large_text.ts";
import { get } from "../kv/read.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { JsonText, LargeText, RunRecord } from "../schemas/records.ts";
import type { StateCreate } from "../schemas/state.ts";
import { refuseTooLarge, settlingAhead } from "./large_values.ts";
import type { FlowRuns } from "./flow_runs.ts";
import type { Gates } from "./gate/gates.ts";
import { Holders, namesOf } from "./holders.ts";
import { PoolGoneError } from "./gate/operation.ts";
import {
  dataOf,
  MovedError,
  type StateProposal,
  toProposal,
  transition,
  type TransitionResult,
} from "./gate/run_operations.ts";
import { fromStateCreate } from "./proposed_state.ts";

/** What became of a proposed state. */
export interface SetStateView {
  answer: Answer;
  /** The run as it is now. */
  run: RunRecord;
  /** `data` of its state. */
  stateData: JsonText | null;
  /** Whether a state was written, be it the proposed one or the one that took its place. */
  isWritten: boolean;
}

export interface SetStateRequest {
  run: string;
  state: StateCreate;
  force: boolean;
  /** The claim token that came with the request. */
  token: string | undefined;
  /** Id of the pause that this ends on behalf of the run's holder, so that no token is needed. */
  resumes?: string;
  /** Id of the state that the run has to be in still. */
  onlyFrom?: string;
  /** Written together with the state, if it is accepted. Has no checks. */
  beside?: Commit | undefined;
}

/** How often a run without a gate is decided anew when it changed meanwhile. */
const ATTEMPTS = 100;
/** Holders named in a refusal. */
const NAMED_HOLDERS = 3;

/** Decides about proposed states: at the gate of the run's pool, or on the run's own record when it has none. */
export class SetState {
  readonly #deps: ServerDeps;
  readonly #gates: Gates;
  readonly #runs: FlowRuns;
  readonly #holders: Holders;

  constructor(deps: ServerDeps, gates: Gates, runs: FlowRuns) {
    this.#deps = deps;
    this.#gates = gates;
    this.#runs = runs;
    this.#holders = new Holders(deps.kv, runs);
  }

  /**
   * @throws DomainError `missing_object`: no such run; `stale_token`: the token is not current; `unknown_outcome`
   */
  async propose(request: SetStateRequest): Promise<SetStateView> {
    const proposal = await this.#toProposal(request);
    return await settlingAhead(this.#deps.kv, [proposal.data], () => this.#settle(proposal));
  }

  async #settle(proposal: StateProposal): Promise<SetStateView> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const hint = attempt === 0 ? this.#gates.hintOf(proposal.run) : undefined;
      const result = await this.#decide(proposal, hint);
      if (result === "again") continue;
      if (result.kind === "stale") {
        throw new DomainError(
          "stale_token",
          "The claim token is not current: another attempt owns this run.",
        );
      }
      if (result.kind === "blocked") return await this.#refuse(result);
      return await this.#view(result.answer, result.run, result.isWritten);
    }
    throw new DomainError("contention", "The run changed while its state was being set: try again.");
  }

  async #toProposal({ run, state, ...given }: SetStateRequest): Promise<StateProposal> {
    const { ids, clock } = this.#deps;
    const proposed = fromStateCreate(state, state.type, clock.now());
    const data = proposed.hasData && state.data !== undefined ? await this.#store(state.data) : null;
    return { run, proposed, data, ...given, stateId: ids.kin(run), pauseKey: ids.uuid() };
  }

  /** Large data is stored ahead, so that the gate's commits stay small. */
  async #store(data: JsonText): Promise<LargeText> {
    refuseTooLarge(data, "data", { field: ["state", "data"] });
    return await storeAhead(this.#deps.kv, packText(data, this.#deps.ids.uuid()));
  }

  async #requireRun(id: string): Promise<RunRecord> {
    const { value } = await get(this.#deps.kv, runKey(id));
    if (!value) throw missingRun(id);
    return value;
  }

  async #decide(proposal: StateProposal, hinted?: string): Promise<TransitionResult | "again"> {
    const { clock } = this.#deps;
    const pool = hinted ?? (await this.#requireRun(proposal.run)).pool;
    if (pool === null) return await this.#decideAlone(proposal);
    try {
      return await this.#gates.of(pool).submit(transition(proposal, () => clock.now()));
    } catch (error) {
      if (error instanceof PoolGoneError) return await this.#decideAlone(proposal);
      if (error instanceof MovedError) return "again";
      if (error instanceof DomainError && error.code === "not_found") throw missingRun(proposal.run);
      throw error;
    }
  }

  /** A run without pool, or whose pool is gone, is guarded by its own record and by the gate's absence. */
  async #decideAlone(proposal: StateProposal): Promise<TransitionResult | "again"> {
    const { kv, clock } = this.#deps;
    const [entry, doc] = await Promise.all([get(kv, runKey(proposal.run)), get(kv, runDocKey(proposal.run))]);
    if (!entry.value) throw missingRun(proposal.run);
    const run: RunRecord = { ...entry.value, pool: null, queue: null };
    const plan = planTransition(toProposal(proposal, run, doc.value, clock.now()));
    if (plan.kind === "stale") return plan;
    if (plan.kind === "answer") return { kind: "answered", answer: plan.answer, run, isWritten: false };
    const data = dataOf(proposal, plan.next);
    const commit = new Commit().check(entry).writeRun(entry.value, plan.next)
      .set(runStateKey(run.id, plan.next.state.timestamp), { ...plan.next.state, data });
    pointAt(commit, data);
    if (proposal.beside && plan.answer.status === "ACCEPT") commit.add(proposal.beside);
    if (entry.value.pool !== null) commit.checkAbsent(gateKey(entry.value.pool));
    if (!(await commit.send(kv)).ok) return "again";
    return { kind: "answered", answer: plan.answer, run: plan.next, isWritten: true };
  }

  async #view(answer: Answer, run: RunRecord, isWritten: boolean): Promise<SetStateView> {
    const stateData = run.state.hasData ? (await this.#runs.get(run.id)).stateData : null;
    return { answer, run, stateData, isWritten };
  }

  /** No slot: the run keeps its state, its time and its place in the order. */
  async #refuse({ blocked, run }: { blocked: Blocked; run: RunRecord }): Promise<SetStateView> {
    const reason = blockedReason(blocked, await namesOf(this.#deps.kv, await this.#runs.get(run.id)));
    const holders = await this.#holdersOf(run, blocked);
    return await this.#view({ status: "ABORT", reason: `${reason}${holders}` }, run, false);
  }

  async #holdersOf(run: RunRecord, blocked: Blocked): Promise<string> {
    if (!("held" in blocked)) return "";
    const named = await this.#holders.of(run, blocked.kind, NAMED_HOLDERS);
    if (named.length === 0) return "";
    const more = blocked.held > named.length ? ` and ${blocked.held - named.length} more` : "";
    return ` Held by ${named.map(({ name }) => name).join(", ")}${more}.`;
  }
}

const missingRun = (id: string) => new DomainError("missing_object", `Flow run with id ${id} not found`);
