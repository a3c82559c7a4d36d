/** How queues, and a pool with all of its, are deleted: close, clear, look, drop (docs/gate.md, law 5). */
import { Gate } from "../domain/gate.ts";
import { DomainError } from "../errors.ts";
import { readAllHeads } from "../kv/waiting_index.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import type { QueueConfig } from "../schemas/records.ts";
import { deploymentsOf } from "./deployment_targets.ts";
import { closeQueues, dropQueues, reopenQueues } from "./gate/closing.ts";
import type { Gates } from "./gate/gates.ts";

/** Queues closed or dropped in one commit. */
const QUEUES_PER_COMMIT = 100;

/** Takes away what is in closed queues, so that they can be dropped. */
export interface Clearing {
  /** Whether the queues are closed although runs hold slots there. Then they stay closed until they are gone. */
  readonly closesHeld: boolean;
  /** @throws DomainError `busy` when there is more to do: sent again, it goes on; any other refusal ends it */
  clear(pool: string, queues: readonly QueueConfig[]): Promise<void>;
}

export interface Removal {
  pool: string;
  queues: readonly QueueConfig[];
  /** Whether the pool goes with its queues. */
  andPool: boolean;
  /** Without one, what is in use is refused. */
  clearing?: Clearing | undefined;
}

/**
 * Deletes the queues when nothing is left in them. Refused, it leaves them open, unless its clearing closes what is
 * held; a server that stops on the way leaves them closed, and the same request again goes on.
 *
 * @throws DomainError `conflict` with the counts of what is in use; `busy`: there is more to do
 */
export async function removeQueues(deps: ServerDeps, gates: Gates, removal: Removal): Promise<void> {
  const { pool, queues, andPool, clearing } = removal;
  const { kv, clock } = deps;
  const keeper = gates.of(pool);
  const groups = chunked(queues.map(({ id }) => id));
  const closesHeld = clearing?.closesHeld ?? false;
  try {
    for (const group of groups) {
      const held = await keeper.submit(closeQueues(kv, group, { evenIfHeld: closesHeld, now: clock.now() }));
      if (held > 0 && !closesHeld) throw inUse(await usageOf(kv, gates, pool, queues));
    }
    await clearing?.clear(pool, queues);
    const usage = await usageOf(kv, gates, pool, queues);
    if (isUsed(usage)) throw inUse(usage);
    for (const group of groups) {
      await keeper.submit(dropQueues(kv, group, andPool && group === groups.at(-1)));
    }
  } catch (error) {
    const goesOn = closesHeld || error instanceof DomainError && error.code === "busy";
    if (!goesOn) { for (const group of groups) await keeper.submit(reopenQueues(kv, group, clock.now())); }
    throw error;
  }
}

/** What is in use of some queues. */
interface Usage {
  held: number;
  waiting: { count: number; complete: boolean };
  deployments: number;
}

async function usageOf(
  kv: Deno.Kv,
  gates: Gates,
  pool: string,
  queues: readonly QueueConfig[],
): Promise<Usage> {
  const [gate, heads, parked, deployments] = await Promise.all([
    gates.read(pool),
    readAllHeads(kv, pool),
    readAllHeads(kv, pool, "lane"),
    deploymentsOf(kv, new Set(queues.map(({ id }) => id))),
  ]);
  const counts = gate && new Gate(gate);
  const found = queues.flatMap(({ no }) => [heads.get(no), parked.get(no)])
    .filter((head) => head !== undefined);
  return {
    held: queues.reduce((sum, { no }) => sum + (counts?.heldIn(no) ?? 0), 0),
    waiting: {
      count: found.reduce((sum, { entries }) => sum + entries.length, 0),
      complete: found.every(({ complete }) => complete),
    },
    deployments: deployments.length,
  };
}

const isUsed = ({ held, waiting, deployments }: Usage): boolean =>
  held > 0 || waiting.count > 0 || deployments > 0;

function inUse({ held, waiting, deployments }: Usage): DomainError {
  const parts = [
    held > 0 ? `${held} runs hold slots here` : "",
    waiting.count > 0 ? `${waiting.complete ? "" : "at least "}${waiting.count} runs wait here` : "",
    deployments > 0 ? `${deployments} deployments point here` : "",
  ].filter((part) => part !== "");
  return new DomainError(
    "conflict",
    `It is in use: ${
      parts.join(", ")
    }. Delete with ?cascade=cancel to cancel the runs and let the deployments point ` +
      "nowhere, or with ?move_to=<pool>/<queue> to move what waits and the deployments there.",
  );
}

function chunked<T>(items: readonly T[]): T[][] {
  return Array.from(
    { length: Math.ceil(items.length / QUEUES_PER_COMMIT) },
    (_, i) => items.slice(i * QUEUES_PER_COMMIT, (i + 1) * QUEUES_PER_COMMIT),
  );
}
