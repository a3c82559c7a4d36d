/** Every command there is. Help, parsing, near names and tests read this list and nothing else. */
import type { CommandSpec, OptionSpec } from "./command.ts";
import { DEFAULT_API_URL } from "./defaults.ts";
import { DEPLOYMENT_COMMANDS } from "./registry/deployment.ts";
import { FLOW_RUN_COMMANDS } from "./registry/flow_run.ts";
import { WORK_POOL_COMMANDS } from "./registry/work_pool.ts";
import { WORK_QUEUE_COMMANDS } from "./registry/work_queue.ts";

/** Taken by every command that does not pass its flags through. */
export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  {
    name: "api",
    kind: "text",
    value: "URL",
    summary: "The server to talk to",
    env: ["SLUICE_API_URL", "PREFECT_API_URL"],
    default: DEFAULT_API_URL,
  },
  { name: "debug", kind: "switch", summary: "Show where an error comes from" },
];

/** Taken by commands that print data. */
export const OUTPUT_OPTION: OptionSpec = {
  name: "output",
  short: "o",
  kind: "text",
  value: "FORMAT",
  choices: ["text", "json"],
  summary: "How the answer is written: text or json",
  default: "text",
};

/** What each first word is about. */
export const GROUPS: Readonly<Record<string, string>> = {
  server: "The server: API, work pools, flow runs, all state",
  agent: "Agents, which execute flow runs on their machine",
  "work-pool": "Work pools, from which agents draw their runs",
  "work-queue": "Work queues, the lanes of a work pool",
  deployment: "Deployments: what to run, with what, where",
  "flow-run": "Flow runs: look, read logs, cancel",
};

export const COMMANDS: readonly CommandSpec[] = [
  {
    name: "quickstart",
    summary: "A tour with real processes: server, agent, work pool, three runs",
    arguments: [],
    options: [
      { name: "once", kind: "switch", summary: "Stop everything after the three runs" },
      {
        name: "port",
        kind: "number",
        value: "PORT",
        min: 0,
        summary: "The server's port; 0 takes a free one",
        default: "4200",
      },
    ],
    example: "quickstart --once",
    load: () => import("./commands/quickstart.ts"),
  },
  {
    group: "server",
    name: "start",
    summary: "Start the server (server start --help lists its flags)",
    arguments: [],
    options: [],
    example: "server start --port 4200",
    passesThrough: true,
    load: () => import("./commands/server_start.ts"),
  },
  {
    group: "agent",
    name: "start",
    summary: "Start an agent (agent start --help lists its flags)",
    arguments: [],
    options: [],
    example: "agent start -p my-pool",
    passesThrough: true,
    load: () => import("./commands/agent_start.ts"),
  },
  ...WORK_POOL_COMMANDS,
  ...WORK_QUEUE_COMMANDS,
  ...DEPLOYMENT_COMMANDS,
  ...FLOW_RUN_COMMANDS,
  {
    name: "version",
    summary: "Print the version of this program, and of the server if one answers",
    arguments: [],
    options: [],
    example: "version",
    printsData: true,
    load: () => import("./commands/version.ts"),
  },
];
