import type { CommandSpec } from "../command.ts";

export const DEPLOYMENT_COMMANDS: readonly CommandSpec[] = [
  {
    group: "deployment",
    name: "apply",
    summary: "Create or update the deployments of a file",
    arguments: [{ name: "FILE", summary: "YAML or JSON in the shape of a prefect.yaml" }],
    options: [],
    example: "deployment apply examples/sluice.yaml",
    printsData: true,
    load: () => import("../commands/deployment_apply.ts"),
  },
  {
    group: "deployment",
    name: "run",
    summary: "Create a flow run of a deployment",
    arguments: [{ name: "DEPLOYMENT", summary: "The deployment as FLOW/NAME, or its id" }],
    options: [
      {
        name: "param",
        short: "p",
        kind: "texts",
        value: "KEY=VALUE",
        summary: "A parameter; JSON is taken as JSON, anything else as text. Repeatable",
      },
      { name: "params", kind: "text", value: "JSON", summary: "Parameters as one JSON object" },
      {
        name: "start-in",
        kind: "text",
        value: "DURATION",
        summary: "Start this much later: seconds, or '10 minutes'",
      },
      { name: "start-at", kind: "text", value: "TIME", summary: "Start at this time (ISO 8601)" },
      { name: "tag", short: "t", kind: "texts", value: "TAG", summary: "A tag for the run. Repeatable" },
      {
        name: "job-variable",
        short: "j",
        kind: "texts",
        value: "KEY=VALUE",
        summary: "A job variable for this run only. Repeatable",
      },
      {
        name: "watch",
        short: "w",
        kind: "switch",
        summary: "Follow states and logs until the run has ended; exit code 0 if it completed",
      },
    ],
    example: "deployment run etl/nightly --param day=2026-11-23 --watch",
    printsData: true,
    load: () => import("../commands/deployment_run.ts"),
  },
  {
    group: "deployment",
    name: "ls",
    summary: "List the deployments",
    arguments: [],
    options: [],
    example: "deployment ls",
    printsData: true,
    load: () => import("../commands/deployment_ls.ts"),
  },
];
