/**
 * The keyspace: every key that Sluice stores, with the type of its value. Ids are UUIDs; user strings that could be
 * long are hashed before they become a key part. One type for each position, since KV orders by type first.
 */
import type {
  AgentRecord,
  DeploymentLimitRecord,
  DeploymentRecord,
  FlowRecord,
  GateRecord,
  JournalItem,
  LeaseRecord,
  LogHead,
  QueueConfig,
  RunDoc,
  RunInputRecord,
  RunRecord,
  SchedulingRecord,
  SessionRecord,
  StateRecord,
  VariableRecord,
  WorkerRecord,
  WorkPoolRecord,
  WorkQueueRecord,
} from "../schemas/records.ts";
import type { PagesCursor, Zone } from "../schemas/run_row.ts";

declare const VALUE: unique symbol;
/** A key whose value has type `T`. */
export type Key<T> = Deno.KvKey & { readonly [VALUE]?: T };

/** One shard for each pool; the part is reserved, so that a pool can be split without moving its key. */
const SHARD = 0;

/** Counts and switches of a pool; checked and rewritten by every commit that changes a pooled run. */
export const gateKey = (pool: string): Key<GateRecord> => ["gate", pool, SHARD];
/** Queue configuration of a pool, `QUEUES_PER_CHUNK` queues a chunk; written with the gate. */
export const gateConfigKey = (pool: string, chunk: number): Key<QueueConfig[]> => ["gate_cfg", pool, chunk];

/** A pool's description. */
export const poolKey = (id: string): Key<WorkPoolRecord> => ["pool", id];
/** A pool's id by its name. */
export const poolNameKey = (name: string): Key<string> => ["pool_name", name];
/** A queue's description. Written by configuration only: creating a run checks it. */
export const queueKey = (id: string): Key<WorkQueueRecord> => ["queue", id];
/** A queue's id by its name. */
export const queueNameKey = (pool: string, name: string): Key<string> => ["queue_name", pool, name];
/** When a queue was last polled. Written blindly: losing one to another costs nothing. */
export const queuePolledKey = (queue: string): Key<number> => ["queue_polled", queue];
/** When a deployment was last polled. Written blindly. */
export const deploymentPolledKey = (deployment: string): Key<number> => ["deployment_polled", deployment];

/** What decides about a run. */
export const runKey = (id: string): Key<RunRecord> => ["run", id];
/** What describes a run. */
export const runDocKey = (id: string): Key<RunDoc> => ["run_doc", id];
/** One state of a run's history, in order of time. */
export const runStateKey = (
  run: string,
  timestamp: number,
): Key<StateRecord> => ["run_state", run, timestamp];
/** An input of a run, by the hash of its key. */
export const runInputKey = (run: string, keyHash: string): Key<RunInputRecord> => ["run_input", run, keyHash];
/** A run that was deleted and of which something may be left. */
export const deletedRunKey = (run: string): Key<0> => ["deleted_run", run];
/** Index of waiting runs: the order within a queue is (time, id). */
export const waitKey = (pool: string, queueNo: number, t: number, run: string): Key<0> => [
  "wait",
  pool,
  queueNo,
  t,
  run,
];
/** Waiting runs that their deployment's limit keeps out of the index, one lane a queue; ordered like it. */
export const laneKey = (
  pool: string,
  queueNo: number,
  deployment: string,
  t: number,
  run: string,
): Key<0> => ["lane", pool, queueNo, deployment, t, run];
/** The concurrency limit of a deployment; absent for one that never had any. */
export const deploymentLimitKey = (deployment: string): Key<DeploymentLimitRecord> => ["dlimit", deployment];
/** A held slot, by the session that holds it. */
export const leaseKey = (pool: string, session: string, run: string): Key<LeaseRecord> => [
  "lease",
  pool,
  session,
  run,
];
/** The run made with an idempotency key of a flow. */
export const idempotencyKey = (flow: string, keyHash: string): Key<string> => ["idem", flow, keyHash];
/** Mark of a commit that must not be applied twice, for as long as the runtime may repeat it. */
export const onceKey = (id: string): Key<0> => ["once", id];
/** Which runs a commit changed; the versionstamp of the commit is appended. */
export const journalPrefix = (): Key<JournalItem[]> => ["journal"];
/** What the commit with that versionstamp changed. */
export const journalKey = (versionstamp: string): Key<JournalItem[]> => ["journal", versionstamp];

