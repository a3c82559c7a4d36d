/**
 * The server's settings: one table from which flags, environment names, defaults, `--help` and the README's table come.
 * A flag wins over `SLUICE_*`, that over the reference's name where it has one, that over the default.
 */
import { parseArgs } from "@std/cli/parse-args";
import { z } from "zod";
import { LOG_FORMATS, LOG_LEVELS } from "./log.ts";

/** Something that the user set is not allowed. `message` is one line for the user. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

export interface Setting {
  /** Name of the flag, without dashes. */
  flag: string;
  /** Environment variables, the first one wins. */
  env: readonly string[];
  /** What stands in `--help` behind the flag. */
  value: string;
  /** Text, as a user would write it. */
  default: string;
  help: string;
  /** May be given several times; in the environment with commas. */
  isList?: true;
}

const number = () =>
  z.coerce.number({ error: ({ code }) => code === "invalid_type" ? "A number is expected" : undefined });
const count = (least: number, most: number) =>
  number().int("A whole number is expected").min(least).max(most);

const Values = z.object({
  host: z.string().min(1),
  port: count(0, 65_535),
  kv: z.string().min(1),
  "log-level": z.enum(LOG_LEVELS),
  "log-format": z.enum(LOG_FORMATS),
  "max-body-bytes": count(1_024, 1_073_741_824),
  "heartbeat-seconds": number().min(0.5).max(60),
  "allowed-host": z.array(z.string().min(1)),
});

export const SETTINGS: readonly Setting[] = [
  {
    flag: "host",
    env: ["SLUICE_HOST", "PREFECT_SERVER_API_HOST"],
    value: "ADDRESS",
    default: "127.0.0.1",
    help: "Address to listen on",
  },
  {
    flag: "port",
    env: ["SLUICE_PORT", "PREFECT_SERVER_API_PORT"],
    value: "NUMBER",
    default: "4200",
    help: "Port to listen on; 0: any free one",
  },
  {
    flag: "kv",
    env: ["SLUICE_KV"],
    value: "PLACE",
    default: "",
    help: "Where state is kept: a file, :memory:, or the http(s) URL of a KV Connect server " +
      "(its token in SLUICE_KV_ACCESS_TOKEN). Default: sluice/sluice.sqlite3 in the data directory of the platform",
  },
  {
    flag: "log-level",
    env: ["SLUICE_LOG_LEVEL", "PREFECT_LOGGING_SERVER_LEVEL"],
    value: LOG_LEVELS.join("|"),
    default: "info",
    help: "Least severe messages of the server's own log",
  },
  {
    flag: "log-format",
    env: ["SLUICE_LOG_FORMAT"],
    value: LOG_FORMATS.join("|"),
    default: "text",
    help: "Form of the server's own log",
  },
  {
    flag: "max-body-bytes",
    env: ["SLUICE_MAX_BODY_BYTES"],
    value: "BYTES",
    default: "8388608",
    help: "Largest body of a request",
  },
  {
    flag: "heartbeat-seconds",
    env: ["SLUICE_HEARTBEAT_SECONDS"],
    value: "SECONDS",
    default: "5",
    help: "How often agents are told to send a heartbeat",
  },
  {
    flag: "allowed-host",
    env: ["SLUICE_ALLOWED_HOSTS"],
    value: "NAME",
    default: "",
    help:
      "Host name by which clients may address this server, beside loopback and --host; may be repeated. *: any, the default when --host is not loopback",
    isList: true,
  },
];

export interface Config {
  host: string;
  port: number;
  /** A file, `:memory:`, or a URL. */
  kv: string;
  kvToken: string | undefined;
  logLevel: (typeof LOG_LEVELS)[number];
  logFormat: (typeof LOG_FORMATS)[number];
  maxBodyBytes: number;
  heartbeatSeconds: number;
  allowedHosts: string[];
}

/** What surrounds the process. */
export interface Surroundings {
  env: Readonly<Record<string, string | undefined>>;
  os: typeof Deno.build.os;
}

/** @throws ConfigError on an unknown flag or a value that is not allowed */
export function readConfig(args: readonly string[], around: Surroundings): Config {
  const given = readFlags(args);
  const raw: Record<string, unknown> = {};
  const origin: Record<string, string> = {};
  for (const setting of SETTINGS) {
    const [value, from] = pick(setting, given, around.env);
    raw[setting.flag] = setting.flag === "kv" && value === "" ? defaultKvFile(around) : value;
    origin[setting.flag] = from;
  }
  const parsed = Values.safeParse(raw);
  if (!parsed.success) throw refusal(parsed.error.issues[0]!, raw, origin);
  const { data } = parsed;
  return {
    host: data.host,
    port: data.port,
    kv: data.kv,
    kvToken: around.env["SLUICE_KV_ACCESS_TOKEN"] || around.env["DENO_KV_ACCESS_TOKEN"] || undefined,
    logLevel: data["log-level"],
    logFormat: data["log-format"],
    maxBodyBytes: data["max-body-bytes"],
    heartbeatSeconds: data["heartbeat-seconds"],
    allowedHosts: data["allowed-host"],
  };
}

