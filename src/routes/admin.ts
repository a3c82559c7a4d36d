import type { ServerDeps } from "../runtime/deps.ts";
import { DomainError } from "../errors.ts";
import { type Endpoint, endpoint, ok } from "./endpoint.ts";

/** The version of the API's wire, the same for both majors of the reference. */
export const API_VERSION = "0.8.4";
/**
 * What clients are told when they ask for the server's version. A 3.x client stops at another major and warns about an
 * older server, so this is 3 and higher than any there is.
 */
export const REFERENCE_VERSION = "3.99.0";

export function adminEndpoints({ kv, log }: ServerDeps): Endpoint[] {
  return [
    endpoint({ method: "GET", path: "/health", summary: "Whether the server answers" }, () => ok(true)),
    endpoint({ method: "GET", path: "/ready", summary: "Whether the store answers" }, async () => {
      try {
        await kv.get(["ready"]);
      } catch (error) {
        log.warn("The KV does not answer.", { error });
        return { status: 503, body: { message: "Database is not available" } };
      }
      return ok({ message: "OK" });
    }),
    endpoint({ method: "GET", path: "/hello", summary: "A greeting" }, () => ok("👋")),
    endpoint({ method: "GET", path: "/version", summary: "Version of the wire" }, () => ok(API_VERSION)),
    endpoint({
      method: "GET",
      path: "/admin/version",
      summary: "Version that clients compare with their own",
    }, () => ok(REFERENCE_VERSION)),
    endpoint(
      { method: "GET", path: "/csrf-token", summary: "Refused, which tells clients to go on without" },
      () => {
        throw new DomainError("invalid", "CSRF protection is disabled.");
      },
    ),
  ];
}
