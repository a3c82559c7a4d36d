/**
 * The values that are stored in Deno KV. Their keys: `kv/keys.ts`. What the records of a pool mean together is the
 * gate protocol, told in docs/gate.md.
 */

/** Microseconds since the epoch. Text only on the wire (`schemas/wire.ts`). */
export type Instant = number;

/** JSON as text, kept as it came: parsing and printing again would change numbers such as `5.0`. */
export type JsonText = string;

/** Text that may be too large for one value: inline, or UTF-8 bytes in `chunks` pieces under a version id. */
export type LargeText = string | { version: string; chunks: number };

export const STATE_TYPES = [
  "SCHEDULED",
  "PENDING",
  "RUNNING",
  "COMPLETED",
  "FAILED",
  "CANCELLED",
  "CRASHED",
  "PAUSED",
  "CANCELLING",
] as const;
export type StateType = (typeof STATE_TYPES)[number];

export const TERMINAL_TYPES: ReadonlySet<StateType> = new Set([
  "COMPLETED",
  "FAILED",
  "CANCELLED",
  "CRASHED",
]);

/** Details of a state, without those that have their default value. Names are the wire's. */
export interface StateDetails {
  scheduled_time?: Instant;
  child_flow_run_id?: string;
  cache_key?: string;
  cache_expiration?: Instant;
  deferred?: boolean;
  untrackable_result?: boolean;
  pause_timeout?: Instant;
  pause_reschedule?: boolean;
  pause_key?: string;
  run_input_keyset?: Record<string, string>;
  refresh_cache?: boolean;
  retriable?: boolean;
  transition_id?: string;
  task_parameters_id?: string;
  traceparent?: string;
  deployment_concurrency_lease_id?: string;
}

/** A state as the run record carries it. `data` lies in the state's own record, since it may be large. */
export interface RunState {
  id: string;
  type: StateType;
  name: string;
  timestamp: Instant;
  message: string | null;
  hasData: boolean;
  /** Whether `data` is the record of a stored result, which must not be lost by running again. */
  persisted: boolean;
  details: StateDetails;
}

/** One state of a run's history. */
export interface StateRecord extends RunState {
  data: LargeText | null;
}

/** Who holds the slot when it is no agent of ours: a Prefect worker, agent or engine without a claim token. */
export const THIRD_PARTY = "tp";

/**
 * What decides about a run. Small, and written only under the gate of its pool.
 * `session` is the holder of the run's slot and is set exactly while the run has a lease.
 */
export interface RunRecord {
  id: string;
  flow: string;
  deployment: string | null;
  pool: string | null;
  queue: string | null;
  queueNo: number;
  /** Sort time within the queue. Ours: it need not equal the scheduled time on the wire. */
  t: Instant;
  state: RunState;
  /** How often the run was handed out. */
  attempt: number;
  /** Fresh for each grant; kept on the ended run, so that a repeated report is recognised. */
  token: string | null;
  session: string | null;
  /** Whether the holder reported the start of its process. */
  started: boolean;
  pauseKeys: string[];
  retryType: "in_process" | "reschedule" | null;
  resuming: boolean;
  runCount: number;
  expectedStart: Instant | null;
  nextStart: Instant | null;
  startTime: Instant | null;
  endTime: Instant | null;
  /** Microseconds spent RUNNING, up to the last time it left that state. */
  totalRunTime: number;
  created: Instant;
  updated: Instant;
}

/** What describes a run and decides nothing. Guarded by its own check. */
export interface RunDoc {
  id: string;
  name: string;
  flowVersion: string | null;
  deploymentVersion: string | null;
  parameters: LargeText;
  context: LargeText;
  jobVariables: LargeText | null;
  idempotencyKey: string | null;
  tags: string[];
  labels: JsonText;
  parentTaskRunId: string | null;
  autoScheduled: boolean;
  infrastructureDocumentId: string | null;
  infrastructurePid: string | null;
  createdBy: JsonText | null;
  maxRetries: number;
  retryDelaySeconds: number;
  retries: number | null;
  retryDelay: number | null;
  updated: Instant;
}

/** What somebody sent to a run, for it to be read there. */
export interface RunInputRecord {
  /** Made in the order of the inputs. */
  id: string;
  key: string;
  value: LargeText;
  sender: string | null;
  created: Instant;
}

/** Counts and switches of a pool: the one record that every grant and every return of a slot rewrites. */
export interface GateRecord {
  paused: boolean;
  limit: number | null;
  /** Slots taken in the pool. */
  occ: number;
  /** Pairs (queue number, slots taken) of the queues with slots taken. */
  q: Uint16Array;
  /** Version of the queue configuration. */
  cfg: number;
  /** Lanes of limited deployments that may be drawn from: pairs (deployment, queue number). Absent when there are none. */
  open?: [string, number][];
  /** Ids of the last commits, newest last. Packed: this record is written with every commit. */
  ops: Uint32Array;
}

/** What the gate needs to know of one queue; the only place of these values. */
export interface QueueConfig {
  no: number;
  id: string;
  priority: number;
  paused: boolean;
  limit: number | null;
  /** Set while the queue is being deleted: it gives no runs away. Apart from `paused`, which is people's. */
  closing?: true;
}

/** What happens to a run whose deployment has as many runs as it may have: it waits, or it is cancelled. */
export type CollisionStrategy = "ENQUEUE" | "CANCEL_NEW";