/** Rows of runs, some hundreds a value (kv/pages). Written by the packer alone, as all of these. */
export const pageKey = (generation: number, no: number): Key<Uint8Array> => ["page", generation, no];
/** What is known of a page without reading it. */
export const zoneKey = (generation: number, no: number): Key<Zone> => ["zone", generation, no];
/** How far the journal is folded into pages. Checked and rewritten by every commit of the packer. */
export const pagesKey = (): Key<PagesCursor> => ["pages"];

/** One agent process at one pool. */
export const sessionKey = (pool: string, id: string): Key<SessionRecord> => ["session", pool, id];
/** A worker of the reference at a pool, by the hash of its name. */
export const workerKey = (pool: string, nameHash: string): Key<WorkerRecord> => ["worker", pool, nameHash];
/** An agent process. */
export const agentKey = (id: string): Key<AgentRecord> => ["agent", id];
/** The sweep clock, in rounds. */
export const sweepKey = (): Key<number> => ["sweep"];
/** Rings when something of a pool became startable. Written blindly: it carries no truth. */
export const bellKey = (pool: string): Key<string> => ["bell", pool];

/** A flow. */
export const flowKey = (id: string): Key<FlowRecord> => ["flow", id];
/** A flow's id by the hash of its name. */
export const flowNameKey = (nameHash: string): Key<string> => ["flow_name", nameHash];
/** A deployment. Creating a run checks it. */
export const deploymentKey = (id: string): Key<DeploymentRecord> => ["deployment", id];
/** A deployment's id by its flow and the hash of its name. */
export const deploymentNameKey = (flow: string, nameHash: string): Key<string> => [
  "deployment_name",
  flow,
  nameHash,
];
/**
 * A deployment in the order of names, of which the first 200 characters count: a page of the list reads these and
 * not the records.
 */
export const deploymentOrderKey = (name: string, id: string): Key<0> => [
  "deployment_order",
  name.slice(0, 200),
  id,
];

/** How far the runs of a deployment's schedules are made. */
export const schedulingKey = (deployment: string): Key<SchedulingRecord> => ["scheduling", deployment];
/** Index of the deployments whose schedules have to be looked at, by time. */
export const scheduleDueKey = (due: number, deployment: string): Key<0> => ["schedule_due", due, deployment];
/** A run that a schedule of the deployment made, by its date. Dropped once that is past. */
export const autoRunKey = (deployment: string, date: number, run: string): Key<0> => [
  "auto_run",
  deployment,
  date,
  run,
];

/** A variable. */
export const variableKey = (id: string): Key<VariableRecord> => ["variable", id];
/** A variable's id by its name. */
export const variableNameKey = (name: string): Key<string> => ["variable_name", name];

/** The block document where results are stored by default. */
export const resultStorageKey = (): Key<string> => ["result_storage"];

/** One piece of a packed chunk of a run's log lines. `seq` is fresh for each chunk. */
export const logKey = (run: string, first: number, seq: string, piece: number): Key<Uint8Array> => [
  "log",
  run,
  first,
  seq,
  piece,
];
/** What a chunk has, by the time of its first line; the value's time is that of its last. */
export const logHeadKey = (run: string, first: number, seq: string): Key<LogHead> => [
  "log_head",
  run,
  first,
  seq,
];
/** The same by the time of its last line; the value's time is that of its first. */
export const logTailKey = (run: string, last: number, seq: string): Key<LogHead> => [
  "log_tail",
  run,
  last,
  seq,
];
/** Written by what takes chunks away, so that a reader and a rival know. */
export const logMergeKey = (run: string): Key<string> => ["log_merge", run];
/** One piece of a large text. */
export const chunkKey = (version: string, no: number): Key<Uint8Array> => ["chunk", version, no];
/** How many pieces of a large text were stored ahead of the record that will point at them. */
export const aheadKey = (version: string): Key<number> => ["ahead", version];
