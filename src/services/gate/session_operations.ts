/** Operations on an agent's session at the gate of its pool. */
import { leaseKey, sessionKey } from "../../kv/keys.ts";
import { get, listAll } from "../../kv/read.ts";
import type { Operation } from "./operation.ts";

/**
 * Ends a session that holds nothing: its record goes, and its id never comes back. At the gate, because a claim of the
 * same session may be under way: what it was granted before is seen here, and nothing is granted to it afterwards.
 *
 * @returns how many runs it holds; the session goes on unless that is 0
 */
export function endSession(kv: Deno.Kv, id: string): Operation<number> {
  return {
    kind: "state",
    async decide(batch) {
      const session = await get(kv, sessionKey(batch.pool, id));
      if (!session.value) return { result: 0 };
      const leases = await listAll(kv, leaseKey(batch.pool, id, "").slice(0, 3) as Deno.KvKey);
      if (leases.length > 0) return { result: leases.length };
      batch.commit.check(session).delete(session.key);
      batch.cache.endSession(id);
      return { result: 0 };
    },
  };
}
