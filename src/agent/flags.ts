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
  /** Settings of the environment and the profile that stand for the flag; the first one wins. */
  env?: readonly string[];
  /** What counts when nobody says anything. */
  default?: string;
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
    default: "no limit",
    help: "At most this many runs at once.",
  },
  {
    name: "api",
    kind: "text",
    value: "URL",
    env: ["SLUICE_API_URL", "PREFECT_API_URL"],
    default: "the server that has the default state, else one inside this agent",
    help: "The server.",
  },
  {
    name: "prefetch-seconds",
    kind: "number",
    value: "SECONDS",
    env: ["SLUICE_AGENT_PREFETCH_SECONDS", "PREFECT_AGENT_PREFETCH_SECONDS"],
    default: "10",
    help: "How long before its time a run is claimed and prepared.",
  },
  {
    name: "run-once",
    kind: "switch",
    negatable: true,
    default: "no-run-once",
    help: "Run what is due now, then end.",
  },
  {
    name: "stream-output",
    kind: "switch",
    negatable: true,
    default: "as the job variable stream_output of each run says",
    help: "Show here too what runs write, behind their names; --no-stream-output: never.",
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
    default: "the host and two words",
    help: "What this agent is called.",
  },
  {
    name: "grace",
    kind: "number",
    value: "SECONDS",
    default: "30",
    help: "How long runs may go on when the agent is stopped.",
  },
  {
    name: "cancel-grace",
    kind: "number",
    value: "SECONDS",
    default: "10",
    help: "How long a run may clean up between SIGTERM and SIGKILL.",
  },
  {
    name: "log-level",
    kind: "text",
    value: "LEVEL",
    env: ["SLUICE_LOG_LEVEL"],
    default: "info",
    help: "error, warn, info or debug.",
  },
  { name: "help", short: "h", kind: "switch", help: "Show this text." },
] as const satisfies readonly Flag[];

export type FlagName = (typeof START_FLAGS)[number]["name"];

/** The settings that stand for a flag. */
export function settingsOf(name: FlagName): readonly string[] {
  const flags: readonly Flag[] = START_FLAGS;
  return flags.find((flag) => flag.name === name)?.env ?? [];
}

/** How a flag is written: `--run-once / --no-run-once`. */
function spell(flag: Flag): string {
  const long = `--${flag.name}${flag.value ? ` ${flag.value}` : ""}`;
  const both = flag.negatable ? `${long} / --no-${flag.name}` : long;
  return flag.short ? `-${flag.short}, ${both}` : `    ${both}`;
}

/** The text of `--help`. */
export function startHelp(): string {
  const flags = START_FLAGS.map((flag: Flag) =>
    [
      `  ${spell(flag)}`,
      flag.help + (flag.default === undefined ? "" : ` [default: ${flag.default}]`),
      ...flag.env ? [`env: ${flag.env.join(", ")}`] : [],
    ].join("\n          ")
  );
  return [
    "Usage: sluice-agent start [OPTIONS]        (or: sluice agent start [OPTIONS])",
    "",
    "Starts an agent: it claims runs from work pools and runs them here as processes.",
    "Name at least one of --pool, --work-queue and --match. A flag wins over the environment, that over the",
    "active profile.",
    "",
    "Options:",
    ...flags,
    "",
    "Example:",
    "  sluice-agent start -p my-pool -q high -q low --limit 4",
    "",
  ].join("\n");
}
