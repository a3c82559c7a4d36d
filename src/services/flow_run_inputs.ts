import { DomainError } from "../errors.ts";
import { Commit } from "../kv/commit.ts";
import type { GroupCommit } from "../kv/group_commit.ts";
import { hashKey } from "../kv/hash.ts";
import { runDocKey, runInputKey } from "../kv/keys.ts";
import { dropPieces, packText, pointAt, readText, storeAhead, storePieces } from "../kv/large_text.ts";
import { type Entry, get } from "../kv/read.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { FlowRunInputCreateBody, FlowRunInputListBody } from "../schemas/flow_run_input.ts";
import type { LargeText, RunInputRecord } from "../schemas/records.ts";
import { refuseTooLarge, settlingAhead } from "./large_values.ts";

/** An input as people see it. */
export interface FlowRunInputView {
  run: string;
  input: RunInputRecord;
  value: string;
}

/** Most bytes of an input: its pieces are deleted in one commit. */
const LARGEST_VALUE_BYTES = 4 * 1024 * 1024;
/** How often a write is tried again when the run's description changed meanwhile. */
const ATTEMPTS = 20;

const missing = () => new DomainError("not_found", "Flow run input not found");

/** What is sent to runs: answers to a pause, and messages that a flow waits for. Apart from the run, since it may be large. */
export class FlowRunInputs {
  readonly #deps: ServerDeps;
  readonly #group: GroupCommit;

  constructor(deps: ServerDeps, group: GroupCommit) {
    this.#deps = deps;
    this.#group = group;
  }

  /** @throws DomainError `not_found`: no such run; `conflict`: it has an input with that key; `too_large` */
  async create(run: string, body: FlowRunInputCreateBody): Promise<void> {
    refuseTooLarge(body.value, "value", { most: LARGEST_VALUE_BYTES });
    const { kv, ids, clock } = this.#deps;
    const packed = packText(body.value, ids.uuid());
    const input = {
      id: ids.uuid(),
      key: body.key,
      value: packed.stored,
      sender: body.sender ?? null,
      created: clock.now(),
    };
    const pieces = new Commit();
    const ahead = await storePieces(kv, pieces, [packed]);
    await settlingAhead(kv, ahead, () => this.#add(run, input, pieces));
  }

  /** The run's description is checked, so that nothing comes to a run that is being deleted. */
  async #add(run: string, input: RunInputRecord, pieces: Commit): Promise<void> {
    const { kv, sharedKv } = this.#deps;
    const key = runInputKey(run, hashKey(input.key));
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const [doc, known] = await Promise.all([get(kv, runDocKey(run)), get(kv, key)]);
      if (!doc.value) throw new DomainError("not_found", "Flow run not found");
      if (known.value?.id === input.id) return; // applied before, and the answer was lost
      if (known.value) {
        throw new DomainError("conflict", `This run has an input with the key '${input.key}' already.`);
      }
      const commit = new Commit().check(doc).check(known).set(key, input).add(pieces);
      if (sharedKv) commit.once(input.id); // read and deleted before it is repeated, it would come back
      if (await this.#group.send(commit)) return;
    }
    throw new DomainError("contention", "The run changed while an input was added: try again.");
  }

  /** The run's inputs whose key begins with `prefix`, oldest first. None of a run that is not there. */
  async list(
    run: string,
    { prefix, limit, exclude_keys }: FlowRunInputListBody,
  ): Promise<FlowRunInputView[]> {
    const { kv } = this.#deps;
    const excluded = new Set(exclude_keys);
    const prefixOfRun = runInputKey(run, "").slice(0, 2) as Deno.KvKey;
    const inputs =
      (await Array.fromAsync(kv.list<RunInputRecord>({ prefix: prefixOfRun }), ({ value }) => value))
        .filter(({ key }) => key.startsWith(prefix) && !excluded.has(key))
        .sort((a, b) => a.id < b.id ? -1 : 1)
        .slice(0, limit);
    return await Promise.all(
      inputs.map(async (input) => ({ run, input, value: await readText(kv, input.value) })),
    );
  }

  /** The value of an input. @throws DomainError `not_found` */
  async value(run: string, key: string): Promise<string> {
    const value = await this.find(run, key);
    if (value === undefined) throw missing();
    return value;
  }

  /** {@link value}, undefined when there is none. */
  async find(run: string, key: string): Promise<string | undefined> {
    const { value: input } = await this.#entry(run, key);
    return input ? await readText(this.#deps.kv, input.value) : undefined;
  }

  /** @throws DomainError `not_found` */
  async delete(run: string, key: string): Promise<void> {
    const entry = await this.#entry(run, key);
    if (!entry.value) throw missing();
    const commit = new Commit().check(entry).delete(entry.key);
    dropPieces(commit, entry.value.value);
    // False: somebody else deleted it meanwhile, or an earlier attempt of the runtime was applied.
    await this.#group.send(commit);
  }

  /**
   * Prepares an input that is written together with a state of the run. `commit` adds it, in place of one with the
   * same key; `ahead` was stored before.
   */
  async prepare(run: string, key: string, value: string): Promise<{ commit: Commit; ahead: LargeText }> {
    const { kv, ids, clock } = this.#deps;
    const old = await this.#entry(run, key);
    const stored = await storeAhead(kv, packText(value, ids.uuid()));
    const input = { id: ids.uuid(), key, value: stored, sender: null, created: clock.now() };
    const commit = new Commit().set(runInputKey(run, hashKey(key)), input);
    pointAt(commit, stored);
    dropPieces(commit, old.value?.value);
    return { commit, ahead: stored };
  }

  async #entry(run: string, key: string): Promise<Entry<RunInputRecord>> {
    return await get(this.#deps.kv, runInputKey(run, hashKey(key)));
  }
}
