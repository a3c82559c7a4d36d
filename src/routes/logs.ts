import { z } from "zod";
import { LogListBody } from "../schemas/filter.ts";
import { LogCreate } from "../schemas/log.ts";
import type { Logs } from "../services/logs.ts";
import { created, type Endpoint, endpoint, ok } from "./endpoint.ts";
import { toLog } from "./shapes.ts";

export function logEndpoints(logs: Logs): Endpoint[] {
  return [
    endpoint(
      { method: "POST", path: "/logs", summary: "Store log lines", body: z.array(LogCreate) },
      async ({ body }) => {
        await logs.create(body);
        return created(null);
      },
    ),
    endpoint(
      { method: "POST", path: "/logs/filter", summary: "List log lines", body: LogListBody },
      async ({ body }) => ok((await logs.list(body)).map(toLog)),
    ),
  ];
}
