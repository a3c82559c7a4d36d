/** Options that many commands take. */
import type { ArgumentSpec, OptionSpec } from "../command.ts";
import { DEFAULT_API_URL, DEFAULT_POOL } from "../defaults.ts";

/** Taken by every command that does not pass its flags through, also before its name. */
export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  {
    name: "api",
    kind: "text",
    value: "URL",
    summary: "The server to talk to",
    env: ["SLUICE_API_URL", "PREFECT_API_URL"],
    default: DEFAULT_API_URL,
  },
  {
    name: "profile",
    kind: "text",
    value: "NAME",
    summary: "Take settings from this profile",
    env: ["SLUICE_PROFILE"],
    completes: "profile",
  },
  { name: "no-prompt", kind: "switch", summary: "Ask nothing: go on as if it had been answered yes" },
  { name: "no-pager", kind: "switch", summary: "Print long lists at once, without the pager" },
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

/** Taken by commands that print times. */
export const VERBOSE_OPTION: OptionSpec = {
  name: "verbose",
  short: "v",
  kind: "switch",
  summary: "Exact times, and all there is to tell",
};

/** Taken by commands that destroy something. */
export const YES_OPTION: OptionSpec = { name: "yes", short: "y", kind: "switch", summary: "Do not ask" };

export const POOL: ArgumentSpec = {
  name: "NAME",
  summary: "The work pool: its name or its id",
  completes: "work-pool",
};
export const QUEUE: ArgumentSpec = {
  name: "NAME",
  summary: "The work queue: its name or its id",
  completes: "work-queue",
};
export const POOL_OF_QUEUE: OptionSpec = {
  name: "pool",
  short: "p",
  kind: "text",
  value: "NAME",
  summary: "The work pool of the queue",
  default: DEFAULT_POOL,
  completes: "work-pool",
};
export const DEPLOYMENT: ArgumentSpec = {
  name: "DEPLOYMENT",
  summary: "The deployment as FLOW/NAME, or its id",
  completes: "deployment",
};
export const FLOW_RUN: ArgumentSpec = {
  name: "RUN",
  summary: "The flow run: its id or its name",
  completes: "flow-run",
};
/** Where runs would be lost. */
export const CASCADE: OptionSpec = {
  name: "cascade",
  kind: "text",
  value: "HOW",
  choices: ["cancel"],
  summary: "With cancel the runs that are not over are cancelled; without it they stop the deletion",
};
/** Where what waits can go elsewhere. */
export const MOVE_TO: OptionSpec = {
  name: "move-to",
  kind: "text",
  value: "QUEUE",
  summary: "Move waiting runs and deployments there: a queue of the same pool, or POOL/QUEUE",
  completes: "work-queue",
};
export const LIMIT: ArgumentSpec = { name: "LIMIT", summary: "A whole number; 0 lets no run start" };

/** At most so many rows. */
export const rows = (count: number): OptionSpec => ({
  name: "limit",
  short: "l",
  kind: "number",
  value: "N",
  min: 1,
  summary: "At most this many",
  default: String(count),
});
