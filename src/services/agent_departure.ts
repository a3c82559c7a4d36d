import { DomainError } from "../errors.ts";
import { Commit } from "../kv/commit.ts";
import { agentKey } from "../kv/keys.ts";
import { get } from "../kv/read.ts";
import type { Gates } from "./gate/gates.ts";
import { PoolGoneError } from "./gate/operation.ts";
import { endSession } from "./gate/session_operations.ts";

/**
 * Forgets an agent that has ended, with its sessions. Sessions that hold nothing end in any case; the agent itself goes
 * when that is all of them.
 *
 * @throws DomainError `not_found`: no such agent; `conflict` with the count while it holds runs
 */
export async function forgetAgent(kv: Deno.Kv, gates: Gates, id: string): Promise<void> {
  const entry = await get(kv, agentKey(id));
  if (!entry.value) throw new DomainError("not_found", `Agent ${id} not found.`);
  const held = await Promise.all(
    Object.entries(entry.value.sessions).map(([pool, session]) => end(kv, gates, pool, session)),
  );
  const count = held.reduce((sum, one) => sum + one, 0);
  if (count > 0) {
    throw new DomainError(
      "conflict",
      `Agent '${entry.value.name}' holds ${count} runs. Wait until they end, or cancel them.`,
    );
  }
  await new Commit().check(entry).delete(entry.key).send(kv);
}

/** How many runs the session holds. */
async function end(kv: Deno.Kv, gates: Gates, pool: string, session: string): Promise<number> {
  try {
    return await gates.of(pool).submit(endSession(kv, session));
  } catch (error) {
    if (error instanceof PoolGoneError) return 0; // nothing of it was left when it was deleted
    throw error;
  }
}