/** The concurrency limit of a deployment. Stays for ever once it was made. */
export interface DeploymentLimitRecord {
  /** Null: the deployment is not limited any more. */
  limit: number | null;
  strategy: CollisionStrategy;
  /** Slots taken by its runs, over all pools. */
  occ: number;
  /** Lanes with parked runs: pairs (pool, queue number). */
  lanes: [string, number][];
  /** Set until `occ` was counted for the first time: nothing is limited before. */
  counting?: true;
}

export interface WorkPoolRecord {
  id: string;
  name: string;
  description: string | null;
  type: string;
  baseJobTemplate: LargeText;
  storageConfiguration: JsonText;
  defaultQueue: string;
  /** Number of the next queue. Numbers are never given twice within a pool. */
  nextQueueNo: number;
  created: Instant;
  updated: Instant;
}

export interface WorkQueueRecord {
  id: string;
  pool: string;
  no: number;
  /** A closing queue takes no new runs: it is being deleted. */
  state: "open" | "closing";
  name: string;
  description: string | null;
  filter: JsonText | null;
  created: Instant;
  updated: Instant;
}

/** A held slot. */
export interface LeaseRecord {
  queueNo: number;
  deployment: string | null;
  /** The claim that this grant answered, so that the same claim gets the same answer again. */
  claimId: string | null;
  since: Instant;
  /** Sweep round until which the holder has to report the start. */
  startBy: number;
}

/** One agent process at one pool. Its id is never used again once it has ended. */
export interface SessionRecord {
  agent: string;
  /** Sweep round of the last heartbeat: what decides whether the session has ended. */
  round: number;
  /** Time of the last heartbeat: what people see. */
  seen: Instant;
  state: "live" | "draining" | "ended";
}

export interface AgentRecord {
  id: string;
  name: string;
  host: string;
  version: string;
  limit: number | null;
  /** Session id by pool id. */
  sessions: Record<string, string>;
  /** What it pulls from, beside the pools. Absent in records of the first release, like the next ones. */
  queues?: string[];
  prefixes?: string[];
  /** How often it was told to send a heartbeat. */
  heartbeatSeconds?: number;
  created: Instant;
}

export interface FlowRecord {
  id: string;
  name: string;
  tags: string[];
  labels: JsonText;
  /** Set while the flow is being deleted: it gets no new deployments and runs. */
  closing?: true;
  created: Instant;
  updated: Instant;
}

/** A worker of the reference at a pool; it is known by its name. */
export interface WorkerRecord {
  id: string;
  name: string;
  /** Seconds between heartbeats; null when it did not say. */
  interval: number | null;
  lastHeartbeat: Instant;
  created: Instant;
}

export interface VariableRecord {
  id: string;
  name: string;
  value: JsonText;
  tags: string[];
  created: Instant;
  updated: Instant;
}

export interface DeploymentRecord {
  id: string;
  name: string;
  flow: string;
  version: string | null;
  description: string | null;
  paused: boolean;
  pool: string | null;
  queue: string | null;
  tags: string[];
  labels: JsonText;
  parameters: LargeText;
  jobVariables: LargeText;
  parameterSchema: LargeText;
  enforceParameterSchema: boolean;
  /** The schedules ({@link ScheduleRecord}) as one JSON list, written with this record. */
  schedules: LargeText;
  concurrencyLimit: number | null;
  /** How the limit is shown as an object of its own. Null without a limit. */
  limit: { id: string; created: Instant; updated: Instant } | null;
  concurrencyOptions: JsonText | null;
  pullSteps: LargeText | null;
  path: string | null;
  entrypoint: string | null;
  storageDocumentId: string | null;
  infrastructureDocumentId: string | null;
  created: Instant;
  updated: Instant;
}

export interface ScheduleRecord {
  id: string;
  /** The schedule as it is shown, with all its keys. */
  schedule: JsonText;
  active: boolean;
  maxScheduledRuns: number | null;
  parameters: JsonText;
  slug: string | null;
  catchup: boolean;
  maxActiveRuns: number | null;
  created: Instant;
  updated: Instant;
}

/** How far the runs of a deployment's schedules are made. Whoever makes such runs checks and rewrites it. */
export interface SchedulingRecord {
  /** When to look again; null when there is nothing to make until the deployment changes. The index says the same. */
  due: Instant | null;
  /** The last date of each schedule for which a run was made, by the schedule's id. */
  generated: Record<string, Instant>;
  /** When the deployment was changed last; until its runs are made anew. */
  since?: Instant;
  /** Waiting runs of its schedules for later than this have to go, before new ones are made. */
  purge?: Instant;
}

/**
 * What is known of a chunk of log lines without reading it: count of lines, time of the line at its other end, lowest
 * and highest level, bytes before packing, pieces that it is stored in.
 */
export type LogHead = [
  lines: number,
  otherEnd: Instant,
  minLevel: number,
  maxLevel: number,
  bytes: number,
  pieces: number,
];

/** A log line. The order of ids is the order in which lines came. */
export interface LogLine {
  id: string;
  name: string;
  level: number;
  message: string;
  timestamp: Instant;
  flowRunId: string | null;
  taskRunId: string | null;
}

/** Which runs one commit changed: run id, state type before, state type after (indexes of STATE_TYPES, -1 for none). */
export type JournalItem = [string, number, number];
