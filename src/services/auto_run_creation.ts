import type { Commit } from "../kv/commit.ts";
import { hashKey } from "../kv/hash.ts";
import { autoRunKey, bellKey, idempotencyKey } from "../kv/keys.ts";
import { type PackedText, storePieces } from "../kv/large_text.ts";
import { type Entry, getMany } from "../kv/read.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { DeploymentRecord, Instant, JsonText } from "../schemas/records.ts";
import type { Flows } from "./flows.ts";
import type { Gates } from "./gate/gates.ts";
import { settlingAhead } from "./large_values.ts";
import { fromStateCreate } from "./proposed_state.ts";
import { deploymentRunLabels, RunStaging } from "./run_staging.ts";
import type { RunTargets } from "./run_targets.ts";

/** A run that a schedule makes. */
export interface AutoRun {
  date: Instant;
  idempotencyKey: string;
  createdBy: JsonText;
  /** The deployment's and the schedule's. */
  parameters: JsonText;
}

interface Parts {
  gates: Gates;
  flows: Flows;
  targets: RunTargets;
}

/** Creates runs of schedules, many in one commit. */
export class AutoRunCreation {
  readonly #deps: ServerDeps;
  readonly #parts: Parts;
  readonly #staging: RunStaging;

  constructor(deps: ServerDeps, parts: Parts) {
    this.#deps = deps;
    this.#parts = parts;
    this.#staging = new RunStaging(deps);
  }

  /**
   * Makes runs of a deployment's schedules, all in one commit with `along`. That has to exclude whoever else would make
   * the same runs, by a record that it checks and rewrites: then a key that was free is free. Those whose key is known
   * are there already, and left out.
   *
   * @returns how many were made; undefined when something changed meanwhile
   * @throws DomainError `not_found`, `conflict` when its flow, pool or queue was deleted; `too_large`
   */
  async create(
    deployment: Entry<DeploymentRecord> & { value: DeploymentRecord },
    autoRuns: readonly AutoRun[],
    along: Commit,
  ): Promise<{ made: number; written: Deno.KvCommitResult | Deno.KvCommitError }> {
    const { kv, ids, sharedKv } = this.#deps;
    const { value } = deployment;
    const keys = autoRuns.map(({ idempotencyKey: key }) => idempotencyKey(value.flow, hashKey(key)));
    const [known, flow, target] = await Promise.all([
      getMany(kv, keys),
      this.#parts.flows.requireOpen(value.flow),
      this.#parts.targets.of(value, null),
    ]);
    const fresh = autoRuns.filter((_, i) => known[i]!.value === null);
    const frame = {
      flow,
      deployment,
      ...target,
      jobVariables: "{}",
      labels: deploymentRunLabels(flow.value, value),
      tags: [...new Set(["auto-scheduled", ...value.tags])],
    };
    const packed: PackedText[] = [];
    for (const autoRun of fresh) {
      const id = ids.uuid();
      const staged = this.#staging.stage(along, id, { ...frame, ...scheduledRun(autoRun) });
      along.set(autoRunKey(value.id, autoRun.date, id), 0);
      packed.push(...staged.packed);
    }
    const waits = fresh.length > 0 && target.queue !== undefined;
    if (waits && sharedKv) along.set(bellKey(target.queue!.value.pool), ids.token());
    const ahead = await storePieces(kv, along, packed);
    return await settlingAhead(kv, ahead, async () => {
      try {
        return { made: fresh.length, written: await along.send(kv) };
      } finally {
        if (waits) this.#parts.gates.enqueued(target.queue!.value.pool, target.queue!.value.no);
      }
    });
  }
}

function scheduledRun({ date, idempotencyKey, createdBy, parameters }: AutoRun) {
  const state = {
    type: "SCHEDULED" as const,
    message: "Flow run scheduled",
    state_details: { scheduled_time: date },
  };
  return {
    body: { state, parameters, context: "{}", tags: [], idempotency_key: idempotencyKey },
    parameters,
    createdBy,
    state: fromStateCreate(state, "SCHEDULED", date),
  };
}
