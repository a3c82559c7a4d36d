/** Every command there is. Help, parsing, near names, completion, documents and tests read this list and nothing else. */
import type { CommandSpec, OptionSpec } from "./command.ts";
import { AGENT_COMMANDS } from "./registry/agent.ts";
import { DEPLOYMENT_COMMANDS } from "./registry/deployment.ts";
import { FLOW_COMMANDS } from "./registry/flow.ts";
import { FLOW_RUN_COMMANDS } from "./registry/flow_run.ts";
import { PROGRAM_COMMANDS, QUICKSTART, SERVER_COMMANDS } from "./registry/program.ts";
import { CONFIG_COMMANDS, PROFILE_COMMANDS, VARIABLE_COMMANDS } from "./registry/settings.ts";
import { GLOBAL_OPTIONS, OUTPUT_OPTION, VERBOSE_OPTION, YES_OPTION } from "./registry/shared.ts";
import { WORK_POOL_COMMANDS } from "./registry/work_pool.ts";
import { WORK_QUEUE_COMMANDS } from "./registry/work_queue.ts";

/** What each first word is about. */
export const GROUPS: Readonly<Record<string, string>> = {
  server: "The server: API, work pools, flow runs, all state",
  agent: "Agents, which execute flow runs on their machine",
  "work-pool": "Work pools, from which agents draw their runs",
  "work-queue": "Work queues, the lanes of a work pool",
  deployment: "Deployments: what to run, with what, where",
  flow: "Flows, to which deployments and runs belong",
  "flow-run": "Flow runs: look, follow, read logs, cancel, retry",
  variable: "Variables: values that deployments and job templates refer to",
  config: "Settings of this program",
  profile: "Profiles: settings under names, one of them active",
};

export const COMMANDS: readonly CommandSpec[] = [
  QUICKSTART,
  ...SERVER_COMMANDS,
  ...AGENT_COMMANDS,
  ...WORK_POOL_COMMANDS,
  ...WORK_QUEUE_COMMANDS,
  ...DEPLOYMENT_COMMANDS,
  ...FLOW_COMMANDS,
  ...FLOW_RUN_COMMANDS,
  ...VARIABLE_COMMANDS,
  ...CONFIG_COMMANDS,
  ...PROFILE_COMMANDS,
  ...PROGRAM_COMMANDS,
];

/** All options of a command, the shared ones included. */
export function optionsOf(spec: CommandSpec): readonly OptionSpec[] {
  if (spec.passesThrough) return spec.options;
  return [
    ...spec.options,
    ...(spec.asks ? [YES_OPTION] : []),
    ...(spec.printsTimes ? [VERBOSE_OPTION] : []),
    ...(spec.printsData ? [OUTPUT_OPTION] : []),
    ...GLOBAL_OPTIONS,
  ];
}

/** The command that the arguments name, wherever its words stand among the options. */
export function findCommand(args: readonly string[]): CommandSpec | undefined {
  const words = args.filter((arg) => !arg.startsWith("-"));
  const first = words.findIndex((word) => COMMANDS.some(({ group, name }) => word === (group ?? name)));
  return COMMANDS.find(({ group, name }) =>
    group === undefined ? words[first] === name : words[first] === group && words[first + 1] === name
  );
}
