import type { EmpiricalPolicyInput } from "../schemas/flow_run.ts";
import type { RunDoc } from "../schemas/records.ts";

/**
 * What a run keeps of its policy. The two oldest fields count where the newer ones say nothing, as in the reference;
 * the others are the server's own, and clients send them back as they came.
 */
export function policyFields(
  policy: EmpiricalPolicyInput | null | undefined,
): Pick<RunDoc, "maxRetries" | "retryDelaySeconds" | "retries" | "retryDelay"> {
  const maxRetries = policy?.max_retries ?? 0;
  const retryDelaySeconds = policy?.retry_delay_seconds ?? 0;
  return {
    maxRetries,
    retryDelaySeconds,
    retries: policy?.retries || maxRetries || (policy?.retries ?? null),
    retryDelay: policy?.retry_delay || retryDelaySeconds || (policy?.retry_delay ?? null),
  };
}
