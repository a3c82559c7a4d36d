import type { ArgumentSpec, CommandSpec, OptionSpec } from "../command.ts";
import { DEFAULT_POOL } from "../defaults.ts";

const queue: ArgumentSpec = { name: "NAME", summary: "The work queue" };
const poolOfQueue: OptionSpec = {
  name: "pool",
  short: "p",
  kind: "text",
  value: "NAME",
  summary: "The work pool of the queue",
  default: DEFAULT_POOL,
};

export const WORK_QUEUE_COMMANDS: readonly CommandSpec[] = [
  {
    group: "work-queue",
    name: "create",
    summary: "Create a work queue",
    arguments: [{ name: "NAME", summary: "What the queue is called; unique within its pool" }],
    options: [
      poolOfQueue,
      {
        name: "limit",
        short: "l",
        kind: "number",
        value: "N",
        min: 0,
        summary: "At most this many runs of the queue at once, within the pool's own limit",
      },
      {
        name: "priority",
        kind: "number",
        value: "N",
        min: 1,
        summary: "Lower numbers are served first; queues from this number on move up by one",
      },
      { name: "paused", kind: "switch", summary: "Hand out no runs until the queue is resumed" },
    ],
    example: "work-queue create high --pool my-pool --priority 1 --limit 2",
    printsData: true,
    load: () => import("../commands/work_queue_create.ts"),
  },
  {
    group: "work-queue",
    name: "ls",
    summary: "List the work queues of all work pools, or of one",
    arguments: [],
    options: [
      { name: "pool", short: "p", kind: "text", value: "NAME", summary: "Only the queues of this work pool" },
    ],
    example: "work-queue ls --pool my-pool",
    printsData: true,
    load: () => import("../commands/work_queue_ls.ts"),
  },
  {
    group: "work-queue",
    name: "pause",
    summary: "Hand out no more runs of a work queue; what runs goes on",
    arguments: [queue],
    options: [poolOfQueue],
    example: "work-queue pause high --pool my-pool",
    load: () => import("../commands/work_queue_pause.ts"),
  },
  {
    group: "work-queue",
    name: "resume",
    summary: "Hand out runs of a paused work queue again",
    arguments: [queue],
    options: [poolOfQueue],
    example: "work-queue resume high --pool my-pool",
    load: () => import("../commands/work_queue_resume.ts"),
  },
];
