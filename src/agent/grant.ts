import type { ClaimAnswer } from "../schemas/agent.ts";
import { parseInstant } from "../schemas/wire.ts";
import { type JobSource, jobSourceOf } from "./job.ts";

/** One granted run: everything that executing it needs. */
export interface Grant {
  runId: string;
  runName: string;
  /** Proves in every report that this agent holds the run. */
  token: string;
  /** `flow/deployment`; undefined for a run without deployment. */
  deployment: string | undefined;
  job: Omit<JobSource, "references">;
  /** When it is to start, in milliseconds of the agent's monotonic clock; in the past when it is late. */
  dueAt: number;
  /** The same on the server's clock, as it wrote it; null when it is due at once. */
  scheduledTime: string | null;
}

/**
 * @param receivedAt the monotonic time at which the answer arrived. The wait is what was left on the server's clock
 *   then, so neither clock has to be right; the answer's way here makes a start late by as much, never early.
 */
export function readGrants(answer: ClaimAnswer, receivedAt: number): Grant[] {
  const now = parseInstant(answer.server_time) ?? 0;
  return answer.grants.map((grant) => {
    const run = grant.flow_run;
    const scheduledTime = run.state?.state_details.scheduled_time ?? run.next_scheduled_start_time ??
      run.expected_start_time;
    const left = scheduledTime === null ? 0 : (parseInstant(scheduledTime) ?? now) - now;
    const deployment = answer.deployments[run.deployment_id ?? ""];
    return {
      runId: run.id,
      runName: run.name,
      token: grant.token,
      deployment: deployment && `${grant.flow_name}/${deployment.name}`,
      job: jobSourceOf(answer, grant),
      dueAt: receivedAt + left / 1000,
      scheduledTime,
    };
  });
}
