import { toRow } from "../../domain/run_row.ts";
import { runDocKey, runKey } from "../../kv/keys.ts";
import { getMany } from "../../kv/read.ts";
import { type RunDoc, type RunRecord, STATE_TYPES } from "../../schemas/records.ts";
import type { RunRow } from "../../schemas/run_row.ts";

/** A run as its records say, and the newer of their versions; an absent run has no row. */
export interface ReadRun {
  row: RunRow | null;
  version: string;
}

/**
 * The runs of `ids`. Record and description are read together: KV answers up to ten keys as of one moment, and an even
 * number of keys keeps pairs within such a group.
 */
export async function readRuns(kv: Deno.Kv, ids: readonly string[]): Promise<ReadRun[]> {
  const entries = await getMany<RunRecord | RunDoc>(kv, ids.flatMap((id) => [runKey(id), runDocKey(id)]));
  return ids.map((_, i) => {
    const run = entries[2 * i];
    const doc = entries[2 * i + 1];
    return {
      row: run?.value && doc?.value ? toRow(run.value as RunRecord, doc.value as RunDoc) : null,
      version: newer(run?.versionstamp, doc?.versionstamp),
    };
  });
}

export const newer = (a: string | null | undefined, b: string | null | undefined): string =>
  (a ?? "") > (b ?? "") ? a ?? "" : b ?? "";

/** Entries of one read of all. */
const BATCH = 500;

/** A run as it was met while all were read. */
export interface ScannedRun {
  id: string;
  /** Index of its state type. */
  type: number;
  row: RunRow | null;
  version: string;
}

/** All runs in order of their ids, each with the newer version of its two records. */
export async function* allRuns(kv: Deno.Kv): AsyncGenerator<ScannedRun> {
  const docs = kv.list<RunDoc>({ prefix: ["run_doc"] }, { batchSize: BATCH });
  let doc = await docs.next();
  for await (const run of kv.list<RunRecord>({ prefix: ["run"] }, { batchSize: BATCH })) {
    const id = String(run.key[1]);
    while (!doc.done && String(doc.value.key[1]) < id) doc = await docs.next();
    const own = !doc.done && doc.value.key[1] === id ? doc.value : undefined;
    const row = own ? toRow(run.value, own.value) : null;
    const type = STATE_TYPES.indexOf(run.value.state.type);
    yield { id, type, row, version: newer(run.versionstamp, own?.versionstamp) };
  }
}
