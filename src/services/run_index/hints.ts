import {
  type DecidingColumns,
  decidingColumns,
  type DescribingColumns,
  describingColumns,
} from "../../domain/run_row.ts";
import type { RunDoc, RunRecord } from "../../schemas/records.ts";

/** What this process wrote last of a run, with the versions. */
export interface Hint {
  run?: { columns: DecidingColumns; version: string };
  doc?: { columns: DescribingColumns; version: string };
}

/** Runs that are remembered; beyond it all are forgotten, which costs reads and nothing else. */
const MOST = 20_000;

/** Runs that this process has just written, so that the packer need not read them back. */
export class Hints {
  readonly #hints = new Map<string, Hint>();

  note(version: string, mutations: readonly Deno.KvMutation[]): void {
    if (this.#hints.size > MOST) this.#hints.clear();
    for (const mutation of mutations) {
      if (mutation.type !== "set") continue;
      const [kind, id] = mutation.key;
      if (kind === "run") this.#noteRun(String(id), version, mutation.value as RunRecord);
      else if (kind === "run_doc") this.#noteDoc(String(id), version, mutation.value as RunDoc);
    }
  }

  #noteRun(id: string, version: string, run: RunRecord): void {
    const hint = this.#hints.get(id) ?? {};
    // Answers may come in another order than the commits.
    if (hint.run && hint.run.version > version) return;
    this.#hints.set(id, { ...hint, run: { columns: decidingColumns(run), version } });
  }

  #noteDoc(id: string, version: string, doc: RunDoc): void {
    const hint = this.#hints.get(id) ?? {};
    if (hint.doc && hint.doc.version > version) return;
    this.#hints.set(id, { ...hint, doc: { columns: describingColumns(doc), version } });
  }

  of(id: string): Hint | undefined {
    return this.#hints.get(id);
  }

  /** How many runs are remembered. */
  get size(): number {
    return this.#hints.size;
  }

  /** Forgets a run unless it was written after `cut`. */
  forget(id: string, cut: string): void {
    const hint = this.#hints.get(id);
    if (!hint) return;
    const isNewer = (hint.run?.version ?? "") > cut || (hint.doc?.version ?? "") > cut;
    if (!isNewer) this.#hints.delete(id);
  }
}
