/** Operations at a pool's gate that are about the limits of deployments. */
import type { Operation } from "./operation.ts";

/** Rewrites the gate, so that whatever was decided on it before has to be decided anew. */
export function rewriteGate(): Operation<void> {
  return {
    kind: "state",
    decide(batch) {
      batch.rewritesGate = true;
      return Promise.resolve({ result: undefined });
    },
  };
}

/** Opens the deployment's lanes of this pool, if there is room. */
export function openLanes(deployment: string): Operation<void> {
  return {
    kind: "state",
    async decide(batch) {
      await batch.limits.load([deployment]);
      const limit = batch.limits.get(deployment);
      for (const [pool, queueNo] of limit?.hasRoom ? limit.lanes : []) {
        if (pool === batch.pool) batch.gate.openLane(deployment, queueNo);
      }
      batch.rewritesGate = true;
      batch.rings = true;
      return { result: undefined };
    },
  };
}
