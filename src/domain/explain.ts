/** Why a waiting run has not been handed out, judged from the plan of the claim that would take it. Pure. */
import type { Instant, QueueConfig, RunRecord } from "../schemas/records.ts";
import type { DeploymentLimit } from "./deployment_limit.ts";
import type { Blocked, Gate } from "./gate.ts";
import type { ClaimPlan } from "./plan_claim.ts";

export type Hindrance =
  | { kind: "not_due"; due: Instant }
  | Blocked
  /** So many runs stand before it and take the slots that are free; `then` is what is used up by them. */
  | { kind: "behind"; ahead: number; then: Blocked | undefined };

export interface Waiting {
  run: RunRecord;
  /** Undefined when the queue is not there any more. */
  queue: QueueConfig | undefined;
  /** The counts before the plan. */
  gate: Gate;
  /** The limit of the run's deployment. */
  limit: DeploymentLimit | null;
  /** What a claim from all queues would be granted now. */
  plan: ClaimPlan;
  now: Instant;
}

/** What holds the run up, the first thing to look at first; empty when the next claim takes it. */
export function hindrances({ run, queue, gate, limit, plan, now }: Waiting): Hindrance[] {
  const found: Hindrance[] = [];
  if (run.t > now) found.push({ kind: "not_due", due: run.t });
  const inQueue: Blocked | undefined = queue ? gate.blockedIn(queue) : { kind: "queue_paused" };
  const inDeployment = limit && !limit.hasRoom ? fullOf(limit) : undefined;
  for (const blocked of [gate.blocked(), inQueue, inDeployment]) if (blocked) found.push(blocked);
  if (found.length > 0 || plan.grants.some((grant) => grant.run.id === run.id)) return found;
  const after = gate.copy();
  const rest = limit?.copy();
  for (const { queueNo, run: { deployment } } of plan.grants) {
    after.take(queueNo);
    if (deployment === run.deployment) rest?.take();
  }
  const inDeploymentThen = rest && !rest.hasRoom ? fullOf(rest) : undefined;
  const then = after.blocked() ?? (queue && after.blockedIn(queue)) ?? inDeploymentThen;
  return [{ kind: "behind", ahead: plan.grants.length, then }];
}

const fullOf = ({ limit, held }: DeploymentLimit): Blocked => ({
  kind: "deployment_full",
  limit: limit ?? 0,
  held,
});
