import type { ArgumentSpec, CommandSpec } from "../command.ts";
import { CASCADE, rows } from "./shared.ts";

const flow: ArgumentSpec = { name: "FLOW", summary: "The flow: its name or its id", completes: "flow" };

export const FLOW_COMMANDS: readonly CommandSpec[] = [
  {
    group: "flow",
    name: "ls",
    summary: "List the flows, the newest first",
    arguments: [],
    options: [rows(15)],
    example: "flow ls --limit 50",
    printsData: true,
    printsTimes: true,
    load: () => import("../commands/flow_ls.ts"),
  },
  {
    group: "flow",
    name: "inspect",
    summary: "Show a flow with its deployments",
    arguments: [flow],
    options: [],
    example: "flow inspect etl",
    printsData: true,
    printsTimes: true,
    load: () => import("../commands/flow_inspect.ts"),
  },
  {
    group: "flow",
    name: "delete",
    summary: "Delete a flow with its deployments and runs",
    arguments: [flow],
    options: [CASCADE],
    example: "flow delete etl --yes",
    asks: true,
    load: () => import("../commands/flow_delete.ts"),
  },
];
