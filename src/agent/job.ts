import type { ClaimAnswer } from "../schemas/agent.ts";
import {
  CommandError,
  fillWord,
  findShellPlaceholder,
  printValue,
  splitCommand,
} from "../schemas/command.ts";
import { isObject, JobValues, type Json, objectAt, type ValueSource } from "./job_values.ts";

/** What a job is made from; every part may be empty. */
export interface JobSource extends ValueSource {
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
  /** Whether what it writes is shown on the agent's terminal too; undefined: the agent decides. */
  streamOutput: boolean | undefined;
  /** Whether the process tells the server itself that it is running, as the reference's engine does. */
  reportsRunning: boolean;
}

const ENGINE = ["python", "-m", "prefect.engine"];

/** The parts of a claim that its job is made from. */
export function jobSourceOf(
  answer: ClaimAnswer,
  grant: ClaimAnswer["grants"][number],
): Omit<JobSource, "references"> {
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
 * empty template the job variables themselves are the job. An environment that the template fixes stays under the one
 * that the job variables give.
 *
 * @throws CommandError when a part has the wrong kind, a reference leads nowhere, or there is nothing to run
 */
export function buildJob(source: JobSource): Job {
  const values = new JobValues(source);
  const isBare = Object.keys(source.template).length === 0;
  const configuration = isBare ? values.variables : objectAt(source.template, "job_configuration");
  const read = (key: string) => values.fill(configuration[key]);
  const command = values.takeWhole(configuration.command);
  return {
    command: buildCommand(command, source, values),
    env: textValues({
      ...asObject(read("env"), "env"),
      ...isObject(configuration.env) ? asObject(values.fill(values.variables.env), "env") : {},
    }),
    workingDir: asText(read("working_dir"), "working_dir"),
    name: asText(read("name"), "name"),
    labels: asObject(read("labels"), "labels"),
    timeoutSeconds: asSeconds(read("timeout_seconds"), "timeout_seconds"),
    streamOutput: asSwitch(read("stream_output"), "stream_output"),
    reportsRunning: asText(command, "command") === undefined,
  };
}

function buildCommand(command: unknown, source: JobSource, values: JobValues): string[] {
  const text = asText(command, "command");
  if (text === undefined) {
    if (source.entrypoint !== null) return [...ENGINE];
    throw new CommandError(
      "This run has nothing to run: give its deployment a command (job_variables.command) or an entrypoint.",
    );
  }
  const words = splitCommand(text);
  const filled = words.map((word) => fillWord(word, (name) => values.lookup(name) ?? values.parameter(name)));
  const inShell = findShellPlaceholder(words, filled);
  if (inShell) throw new CommandError(inShell.message);
  return filled;
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

function asSwitch(value: unknown, key: string): boolean | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  if (value === true || value === "true") return true;
  if (value === false || value === "false") return false;
  throw new CommandError(`The job's ${key} must be true or false, not ${printValue(value).slice(0, 80)}.`);
}

function textValues(values: Json): Record<string, string> {
  const given = Object.entries(values).filter(([, value]) => value !== null);
  return Object.fromEntries(given.map(([name, value]) => [name, printValue(value)]));
}
