import { DomainError } from "../errors.ts";
import { runKey, runStateKey } from "../kv/keys.ts";
import { readText } from "../kv/large_text.ts";
import { kinRange } from "../runtime/ids.ts";
import type { JsonText, RunRecord, StateRecord } from "../schemas/records.ts";

/** A state of a run's history as people see it. */
export interface StateView {
  run: string;
  state: StateRecord;
  data: JsonText | null;
}

/** Histories of runs. */
export class FlowRunStates {
  readonly #kv: Deno.Kv;

  constructor(kv: Deno.Kv) {
    this.#kv = kv;
  }

  /**
   * A state by its id, which leads to its run: the two differ in the last bits alone, so no index has to be written
   * with every state.
   *
   * @throws DomainError `not_found`
   */
  async get(id: string): Promise<StateView> {
    const { first, last } = kinRange(id);
    const runs = this.#kv.list<RunRecord>({ start: runKey(first), end: [...runKey(last), 0] });
    for await (const { value: run } of runs) {
      for await (const state of this.#of(run.id)) if (state.id === id) return await this.#view(run.id, state);
    }
    throw new DomainError("not_found", "Flow run state not found");
  }

  /** The states of a run, in order of time; none of a run that is not there. */
  async list(run: string): Promise<StateView[]> {
    const states = await Array.fromAsync(this.#of(run));
    return await Promise.all(states.map((state) => this.#view(run, state)));
  }

  async *#of(run: string): AsyncGenerator<StateRecord> {
    const prefix = runStateKey(run, 0).slice(0, 2) as Deno.KvKey;
    for await (const { value } of this.#kv.list<StateRecord>({ prefix })) yield value;
  }

  async #view(run: string, state: StateRecord): Promise<StateView> {
    return { run, state, data: state.data === null ? null : await readText(this.#kv, state.data) };
  }
}
