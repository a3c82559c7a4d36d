/** The records that say when runs of schedules have to be made, and the indexes beside them. */
import type { Instant, SchedulingRecord } from "../schemas/records.ts";
import type { Commit } from "./commit.ts";
import { autoRunKey, scheduleDueKey, schedulingKey } from "./keys.ts";
import type { Entry } from "./read.ts";

/** Replaces the record together with its entry in the index; null deletes both. Checks `before`. */
export function writeScheduling(
  commit: Commit,
  deployment: string,
  before: Entry<SchedulingRecord>,
  next: SchedulingRecord | null,
): void {
  commit.check(before);
  const due = before.value?.due ?? null;
  if (due !== null && due !== next?.due) commit.delete(scheduleDueKey(due, deployment));
  if (next === null) {
    commit.delete(schedulingKey(deployment));
    return;
  }
  if (next.due !== null && due !== next.due) commit.set(scheduleDueKey(next.due, deployment), 0);
  commit.set(schedulingKey(deployment), next);
}

/** Deployments whose schedules have to be looked at by `now`, the longest overdue first; at most `most`. */
export async function dueDeployments(kv: Deno.Kv, now: Instant, most: number): Promise<string[]> {
  const selector = { start: ["schedule_due"], end: ["schedule_due", now + 1] };
  return await Array.fromAsync(
    kv.list(selector, { limit: most, batchSize: most }),
    ({ key }) => key[2] as string,
  );
}

/** A run of a schedule in the index. */
export interface AutoRunEntry {
  key: Deno.KvKey;
  date: Instant;
  run: string;
}

/** Runs that schedules of the deployment made for dates later than `date`, or behind that entry; at most `most`. */
export async function autoRunsAfter(
  kv: Deno.Kv,
  deployment: string,
  after: { date: Instant } | AutoRunEntry,
  most: number,
): Promise<AutoRunEntry[]> {
  const prefix = autoRunKey(deployment, 0, "").slice(0, 2);
  const start = "key" in after ? [...after.key, 0] : [...prefix, after.date + 1];
  return await readEntries(kv, { prefix, start }, most);
}

/** Those whose date has come by `now`; at most `most`. */
export async function pastAutoRuns(
  kv: Deno.Kv,
  deployment: string,
  now: Instant,
  most: number,
): Promise<AutoRunEntry[]> {
  const prefix = autoRunKey(deployment, 0, "").slice(0, 2);
  return await readEntries(kv, { prefix, end: [...prefix, now + 1] }, most);
}

const readEntries = (kv: Deno.Kv, selector: Deno.KvListSelector, most: number): Promise<AutoRunEntry[]> =>
  Array.fromAsync(
    kv.list(selector, { limit: most, batchSize: most }),
    ({ key }) => ({ key, date: key[2] as number, run: key[3] as string }),
  );
