/** The flags of `agent start`: declared once; parsing, the help text and the near names all read this list. */
export interface Flag {
  name: string;
  short?: string;
  /** `texts` may be given several times; a `switch` takes no value. */
  kind: "text" | "texts" | "number" | "switch";
  /** What the value is called in the help text. */
  value?: string;
  /** Whether `--no-<name>` is what turns it off. */
  negatable?: boolean;
  help: string;
}

export const START_FLAGS = [
  {
    name: "pool",
    short: "p",
    kind: "texts",
    value: "NAME",
    help: "A work pool to pull from. May be given several times.",
  },
  {
    name: "work-queue",
    short: "q",
    kind: "texts",
    value: "NAME",
    help: "A work queue to pull from; without --pool in the pool 'default-agent-pool'. Repeatable.",
  },
  {
    name: "match",
    short: "m",
    kind: "texts",
    value: "PREFIX",
    help: "Pull from every queue whose name starts like this, also from later ones. Repeatable.",
  },
  {
    name: "limit",
    short: "l",
    kind: "number",
    value: "N",
    help: "At most this many runs at once [default: no limit].",
  },
  {
    name: "api",
    kind: "text",
    value: "URL",
    help:
      "The server [default: SLUICE_API_URL, PREFECT_API_URL, the active profile, else the server that has the " +
      "default state, or one inside this agent].",
  },
  {
    name: "prefetch-seconds",
    kind: "number",
    value: "SECONDS",
    help: "How long before its time a run is claimed and prepared [default: SLUICE_AGENT_PREFETCH_SECONDS, " +
      "PREFECT_AGENT_PREFETCH_SECONDS, else 10].",
  },
  {
    name: "run-once",
    kind: "switch",
    negatable: true,
    help: "Run what is due now, then end [default: no-run-once].",
  },
  {
    name: "stream-output",
    kind: "switch",
    negatable: true,
    help:
      "Show what runs write here too, behind their names; --no-stream-output: never [default: as the job " +
      "variable stream_output of each run says].",
  },
  { name: "hide-welcome", kind: "switch", help: "Start without the picture." },
  {
    name: "no-create",
    kind: "switch",
    help: "Refuse pools and queues that do not exist, instead of creating them.",
  },
  {
    name: "name",
    kind: "text",
    value: "NAME",
    help: "What this agent is called [default: the host and two words].",
  },
  {
    name: "grace",
    kind: "number",
    value: "SECONDS",
    help: "How long runs may go on when the agent is stopped [default: 30].",
  },
  {
    name: "cancel-grace",
    kind: "number",
    value: "SECONDS",
    help: "How long a run may clean up between SIGTERM and SIGKILL [default: 10].",
  },
  {
    name: "log-level",
    kind: "text",
    value: "LEVEL",
    help: "error, warn, info or debug [default: SLUICE_LOG_LEVEL, else info].",
  },
  { name: "help", short: "h", kind: "switch", help: "Show this text." },
] as const satisfies readonly Flag[];

export type FlagName = (typeof START_FLAGS)[number]["name"];

/** How a flag is written: `--run-once / --no-run-once`. */
function spell(flag: Flag): string {
  const long = `--${flag.name}${flag.value ? ` ${flag.value}` : ""}`;
  const both = flag.negatable ? `${long} / --no-${flag.name}` : long;
  return flag.short ? `-${flag.short}, ${both}` : `    ${both}`;
}

/** The text of `--help`. */
export function startHelp(): string {
  const flags = START_FLAGS.map((flag) => `  ${spell(flag)}\n          ${flag.help}`);
  return [
    "Usage: sluice-agent start [OPTIONS]        (or: sluice agent start [OPTIONS])",
    "",
    "Starts an agent: it claims runs from work pools and runs them here as processes.",
    "Name at least one of --pool, --work-queue and --match.",
    "",
    "Options:",
    ...flags,
    "",
    "Example:",
    "  sluice-agent start -p my-pool -q high -q low --limit 4",
    "",
  ].join("\n");
}
