import { DomainError } from "../errors.ts";
import { poolKey, queueKey, runDocKey, runKey, runStateKey } from "../kv/keys.ts";
import { readText } from "../kv/large_text.ts";
import { get, getMany } from "../kv/read.ts";
import type { JsonText, RunDoc, RunRecord } from "../schemas/records.ts";

/** A run as people see it. */
export interface FlowRunView {
  run: RunRecord;
  doc: RunDoc;
  parameters: JsonText;
  context: JsonText;
  jobVariables: JsonText | null;
  /** `data` of the current state. */
  stateData: JsonText | null;
  queueName: string | null;
  poolName: string | null;
}

/** A run as it was read. */
export interface ReadRunView extends FlowRunView {
  /** The newer version of its two records. */
  version: string;
}

/** Reads runs together with what stands elsewhere. */
export class FlowRunViews {
  readonly #kv: Deno.Kv;

  constructor(kv: Deno.Kv) {
    this.#kv = kv;
  }

  /** @throws DomainError `not_found` */
  async get(id: string): Promise<FlowRunView> {
    const [read] = await this.views([id]);
    if (!read) throw new DomainError("not_found", "Flow run not found");
    const { version: _, ...view } = read;
    return view;
  }

  /** The runs that are there, in the order of `ids`. */
  async views(ids: readonly string[]): Promise<ReadRunView[]> {
    const kv = this.#kv;
    const [runs, docs] = await Promise.all([getMany(kv, ids.map(runKey)), getMany(kv, ids.map(runDocKey))]);
    const queues = new Set(runs.flatMap(({ value }) => value?.queue ?? []));
    const pools = new Set(runs.flatMap(({ value }) => value?.pool ?? []));
    const [queueEntries, poolEntries] = await Promise.all([
      getMany(kv, [...queues].map(queueKey)),
      getMany(kv, [...pools].map(poolKey)),
    ]);
    const names = new Map(
      [...queueEntries, ...poolEntries].flatMap(({ value }) => value ? [[value.id, value.name]] : []),
    );
    const views = runs.map(async ({ value: run }, i): Promise<ReadRunView | undefined> => {
      const doc = docs[i]?.value;
      if (!run || !doc) return undefined;
      const [parameters, context, jobVariables, stateData] = await Promise.all([
        readText(kv, doc.parameters),
        readText(kv, doc.context),
        doc.jobVariables === null ? null : readText(kv, doc.jobVariables),
        run.state.hasData ? this.#stateData(run) : null,
      ]);
      const queueName = run.queue === null ? null : names.get(run.queue) ?? null;
      const poolName = run.pool === null ? null : names.get(run.pool) ?? null;
      const [a, b] = [runs[i]!.versionstamp ?? "", docs[i]!.versionstamp ?? ""];
      const version = a > b ? a : b;
      return { run, doc, parameters, context, jobVariables, stateData, queueName, poolName, version };
    });
    return (await Promise.all(views)).filter((view) => view !== undefined);
  }

  /** `data` of the run's current state. */
  async #stateData(run: RunRecord): Promise<JsonText | null> {
    const { value } = await get(this.#kv, runStateKey(run.id, run.state.timestamp));
    return value?.data ? await readText(this.#kv, value.data) : null;
  }
}
