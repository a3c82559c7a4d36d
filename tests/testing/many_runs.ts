/** Many runs as a server has them after months: a few pools and queues, deployments of different weight, mostly ended. */
import { buildIds } from "../../src/runtime/ids.ts";
import { Commit } from "../../src/kv/commit.ts";
import { flowKey, poolKey, runDocKey } from "../../src/kv/keys.ts";
import type { Instant, RunDoc, RunRecord, StateType } from "../../src/schemas/records.ts";
import { SeededRandom } from "./seeded_random.ts";
import { SIM_START } from "./sim_scheduler.ts";
import { uuidOf } from "./run_writer.ts";

export const MANY = {
  flows: Array.from({ length: 20 }, (_, n) => uuidOf("f", n)),
  deployments: Array.from({ length: 50 }, (_, n) => uuidOf("d", n)),
  pools: Array.from({ length: 3 }, (_, n) => uuidOf("a", n)),
  queues: Array.from({ length: 12 }, (_, n) => uuidOf("b", n)),
};

/** Between two runs: 100,000 of them span a bit more than two days. */
const APART = 2_000_000;

/** Commits that make `count` runs, the oldest first; the last one was made at {@link lastTime}. */
export function* manyRuns(
  count: number,
  { perCommit = 100, seed = 1 }: { perCommit?: number; seed?: number } = {},
): Generator<Commit> {
  const random = new SeededRandom(seed);
  let now = SIM_START;
  const ids = buildIds({ now: () => now, monotonic: () => 0, sleep: () => Promise.resolve() }, random);
  for (let done = 0; done < count; done += perCommit) {
    const commit = new Commit().once(ids.uuid());
    for (let i = done; i < Math.min(count, done + perCommit); i++) {
      now += APART;
      const run = aRun(ids.uuid(), now, random, i >= count * 0.95);
      commit.writeRun(null, run).set(runDocKey(run.id), aDoc(run.id, random));
    }
    yield commit;
  }
}

/** The flows and pools that the runs belong to. */
export async function storeOwners(kv: Deno.Kv): Promise<void> {
  const base = { labels: "{}", created: SIM_START, updated: SIM_START };
  const commit = new Commit().once("owners");
  MANY.flows.forEach((id, n) => commit.set(flowKey(id), { ...base, id, name: `flow-${n}`, tags: [] }));
  MANY.pools.forEach((id, n) =>
    commit.set(poolKey(id), {
      ...base,
      id,
      name: `pool-${n}`,
      description: null,
      type: "process",
      baseJobTemplate: "{}",
      storageConfiguration: "{}",
      defaultQueue: MANY.queues[n]!,
      nextQueueNo: 1,
    })
  );
  await commit.send(kv);
}

export const lastTime = (count: number): Instant => SIM_START + count * APART;

/** Small numbers come far more often than large ones. */
const zipf = (random: SeededRandom, below: number): number => Math.floor(below ** random.unit()) - 1;

function aRun(id: string, at: Instant, random: SeededRandom, isLive: boolean): RunRecord {
  const pick = <T>(items: readonly T[]): T => items[random.int(items.length)]!;
  const deployment = zipf(random, MANY.deployments.length);
  const queue = random.int(MANY.queues.length);
  const type: StateType = isLive
    ? pick(["SCHEDULED", "SCHEDULED", "PENDING", "RUNNING"])
    : random.chance(0.92)
    ? "COMPLETED"
    : pick(["FAILED", "CRASHED", "CANCELLED"]);
  const start = at + random.int(30) * 1e6;
  const end = start + random.int(600) * 1e6;
  const hasStarted = type !== "SCHEDULED" && type !== "PENDING";
  return {
    id,
    flow: MANY.flows[deployment % MANY.flows.length]!,
    deployment: MANY.deployments[deployment]!,
    pool: MANY.pools[queue % 3]!,
    queue: MANY.queues[queue]!,
    queueNo: queue,
    t: at,
    state: {
      id,
      type,
      name: type.charAt(0) + type.slice(1).toLowerCase(),
      timestamp: isLive ? start : end,
      message: null,
      hasData: false,
      persisted: false,
      details: {},
    },
    attempt: 1,
    token: null,
    session: null,
    started: hasStarted,
    pauseKeys: [],
    retryType: null,
    resuming: false,
    runCount: 1,
    expectedStart: at,
    nextStart: type === "SCHEDULED" ? at : null,
    startTime: hasStarted ? start : null,
    endTime: isLive ? null : end,
    totalRunTime: isLive ? 0 : end - start,
    created: at,
    updated: at,
  };
}

const WORDS = ["quick", "brave", "amber", "silent", "noble", "misty", "lucid", "rapid"];
const ANIMALS = ["otter", "heron", "badger", "falcon", "lynx", "marmot", "raven", "tapir"];

function aDoc(id: string, random: SeededRandom): RunDoc {
  const pick = <T>(items: readonly T[]): T => items[random.int(items.length)]!;
  return {
    id,
    name: `${pick(WORDS)}-${pick(ANIMALS)}-${random.int(1000)}`,
    flowVersion: null,
    deploymentVersion: null,
    parameters: "{}",
    context: "{}",
    jobVariables: null,
    idempotencyKey: null,
    tags: random.chance(0.3) ? [pick(["nightly", "team-a", "team-b"])] : [],
    labels: "{}",
    parentTaskRunId: null,
    autoScheduled: true,
    infrastructureDocumentId: null,
    infrastructurePid: null,
    createdBy: null,
    maxRetries: 0,
    retryDelaySeconds: 0,
    retries: null,
    retryDelay: null,
    updated: 0,
  };
}
