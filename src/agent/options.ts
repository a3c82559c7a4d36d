import { parseArgs } from "@std/cli/parse-args";
import { closestString } from "@std/text/closest-string";
import { LOG_LEVELS, type LogLevel } from "../runtime/log.ts";
import { findSetting, type FoundSetting, type ProfileSettings } from "../runtime/profiles.ts";
import { type Flag, type FlagName, settingsOf, START_FLAGS } from "./flags.ts";

/** What `agent start` was asked for. Times are in seconds. */
export interface AgentOptions {
  /** Base URL, ending in `/api`; undefined when nothing names a server. */
  api: string | undefined;
  /** At least one. */
  pools: string[];
  /** Empty together with `prefixes`: all queues. */
  queues: string[];
  prefixes: string[];
  /** Runs at once, 1 or more; undefined without limit. */
  limit: number | undefined;
  prefetchSeconds: number;
  runOnce: boolean;
  hideWelcome: boolean;
  /** Undefined: as each run's job says. */
  streamOutput: boolean | undefined;
  /** Whether pools and queues that do not exist are created. */
  create: boolean;
  name: string | undefined;
  graceSeconds: number;
  cancelGraceSeconds: number;
  logLevel: LogLevel;
}

/** The command line cannot be understood: exit code 2. `message` is one line for the user. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export type Env = Readonly<Record<string, string | undefined>>;
type Parsed = Readonly<Record<string, unknown>>;

export const DEFAULT_POOL = "default-agent-pool";
const EXAMPLE_API = "http://127.0.0.1:4200/api";
const DEFAULT_PREFETCH_SECONDS = 10;
const DEFAULT_GRACE_SECONDS = 30;
const DEFAULT_CANCEL_GRACE_SECONDS = 10;

/** Whether the text of `--help` is wanted, whatever else is right or wrong. */
export const asksForHelp = (args: readonly string[]): boolean => Boolean(parseFlags(args).help);

/**
 * The options of `agent start`. A flag wins over the environment, that over the profile.
 *
 * @param args the arguments after `start`
 * @throws UsageError on an unknown flag, a bad value, or when there is nothing to pull from
 */
export function parseOptions(
  args: readonly string[],
  env: Env,
  profile: ProfileSettings = {},
): AgentOptions {
  const find = (flag: FlagName) => findSetting(settingsOf(flag), env, profile);
  const given = parseFlags(args);
  const pools = texts(given, "pool");
  const queues = texts(given, "work-queue");
  const prefixes = texts(given, "match");
  if (pools.length + queues.length + prefixes.length === 0) {
    throw new UsageError("Nothing to pull from: name a work pool (-p), a work queue (-q) or a prefix (-m).");
  }
  return {
    api: apiOf(given, find("api")),
    pools: pools.length > 0 ? pools : [DEFAULT_POOL],
    queues,
    prefixes,
    limit: limitOf(given),
    prefetchSeconds: seconds(text(given, "prefetch-seconds"), "--prefetch-seconds") ??
      secondsFrom(find("prefetch-seconds")) ?? DEFAULT_PREFETCH_SECONDS,
    runOnce: Boolean(given["run-once"]),
    streamOutput: switchOf(given, "stream-output"),
    hideWelcome: Boolean(given["hide-welcome"]),
    create: !given["no-create"],
    name: text(given, "name"),
    graceSeconds: seconds(text(given, "grace"), "--grace") ?? DEFAULT_GRACE_SECONDS,
    cancelGraceSeconds: seconds(text(given, "cancel-grace"), "--cancel-grace") ??
      DEFAULT_CANCEL_GRACE_SECONDS,
    logLevel: logLevelOf(text(given, "log-level") ?? find("log-level")?.value ?? "info"),
  };
}

function parseFlags(args: readonly string[]): Parsed {
  const flags: readonly Flag[] = START_FLAGS;
  const names = (...kinds: Flag["kind"][]) =>
    flags.filter((flag) => kinds.includes(flag.kind)).map((flag) => flag.name);
  return parseArgs<string, string, string>(args, {
    string: names("text", "texts", "number"),
    boolean: names("switch"),
    collect: names("texts"),
    default: Object.fromEntries(names("switch").map((name) => [name, undefined])), // not given is not the same as no
    negatable: flags.filter((flag) => flag.negatable).map((flag) => flag.name),
    alias: Object.fromEntries(flags.flatMap((flag) => flag.short ? [[flag.name, flag.short]] : [])),
    unknown: (arg) => refuseUnknown(arg, flags),
  });
}

function refuseUnknown(arg: string, flags: readonly Flag[]): never {
  if (!arg.startsWith("-")) {
    throw new UsageError(`Unexpected argument '${arg}': pools are named by -p ${arg}.`);
  }
  const known = flags.flatMap(({ name, negatable }) =>
    negatable ? [`--${name}`, `--no-${name}`] : [`--${name}`]
  );
  const flag = arg.replace(/=.*/s, "");
  const hint = flag.startsWith("--") ? ` Did you mean ${closestString(flag, known)}?` : "";
  throw new UsageError(`Unknown option ${flag}.${hint} See --help.`);
}

function texts(given: Parsed, name: string): string[] {
  const values = given[name];
  if (!Array.isArray(values)) return [];
  if (values.some((value) => value === "")) throw new UsageError(`--${name} needs a value.`);
  return [...new Set(values.map(String))];
}

function text(given: Parsed, name: string): string | undefined {
  const value = given[name];
  if (typeof value !== "string") return undefined;
  if (value === "") throw new UsageError(`--${name} needs a value.`);
  return value;
}

function switchOf(given: Parsed, name: string): boolean | undefined {
  const value = given[name];
  return typeof value === "boolean" ? value : undefined;
}

function apiOf(given: Parsed, found: FoundSetting | undefined): string | undefined {
  const flag = text(given, "api");
  const value = flag ?? found?.value;
  if (value === undefined) return undefined;
  if (/^https?:\/\/[^/]/.test(value) && URL.canParse(value)) return value.replace(/\/+$/, "");
  throw new UsageError(
    `The API is a URL like ${EXAMPLE_API}, not '${value}' (from ${
      flag === undefined ? originOf(found) : "--api"
    }).`,
  );
}

/** Where a setting was found, for messages. */
const originOf = (found: FoundSetting | undefined): string =>
  found === undefined ? "nowhere" : found.source === "env" ? found.name : `${found.name} of your profile`;

function limitOf(given: Parsed): number | undefined {
  const value = text(given, "limit");
  if (value === undefined) return undefined;
  if (!/^[1-9]\d{0,6}$/.test(value)) {
    throw new UsageError(
      `--limit takes a whole number of 1 or more, not '${value}'; leave it out for no limit.`,
    );
  }
  return Number(value);
}

function seconds(value: string | undefined, from: string): number | undefined {
  if (value === undefined || value === "") return undefined;
  if (!/^\d{1,9}(\.\d+)?$/.test(value)) {
    throw new UsageError(`${from} takes seconds, 0 or more, not '${value}'.`);
  }
  return Number(value);
}

const secondsFrom = (found: FoundSetting | undefined): number | undefined =>
  seconds(found?.value, originOf(found));

function logLevelOf(value: string): LogLevel {
  const level = LOG_LEVELS.find((known) => known === value.toLowerCase());
  if (level === undefined) {
    throw new UsageError(`--log-level is one of ${LOG_LEVELS.join(", ")}, not '${value}'.`);
  }
  return level;
}
