import type { ArgumentSpec, CommandSpec } from "../command.ts";

const agent: ArgumentSpec = { name: "AGENT", summary: "The agent: its name or its id", completes: "agent" };

export const AGENT_COMMANDS: readonly CommandSpec[] = [
  {
    group: "agent",
    name: "start",
    summary: "Start an agent (agent start --help lists its flags)",
    arguments: [],
    options: [],
    example: "agent start -p my-pool",
    passesThrough: true,
    load: () => import("../commands/agent_start.ts"),
  },
  {
    group: "agent",
    name: "ls",
    summary: "List the agents that are online",
    arguments: [],
    options: [
      {
        name: "pool",
        short: "p",
        kind: "text",
        value: "NAME",
        summary: "Only agents of this work pool",
        completes: "work-pool",
      },
      { name: "all", kind: "switch", summary: "Also those that have gone" },
    ],
    example: "agent ls --pool my-pool",
    printsData: true,
    printsTimes: true,
    load: () => import("../commands/agent_ls.ts"),
  },
  {
    group: "agent",
    name: "inspect",
    summary: "Show an agent with the runs that it holds",
    arguments: [agent],
    options: [],
    example: "agent inspect host-brisk-otter",
    printsData: true,
    printsTimes: true,
    load: () => import("../commands/agent_inspect.ts"),
  },
];
