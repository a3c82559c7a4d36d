import { Commit } from "../kv/commit.ts";
import { hashKey } from "../kv/hash.ts";
import {
  deploymentKey,
  deploymentNameKey,
  deploymentOrderKey,
  deploymentPolledKey,
  schedulingKey,
} from "../kv/keys.ts";
import { dropPieces, type PackedText, packText, storePieces } from "../kv/large_text.ts";
import { type Entry, get } from "../kv/read.ts";
import { writeScheduling } from "../kv/scheduling.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { DeploymentCreate } from "../schemas/deployment.ts";
import type {
  DeploymentRecord,
  FlowRecord,
  Instant,
  JsonText,
  SchedulingRecord,
} from "../schemas/records.ts";
import { fromJsonText } from "../schemas/wire.ts";
import { settlingAhead } from "./large_values.ts";

/** The fields that may be too large for the record. */
const TEXTS = ["parameters", "jobVariables", "parameterSchema", "schedules", "pullSteps"] as const;
type TextField = (typeof TEXTS)[number];

/** A deployment being written: its next record, its texts, and what they replace, in one commit. */
export class DeploymentDraft {
  readonly commit: Commit;
  readonly next: DeploymentRecord;
  readonly #deps: ServerDeps;
  readonly #texts = new Map<TextField, PackedText>();

  private constructor(deps: ServerDeps, commit: Commit, next: DeploymentRecord) {
    this.#deps = deps;
    this.commit = commit;
    this.next = next;
  }

  /** A change of the deployment that `entry` holds. */
  static of(deps: ServerDeps, entry: Entry<DeploymentRecord> & { value: DeploymentRecord }): DeploymentDraft {
    return new DeploymentDraft(deps, new Commit().check(entry), {
      ...entry.value,
      updated: deps.clock.now(),
    });
  }

  /** A new one. The caller's commit takes the name. */
  static fresh(deps: ServerDeps, body: DeploymentCreate, flow: FlowRecord): DeploymentDraft {
    return new DeploymentDraft(deps, new Commit(), blank(deps.ids.uuid(), body, flow, deps.clock.now()));
  }

  /** Replaces one of the large texts. */
  put(field: TextField, text: JsonText): void {
    const packed = packText(text, this.#deps.ids.uuid());
    if (!this.#texts.has(field)) dropPieces(this.commit, this.next[field]);
    this.#texts.set(field, packed);
    this.next[field] = packed.stored;
  }

  /** There are no pull steps, which is something else than an empty list. */
  dropPullSteps(): void {
    dropPieces(this.commit, this.next.pullSteps);
    this.next.pullSteps = null;
  }

  /** Whether it was written. False when another change came between. What follows is `ScheduleChanges.settle`. */
  async send(): Promise<boolean> {
    const { kv, clock } = this.#deps;
    const scheduling = await get(kv, schedulingKey(this.next.id));
    if (scheduling.value || this.next.schedules !== "[]") {
      noteChange(this.commit, this.next.id, scheduling, clock.now());
    }
    const ahead = await storePieces(kv, this.commit, [...this.#texts.values()]);
    this.commit.set(deploymentKey(this.next.id), this.next);
    return await settlingAhead(kv, ahead, async () => {
      if ((await this.commit.send(kv)).ok) return true;
      const { value } = await get(kv, deploymentKey(this.next.id));
      // Then an earlier attempt of the runtime was applied.
      return JSON.stringify(value) === JSON.stringify(this.next);
    });
  }
}

/**
 * Notes that runs of its schedules have to be made anew, in the commit that changes the deployment: what was made before
 * goes first (`ScheduleChanges`). Everything counts, since runs are made of the whole deployment.
 */
function noteChange(
  commit: Commit,
  deployment: string,
  before: Entry<SchedulingRecord>,
  now: Instant,
): void {
  // What an earlier change left to do is still to be done.
  const purge = before.value ? { purge: Math.min(before.value.purge ?? now, now) } : {};
  writeScheduling(commit, deployment, before, { due: now, generated: {}, since: now, ...purge });
}

/** Deletes the deployment with all that stands beside it. What follows is `ScheduleChanges.settle`. */
export function deleteDeployment(
  commit: Commit,
  deployment: DeploymentRecord,
  { scheduling, now }: { scheduling: Entry<SchedulingRecord>; now: Instant },
): void {
  if (scheduling.value) noteChange(commit, deployment.id, scheduling, now);
  commit.delete(deploymentKey(deployment.id))
    .delete(deploymentNameKey(deployment.flow, hashKey(deployment.name)))
    .delete(deploymentOrderKey(deployment.name, deployment.id))
    .delete(deploymentPolledKey(deployment.id));
  for (const field of TEXTS) dropPieces(commit, deployment[field]);
}

/** Labels as text with others put over them. */
export function withLabels(labels: JsonText, over: JsonText): JsonText {
  return JSON.stringify({ ...fromJsonText(labels) as object, ...fromJsonText(over) as object });
}

function blank(id: string, body: DeploymentCreate, flow: FlowRecord, now: Instant): DeploymentRecord {
  const own = JSON.stringify({ "prefect.flow.id": flow.id });
  return {
    id,
    name: body.name,
    flow: flow.id,
    version: null,
    description: null,
    paused: false,
    pool: null,
    queue: null,
    tags: [],
    labels: withLabels(withLabels(own, flow.labels), body.labels ?? "{}"),
    parameters: "{}",
    jobVariables: "{}",
    parameterSchema: "{}",
    enforceParameterSchema: true,
    schedules: "[]",
    concurrencyLimit: null,
    limit: null,
    concurrencyOptions: null,
    pullSteps: "[]",
    path: null,
    entrypoint: null,
    storageDocumentId: null,
    infrastructureDocumentId: null,
    created: now,
    updated: now,
  };
}
