import type { ClaimAnswer } from "../schemas/agent.ts";
import {
  CommandError,
  fillPlaceholders,
  fillWord,
  findShellPlaceholder,
  type Lookup,
  onlyPlaceholder,
  printValue,
  splitCommand,
} from "../schemas/command.ts";

type Json = Readonly<Record<string, unknown>>;

/** What a job is made from; every part may be empty. */
export interface JobSource {
  /** The pool's `base_job_template`: `{}`, or `job_configuration` and `variables`. */
  template: Json;
  /** `job_variables` of the deployment, then of the run: later ones win, key by key. */
  jobVariables: readonly Json[];
  parameters: Json;
  /** What the deployment runs when it has no command: then the reference's engine is started. */
  entrypoint: string | null;
}

/** One process to start, with nothing left to fill in. */
export interface Job {
  /** At least one word. */
  command: string[];
  env: Record<string, string>;
  workingDir: string | undefined;
  name: string | undefined;
  labels: Json;
  timeoutSeconds: number | undefined;
  /** Whether the process tells the server itself that it is running, as the reference's engine does. */
  reportsRunning: boolean;
}

const ENGINE = ["python", "-m", "prefect.engine"];
const PARAMETER = /^parameters\.(.+)$/;

/** The parts of a claim that its job is made from. */
export function jobSourceOf(answer: ClaimAnswer, grant: ClaimAnswer["grants"][number]): JobSource {
  const run = grant.flow_run;
  const deployment = answer.deployments[run.deployment_id ?? ""];
  return {
    template: answer.base_job_template,
    jobVariables: [deployment?.job_variables ?? {}, run.job_variables ?? {}],
    parameters: run.parameters,
    entrypoint: deployment?.entrypoint ?? null,
  };
}

/**
 * The job: the template's configuration, filled with the variables' defaults under the given job variables. With an
 * empty template the job variables themselves are the job.
 *
 * A key that is exactly one placeholder takes its variable; placeholders in what it takes are filled once more, so
 * that `command: "{{ command }}"` in the template and `report.sh {{ day }}` in the deployment work together.
 *
 * @throws CommandError when a part has the wrong kind, or there is nothing to run
 */
export function buildJob(source: JobSource): Job {
  const variables: Json = Object.assign({}, defaultsOf(source.template), ...source.jobVariables);
  const configuration = Object.keys(source.template).length === 0
    ? variables
    : objectAt(source.template, "job_configuration");
  const lookup = lookupIn(variables, source.parameters);
  const read = (key: string) => fillPlaceholders(takeWhole(configuration[key], variables), lookup);
  const command = takeWhole(configuration.command, variables);
  return {
    command: buildCommand(command, source, variables),
    env: textValues(asObject(read("env"), "env")),
    workingDir: asText(read("working_dir"), "working_dir"),
    name: asText(read("name"), "name"),
    labels: asObject(read("labels"), "labels"),
    timeoutSeconds: asSeconds(read("timeout_seconds"), "timeout_seconds"),
    reportsRunning: asText(command, "command") === undefined,
  };
}

function buildCommand(command: unknown, source: JobSource, variables: Json): string[] {
  const text = asText(command, "command");
  if (text === undefined) {
    if (source.entrypoint !== null) return [...ENGINE];
    throw new CommandError(
      "This run has nothing to run: give its deployment a command (job_variables.command) or an entrypoint.",
    );
  }
  const words = splitCommand(text);
  const lookup = lookupIn(variables, source.parameters);
  const filled = words.map((word) => fillWord(word, (name) => lookup(name) ?? own(source.parameters, name)));
  const inShell = findShellPlaceholder(words, filled);
  if (inShell) throw new CommandError(inShell.message);
  return filled;
}

/** Job variables by name, parameters as `parameters.<name>`. */
function lookupIn(variables: Json, parameters: Json): Lookup {
  return (name) => {
    const parameter = PARAMETER.exec(name)?.[1];
    return parameter === undefined ? own(variables, name) : own(parameters, parameter);
  };
}

function takeWhole(value: unknown, variables: Json): unknown {
  const name = typeof value === "string" ? onlyPlaceholder(value) : undefined;
  return name === undefined || PARAMETER.test(name) ? value : own(variables, name);
}

function defaultsOf(template: Json): Json {
  const properties = objectAt(objectAt(template, "variables"), "properties");
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, property]) => {
      const value = isObject(property) ? property.default : undefined;
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

const own = (from: Json, name: string): unknown => Object.hasOwn(from, name) ? from[name] : undefined;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function objectAt(from: Json, key: string): Json {
  const value = from[key];
  return isObject(value) ? value : {};
}

function asObject(value: unknown, key: string): Json {
  if (value === undefined || value === null) return {};
  if (isObject(value)) return value;
  throw new CommandError(`The job's ${key} must be an object of names and values.`);
}

function asText(value: unknown, key: string): string | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "string") return value;
  throw new CommandError(`The job's ${key} must be text, not ${printValue(value).slice(0, 80)}.`);
}

function asSeconds(value: unknown, key: string): number | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  const seconds = typeof value === "string" ? Number(value) : value;
  if (typeof seconds === "number" && seconds > 0 && Number.isFinite(seconds)) return seconds;
  throw new CommandError(`The job's ${key} must be a number above 0, not ${printValue(value).slice(0, 80)}.`);
}

function textValues(values: Json): Record<string, string> {
  const given = Object.entries(values).filter(([, value]) => value !== null);
  return Object.fromEntries(given.map(([name, value]) => [name, printValue(value)]));
}
