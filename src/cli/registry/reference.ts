/** What a user of Prefect knows under `prefect` and does not find here, with what to do instead. */
export interface Missing {
  /** The command's words, as far as they say it. */
  words: string;
  /** Why, and what to do; a sentence or two. */
  reason: string;
}

const NO_SINGLE_SCHEDULES =
  "Schedules are written in the file of the deployment, and applied with it: deployment apply FILE.";
const NO_NAMED_LIMITS =
  "There are no limits by tag or name: pools and queues have limits, and hold them exactly.";
const NO_FLOW_CODE = "It is about what happens inside of a Python flow; the server keeps no such records.";

export const MISSING: readonly Missing[] = [
  { words: "worker", reason: "Runs of every type of pool are executed by agents: agent start -p POOL." },
  { words: "deployment schedule", reason: NO_SINGLE_SCHEDULES },
  { words: "deployment set-schedule", reason: NO_SINGLE_SCHEDULES },
  {
    words: "deployment pause-schedule",
    reason:
      "deployment pause holds all schedules of a deployment; a single one is held by 'active: false' in its file.",
  },
  {
    words: "deployment resume-schedule",
    reason: "deployment resume lets the schedules of a deployment go on.",
  },
  {
    words: "deployment build",
    reason: "There is no code to be packed: say in a file what is to be run, and deployment apply it.",
  },
  { words: "deploy", reason: "deployment apply prefect.yaml does the same with its deployments." },
  { words: "gcl", reason: NO_NAMED_LIMITS },
  { words: "global-concurrency-limit", reason: NO_NAMED_LIMITS },
  { words: "concurrency-limit", reason: NO_NAMED_LIMITS },
  {
    words: "work-pool storage",
    reason: "Code is not uploaded: the agent's machine has what a command needs.",
  },
  {
    words: "work-pool provision-infrastructure",
    reason: "Nothing is provisioned in a cloud: an agent runs where it is started.",
  },
  { words: "flow-run execute", reason: "Only agents execute runs: agent start --run-once -p POOL." },
  {
    words: "flow serve",
    reason: "A Python flow is served by Prefect's own flow.serve(), which talks to this server.",
  },
  { words: "block", reason: "There are no blocks: variables and job variables hold what a run needs." },
  { words: "task-run", reason: NO_FLOW_CODE },
  { words: "artifact", reason: NO_FLOW_CODE },
  { words: "automation", reason: "There are no automations: what has to follow by itself is built in." },
  { words: "event", reason: "There is no stream of events yet." },
  {
    words: "api",
    reason: "Any HTTP client can ask the API, for example curl http://127.0.0.1:4200/api/health.",
  },
  { words: "cloud", reason: "This is a server of your own; there is nothing to log in to." },
  {
    words: "server database",
    reason: "The server looks after its own file; there is nothing to migrate by hand.",
  },
  {
    words: "config validate",
    reason: "config set says when nothing reads a setting, and every command when a value is bad.",
  },
];

/** Single spellings that mean something else here, or nothing. */
export const OTHERWISE: readonly Missing[] = [
  {
    words: "work-pool preview -h, work-queue preview -h, flow-run logs -h",
    reason: "-h is help everywhere; the long names --hours and --head are there.",
  },
  {
    words: "delete and unset without a terminal",
    reason: "They want --yes (or --no-prompt before the command), where the reference deletes unasked.",
  },
  {
    words: "flow-run retry --entrypoint",
    reason:
      "Runs of deployments are retried by the agent of their pool; flow code is never loaded by the command line.",
  },
  {
    words: "work-pool create --provision-infra",
    reason: "Nothing is provisioned in a cloud: an agent runs where it is started.",
  },
];

/** Why there is no such command; undefined when nobody would expect it. */
export function whyMissing(title: string): string | undefined {
  return MISSING.find(({ words }) => words === title)?.reason;
}
