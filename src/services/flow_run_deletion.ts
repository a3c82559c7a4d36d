import { DomainError } from "../errors.ts";
import { Commit } from "../kv/commit.ts";
import type { GroupCommit } from "../kv/group_commit.ts";
import { hashKey } from "../kv/hash.ts";
import {
  deletedRunKey,
  gateKey,
  idempotencyKey,
  runDocKey,
  runInputKey,
  runKey,
  runStateKey,
} from "../kv/keys.ts";
import { dropPieces } from "../kv/large_text.ts";
import { type Entry, get } from "../kv/read.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { LargeText, RunInputRecord, RunRecord, StateRecord } from "../schemas/records.ts";
import type { Gates } from "./gate/gates.ts";
import { PoolGoneError } from "./gate/operation.ts";
import { MovedError, remove } from "./gate/run_operations.ts";
import type { Logs } from "./logs.ts";

/** How often a run without a gate is deleted anew when it changed meanwhile. */
const ATTEMPTS = 20;
/** Mutations of one commit that clears up; the entry that passes this still goes into it. */
const MOST_MUTATIONS = 300;

/**
 * Deletes runs. First the run itself goes, with the slot or the place in the order that it had, and a mark comes
 * that something may be left. Then follows the rest, in commits of bounded size, the last of which takes the mark
 * along. Whoever finds a mark can go on.
 */
export class FlowRunDeletion {
  readonly #deps: ServerDeps;
  readonly #gates: Gates;
  readonly #group: GroupCommit;
  readonly #logs: Logs;

  constructor(deps: ServerDeps, { gates, group, logs }: { gates: Gates; group: GroupCommit; logs: Logs }) {
    this.#deps = deps;
    this.#gates = gates;
    this.#group = group;
    this.#logs = logs;
  }

  /** Deletes the run with all that belongs to it; a held slot is free then. @throws DomainError `not_found` */
  async delete(id: string): Promise<void> {
    const isDeleted = await this.deleteIf(id, () => true);
    if (!isDeleted) throw new DomainError("not_found", "Flow run not found");
  }

  /**
   * The same, if `isMeant` says so of the run as it is in the moment in which it goes. False when it stays, or was not
   * there. `beside` goes into the same commit; it has no checks.
   */
  async deleteIf(id: string, isMeant: (run: RunRecord) => boolean, beside?: Commit): Promise<boolean> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const entry = await get(this.#deps.kv, runKey(id));
      if (!entry.value) {
        await this.finish(id);
        return false;
      }
      if (!isMeant(entry.value)) return false;
      const isDeleted = await this.#deleteRun(entry, entry.value, { isMeant, beside });
      if (!isDeleted) continue;
      await this.finish(id);
      return true;
    }
    throw new DomainError("contention", "The run changed while it was being deleted: try again.");
  }

  /** False when something changed meanwhile. */
  async #deleteRun(
    entry: Entry<RunRecord>,
    run: RunRecord,
    { isMeant, beside }: { isMeant: (run: RunRecord) => boolean; beside: Commit | undefined },
  ): Promise<boolean> {
    const { id } = run;
    const doc = (await get(this.#deps.kv, runDocKey(id))).value;
    const withRun = new Commit().set(deletedRunKey(id), 0);
    if (beside) withRun.add(beside);
    if (doc?.idempotencyKey) withRun.delete(idempotencyKey(run.flow, hashKey(doc.idempotencyKey)));
    if (run.pool === null) return await this.#deleteAlone(entry, run, withRun);
    try {
      return await this.#gates.of(run.pool).submit(remove(id, withRun, isMeant));
    } catch (error) {
      if (error instanceof PoolGoneError) {
        return await this.#deleteAlone(entry, run, withRun.checkAbsent(gateKey(run.pool)));
      }
      const isGone = error instanceof DomainError && error.code === "not_found";
      if (error instanceof MovedError || isGone) return false;
      throw error;
    }
  }

  async #deleteAlone(entry: Entry<RunRecord>, run: RunRecord, withRun: Commit): Promise<boolean> {
    return (await withRun.check(entry).writeRun(run, null).send(this.#deps.kv)).ok;
  }

  /** Deletes what is left of a run that was deleted. Does nothing for any other. */
  async finish(id: string): Promise<void> {
    const { kv } = this.#deps;
    for (;;) {
      const [mark, doc] = await Promise.all([get(kv, deletedRunKey(id)), get(kv, runDocKey(id))]);
      if (mark.value === null) return;
      // The description first: who adds an input checks it.
      if (doc.value) {
        const commit = new Commit().check(doc).delete(doc.key);
        for (const text of [doc.value.parameters, doc.value.context, doc.value.jobVariables]) {
          dropPieces(commit, text);
        }
        await this.#group.send(commit);
        continue;
      }
      await this.#logs.deleteOf(id);
      const commit = new Commit().check(mark);
      if (await this.#addRest(commit, id)) commit.set(deletedRunKey(id), 0);
      else commit.delete(mark.key);
      await this.#group.send(commit);
    }
  }

  /** True when the commit has no room for all of it. */
  async #addRest(commit: Commit, id: string): Promise<boolean> {
    for (const { prefix, textOf } of PARTS) {
      for await (const { key, value } of this.#deps.kv.list({ prefix: prefix(id) }, { batchSize: 100 })) {
        if (commit.mutations > MOST_MUTATIONS) return true;
        commit.delete(key);
        dropPieces(commit, textOf(value));
      }
    }
    return false;
  }
}

/** What belongs to a run beside its description: below which key, and which large text hangs on each entry. */
const PARTS: readonly { prefix(run: string): Deno.KvKey; textOf(value: unknown): LargeText | null }[] = [
  { prefix: (run) => runStateKey(run, 0).slice(0, 2), textOf: (value) => (value as StateRecord).data },
  { prefix: (run) => runInputKey(run, "").slice(0, 2), textOf: (value) => (value as RunInputRecord).value },
];
