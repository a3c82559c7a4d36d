import type { ArgumentSpec, CommandSpec } from "../command.ts";

const flowRun: ArgumentSpec = { name: "RUN", summary: "The flow run: its id or its name" };

export const FLOW_RUN_COMMANDS: readonly CommandSpec[] = [
  {
    group: "flow-run",
    name: "ls",
    summary: "List flow runs, the newest first",
    arguments: [],
    options: [
      {
        name: "limit",
        short: "l",
        kind: "number",
        value: "N",
        min: 1,
        summary: "At most this many",
        default: "15",
      },
      {
        name: "state",
        short: "s",
        kind: "texts",
        value: "STATE",
        summary: "Only runs in this state, by type (RUNNING) or name (TimedOut). Repeatable",
      },
      {
        name: "deployment",
        short: "d",
        kind: "text",
        value: "FLOW/NAME",
        summary: "Only runs of this deployment",
      },
    ],
    example: "flow-run ls --state RUNNING --limit 50",
    printsData: true,
    load: () => import("../commands/flow_run_ls.ts"),
  },
  {
    group: "flow-run",
    name: "inspect",
    summary: "Show everything about a flow run",
    arguments: [flowRun],
    options: [],
    example: "flow-run inspect brisk-otter",
    printsData: true,
    load: () => import("../commands/flow_run_inspect.ts"),
  },
  {
    group: "flow-run",
    name: "logs",
    summary: "Print the output of a flow run",
    arguments: [flowRun],
    options: [
      { name: "tail", short: "n", kind: "number", value: "N", min: 1, summary: "Only the last lines" },
    ],
    example: "flow-run logs brisk-otter --tail 20",
    printsData: true,
    load: () => import("../commands/flow_run_logs.ts"),
  },
  {
    group: "flow-run",
    name: "cancel",
    summary: "Cancel a flow run",
    arguments: [flowRun],
    options: [
      {
        name: "force",
        short: "f",
        kind: "switch",
        summary: "When its agent is gone: end the run as CANCELLED at once, which frees its slot",
      },
    ],
    example: "flow-run cancel brisk-otter",
    load: () => import("../commands/flow_run_cancel.ts"),
  },
];