function readFlags(args: readonly string[]): Record<string, unknown> {
  const unexpected: string[] = [];
  const flags = SETTINGS.map(({ flag }) => flag);
  // Whoever is used to npm writes `--` before a task's options, and Deno passes it on.
  const parsed = parseArgs(args[0] === "--" ? args.slice(1) : args, {
    string: flags,
    collect: SETTINGS.filter(({ isList }) => isList).map(({ flag }) => flag),
    unknown: (arg) => void unexpected.push(arg),
  });
  // An empty value is among them too; that is refused below, by the name of its flag.
  const unknown = [...unexpected, ...parsed._.map(String)].filter((arg) => arg !== "");
  if (unknown.length > 0) {
    throw new ConfigError(
      `Unknown option '${unknown[0]}'. Allowed: ${flags.map((flag) => `--${flag}`).join(", ")}.`,
    );
  }
  for (const flag of flags) {
    const values: unknown[] = [Reflect.get(parsed, flag)].flat();
    if (values.some((value) => typeof value === "string" && value.trim() === "")) {
      throw new ConfigError(`--${flag} needs a value.`);
    }
  }
  return parsed;
}

/** The value that wins, and where it came from. */
function pick(
  setting: Setting,
  flags: Record<string, unknown>,
  env: Surroundings["env"],
): [value: unknown, from: string] {
  const flag = flags[setting.flag];
  const hasFlag = Array.isArray(flag) ? flag.length > 0 : flag !== undefined;
  if (hasFlag) return [setting.isList ? flag : normalised(setting, String(flag)), `--${setting.flag}`];
  const name = setting.env.find((candidate) => env[candidate]?.trim());
  const text = name === undefined ? setting.default : env[name]!;
  const parts = text.split(",").map((part) => part.trim()).filter((part) => part !== "");
  return [setting.isList ? parts : normalised(setting, text), name ?? "default"];
}

/** The reference writes its levels in capitals, and has two that mean one of ours. */
function normalised(setting: Setting, text: string): string {
  if (setting.flag !== "log-level") return text;
  const word = text.toLowerCase();
  return word === "warning" ? "warn" : word === "critical" ? "error" : word;
}

function refusal(
  issue: z.core.$ZodIssue,
  raw: Record<string, unknown>,
  origin: Record<string, string>,
): ConfigError {
  const flag = String(issue.path[0]);
  const name = origin[flag] === "default" ? `--${flag}` : origin[flag];
  const allowed = SETTINGS.find((setting) => setting.flag === flag)?.value;
  return new ConfigError(`${name}: '${raw[flag]}' is not allowed (${allowed}). ${issue.message}.`);
}

/** The data directory of the platform; the same for `deno task` and the binary. */
export function dataDirectory({ env, os }: Surroundings): string {
  const home = env["HOME"] ?? env["USERPROFILE"] ?? ".";
  if (os === "windows") return `${env["LOCALAPPDATA"] ?? `${home}\\AppData\\Local`}\\sluice`;
  if (os === "darwin") return `${home}/Library/Application Support/sluice`;
  return `${env["XDG_DATA_HOME"] || `${home}/.local/share`}/sluice`;
}

const defaultKvFile = (around: Surroundings): string =>
  `${dataDirectory(around)}${around.os === "windows" ? "\\" : "/"}sluice.sqlite3`;

/** The settings in one line for the log, without secrets. */
export function describeConfig(config: Config): Record<string, unknown> {
  const { kvToken, ...shown } = config;
  return { ...shown, kvToken: kvToken === undefined ? "none" : "set" };
}

/** `--help` of the server. */
export function serverHelp(command: string): string {
  const rows = SETTINGS.map((setting) => {
    const fallback = setting.default === "" ? "" : ` [default: ${setting.default}]`;
    return `  --${setting.flag} ${setting.value}\n      ${setting.help}${fallback}\n      env: ${
      setting.env.join(", ")
    }`;
  });
  return `Start the Sluice server.\n\nUsage: ${command} [options]\n\nOptions:\n${rows.join("\n")}\n\n` +
    `Example:\n  ${command} --port 4200 --kv ./sluice.sqlite3\n`;
}
