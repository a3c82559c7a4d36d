import type { CommandSpec } from "../command.ts";

/** Shells whose completion scripts are there. */
export const SHELLS = ["bash", "zsh", "fish", "powershell"] as const;
export type Shell = (typeof SHELLS)[number];

export const QUICKSTART: CommandSpec = {
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
  load: () => import("../commands/quickstart.ts"),
};

export const SERVER_COMMANDS: readonly CommandSpec[] = [
  {
    group: "server",
    name: "start",
    summary: "Start the server (server start --help lists its flags)",
    arguments: [],
    options: [],
    example: "server start --port 4200",
    passesThrough: true,
    load: () => import("../commands/server_start.ts"),
  },
  {
    group: "server",
    name: "status",
    summary: "Say whether a server answers, and what is going on there; exit code 1 if none does",
    arguments: [],
    options: [
      { name: "wait", kind: "switch", summary: "Wait until it answers" },
      {
        name: "timeout",
        short: "t",
        kind: "number",
        value: "SECONDS",
        min: 1,
        summary: "Wait at most this long",
      },
    ],
    example: "server status --wait --timeout 30",
    printsData: true,
    load: () => import("../commands/server_status.ts"),
  },
];

export const PROGRAM_COMMANDS: readonly CommandSpec[] = [
  {
    name: "completions",
    summary: "Print the script by which a shell completes commands, options and names",
    arguments: [{ name: "SHELL", summary: `One of ${SHELLS.join(", ")}`, choices: SHELLS }],
    options: [],
    example: "completions bash",
    load: () => import("../commands/completions.ts"),
  },
  {
    name: "complete",
    summary: "List what may follow the words of a command line, for the scripts of completions",
    arguments: [],
    options: [],
    example: "complete work-pool in",
    passesThrough: true,
    isHidden: true,
    load: () => import("../commands/complete.ts"),
  },
  {
    name: "version",
    summary: "Print the version of this program, and of the server if one answers",
    arguments: [],
    options: [],
    example: "version",
    printsData: true,
    load: () => import("../commands/version.ts"),
  },
];
