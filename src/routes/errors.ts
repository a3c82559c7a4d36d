import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { DomainError, type ErrorCode } from "../errors.ts";
import type { Log } from "../runtime/log.ts";
import { validationEnvelope, valueError } from "./validation_error.ts";

type RefusalStatus = 400 | 403 | 404 | 409 | 422 | 429 | 503;

/** The status of each refusal; the compiler misses none. */
const STATUS: Record<ErrorCode, RefusalStatus> = {
  not_found: 404,
  missing_object: 404,
  conflict: 409,
  forbidden: 403,
  invalid: 422,
  bad_request: 400,
  stale_token: 409,
  too_large: 422,
  busy: 429,
  contention: 503,
  unknown_outcome: 503,
};

/** Seconds after which a client should try again. */
const RETRY_AFTER = "1";

/** `body` is what was parsed of the request, for refusals that show it. */
export function refusalOf(error: unknown, c: Context, options: { log: Log; body: unknown }): Response {
  const request = { method: c.req.method, path: withoutToken(c.req.path) };
  if (error instanceof DomainError) {
    // The client is told to try again; why it had to is for the log.
    const { cause } = error;
    if (cause !== undefined && STATUS[error.code] === 503) {
      options.log.warn("A request has to be sent again.", { ...request, error: cause });
    }
    return ofDomain(error, c, options.body);
  }
  // The runtime could not make sense of the body.
  if (error instanceof Deno.errors.Http) return c.json({ detail: "The body ended early, or is none." }, 400);
  if (error instanceof HTTPException) return c.json({ detail: error.message }, error.status);
  options.log.error("A request failed.", { ...request, error });
  return c.json({ exception_message: "Internal Server Error" }, 500);
}

/** A claim token may stand in the path; whoever has it can speak for the run. */
const withoutToken = (path: string): string => path.replace(/^\/t\/[^/]+/, "/t/…");

function ofDomain(error: DomainError, c: Context, body: unknown): Response {
  const status = STATUS[error.code];
  if (status === 503) {
    return c.json({ exception_message: "Service Unavailable", detail: error.message }, 503, {
      "retry-after": RETRY_AFTER,
    });
  }
  if (status === 429) return c.json({ detail: error.message }, 429, { "retry-after": RETRY_AFTER });
  if (error.code === "missing_object") return c.json({ exception_message: error.message }, status);
  if (status === 422 && error.field) {
    return c.json(validationEnvelope([valueError(error.message, error.field, body)], body), 422);
  }
  return c.json({ detail: error.message }, status);
}
