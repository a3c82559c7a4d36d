import { z } from "zod";
import { DomainError } from "../errors.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import { VERSION } from "../runtime/version.ts";
import {
  ServerDefaultResultStorage,
  ServerDefaultResultStorageUpdate,
  ServerSettings,
} from "../schemas/admin.ts";
import { Refusal } from "../schemas/refusal.ts";
import { collectionView } from "../services/collections.ts";
import type { ResultStorage } from "../services/result_storage.ts";
import type { AgentSettings } from "./agents.ts";
import { type Endpoint, endpoint, noContent, ok } from "./endpoint.ts";

/** The version of the API's wire, the same for both majors of the reference. */
export const API_VERSION = "0.8.4";
/**
 * What clients are told when they ask for the server's version. A 3.x client stops at another major and warns about an
 * older server, so this is 3 and higher than any there is.
 */
export const REFERENCE_VERSION = "3.99.0";

const Message = z.object({ message: z.string() });

export function adminEndpoints({ kv, log }: ServerDeps): Endpoint[] {
  return [
    endpoint({
      method: "GET",
      path: "/health",
      summary: "Whether the server answers",
      answers: { 200: z.boolean() },
    }, () => ok(true)),
    endpoint({
      method: "GET",
      path: "/ready",
      summary: "Whether the store answers",
      answers: { 200: Message, 503: Message },
    }, async () => {
      try {
        await kv.get(["ready"]);
      } catch (error) {
        log.warn("The KV does not answer.", { error });
        return {
          status: 503,
          body: { message: "Database is not available" },
          headers: { "retry-after": "1" },
        };
      }
      return ok({ message: "OK" });
    }),
    endpoint(
      { method: "GET", path: "/hello", summary: "A greeting", answers: { 200: z.string() } },
      () => ok("👋"),
    ),
    endpoint({
      method: "GET",
      path: "/version",
      summary: "Version of the wire",
      answers: { 200: z.string() },
    }, () => ok(API_VERSION)),
    endpoint({
      method: "GET",
      path: "/admin/version",
      summary: "Version that clients compare with their own",
      answers: { 200: z.string() },
    }, () => ok(REFERENCE_VERSION)),
    endpoint(
      {
        method: "GET",
        path: "/csrf-token",
        summary: "Refused, which tells clients to go on without",
        answers: { 422: Refusal },
      },
      () => {
        throw new DomainError("invalid", "CSRF protection is disabled.");
      },
    ),
  ];
}

/** Server-wide settings, and what clients know about types of workers. */
export function settingsEndpoints(
  { resultStorage }: { resultStorage: ResultStorage },
  { heartbeatSeconds }: AgentSettings,
): Endpoint[] {
  const storage = (block: string | null) => ok({ default_result_storage_block_id: block });
  return [
    endpoint(
      {
        method: "GET",
        path: "/admin/settings",
        summary: "The server's settings",
        answers: { 200: ServerSettings },
      },
      () => ok({ version: VERSION, api_version: API_VERSION, heartbeat_seconds: heartbeatSeconds }),
    ),
    endpoint({
      method: "GET",
      path: "/admin/storage",
      summary: "Where results are stored by default",
      answers: { 200: ServerDefaultResultStorage },
    }, async () => storage(await resultStorage.get())),
    endpoint({
      method: "PUT",
      path: "/admin/storage",
      summary: "Set where results are stored by default",
      body: ServerDefaultResultStorageUpdate,
      answers: { 200: ServerDefaultResultStorage },
    }, async ({ body }) => {
      await resultStorage.set(body.default_result_storage_block_id);
      return storage(body.default_result_storage_block_id);
    }),
    endpoint({
      method: "DELETE",
      path: "/admin/storage",
      summary: "Store results nowhere by default",
      answers: { 204: null },
    }, async () => {
      await resultStorage.set(null);
      return noContent();
    }),
    endpoint({
      method: "GET",
      path: "/collections/views/:view",
      summary: "What is known about types of workers",
      answers: { 200: z.record(z.string(), z.unknown()) },
    }, ({ param }) => ok(collectionView(param("view")))),
  ];
}
