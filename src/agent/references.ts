import { ApiError } from "../client/http.ts";
import type { Connection } from "./connection.ts";
import type { JobSource } from "./job.ts";
import { type Json, referencedVariables } from "./job_values.ts";

/**
 * The server's variables that a job refers to, by name; those that there are none of are left out. Jobs without
 * references cost no request.
 *
 * @throws ApiError, or what `signal` was aborted with
 */
export async function fetchReferences(
  source: Omit<JobSource, "references">,
  connection: Connection,
  signal: AbortSignal,
): Promise<Json> {
  const found = await Promise.all(
    referencedVariables(source).map(async (name) => {
      try {
        const { value } = await connection.call(
          (signal) => connection.api.variables.byName(name, { signal }),
          signal,
        );
        return [[name, value] as const];
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return [];
        throw error;
      }
    }),
  );
  return Object.fromEntries(found.flat());
}
