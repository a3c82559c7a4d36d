import { z } from "zod";
import { LogListBody } from "../schemas/filter.ts";
import { Log, LogCreate } from "../schemas/log.ts";
import type { Logs } from "../services/logs.ts";
import { attachment, CSV, csvRow, csvStream } from "./csv.ts";
import { created, type Endpoint, endpoint, ok } from "./endpoint.ts";
import { toLog } from "./shapes.ts";

const COLUMNS = ["timestamp", "level", "flow_run_id", "task_run_id", "message"] as const;

export function logEndpoints(logs: Logs): Endpoint[] {
  return [
    endpoint(
      {
        method: "POST",
        path: "/logs",
        summary: "Store log lines",
        body: z.array(LogCreate),
        answers: { 201: z.null() },
      },
      async ({ body }) => {
        await logs.create(body);
        return created(null);
      },
    ),
    endpoint(
      {
        method: "POST",
        path: "/logs/filter",
        summary: "List log lines",
        body: LogListBody,
        answers: { 200: z.array(Log) },
      },
      async ({ body }) => ok((await logs.list(body)).map(toLog)),
    ),
    endpoint(
      {
        method: "GET",
        path: "/flow_runs/:id/logs/download",
        summary: "Download all log lines of a flow run",
        answers: { 200: CSV },
      },
      async ({ param }) => {
        const { name, lines } = await logs.download(param("id"));
        const body = csvStream(COLUMNS, lines, (line) => {
          const log = toLog(line);
          return csvRow(COLUMNS.map((column) => log[column]));
        });
        return { status: 200, content: { type: CSV, body }, headers: attachment(`${name}-logs.csv`) };
      },
    ),
  ];
}
