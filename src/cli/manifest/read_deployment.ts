import { CommandError, findShellPlaceholder } from "../../schemas/command.ts";
import { checkShape } from "./check_shape.ts";
import { type DeploymentPlan, type Reading, warnIgnored } from "./manifest.ts";
import { readSchedules } from "./read_schedules.ts";
import { DeploymentShape, IGNORED_IN_DEPLOYMENT, JOB_KEYS, LimitShape } from "./shape.ts";
import type { Path } from "./source.ts";

type Values = Record<string, unknown>;

/** A deployment of the file as it is sent; undefined when it has problems, which are then noted in `reading`. */
export function readDeployment(item: unknown, path: Path, reading: Reading): DeploymentPlan | undefined {
  const { source, problems } = reading;
  const before = problems.length;
  const shape = checkShape(DeploymentShape, item, { path, source, problems });
  if (shape === undefined) return undefined;
  const ignored = IGNORED_IN_DEPLOYMENT.filter((key) => shape[key] !== undefined);
  warnIgnored(ignored, path, reading);
  const flow = readFlow(shape, path, reading);
  const jobVariables = readJobVariables(shape, path, reading);
  const schedules = readSchedules(shape, path, reading);
  const limit = readLimit(shape, path, reading);
  if (problems.length > before || flow === undefined) return undefined;
  const pool = shape.work_pool?.name ?? reading.defaultPool ?? null;
  if (pool === null) {
    const message = `Deployment '${shape.name}' names no work pool: no agent will run it.`;
    reading.warnings.push({ line: source.lineOf([...path, "name"]), message });
  }
  return {
    flow,
    poolLine: source.lineOf([...path, "work_pool", "name"]),
    // Every key is sent: what was taken out of the file goes from the deployment too.
    body: {
      name: shape.name,
      description: shape.description ?? null,
      version: shape.version ?? null,
      entrypoint: shape.entrypoint ?? null,
      tags: shape.tags ?? [],
      parameters: shape.parameters ?? {},
      enforce_parameter_schema: shape.enforce_parameter_schema ?? false,
      paused: shape.paused ?? false,
      work_pool_name: pool,
      work_queue_name: shape.work_pool?.work_queue_name ?? null,
      job_variables: jobVariables,
      schedules,
      ...limit,
    },
  };
}

/** `flow`, `flow_name`, or what the reference calls the function of an entrypoint. */
function readFlow(shape: DeploymentShape, path: Path, { source, problems }: Reading): string | undefined {
  if (shape.flow && shape.flow_name && shape.flow !== shape.flow_name) {
    const message = "'flow' and 'flow_name' are the same thing: keep one.";
    problems.push({ line: source.lineOf([...path, "flow_name"]), message });
  }
  const named = shape.flow ?? shape.flow_name;
  if (named) return named;
  const called = /[:.]([A-Za-z_]\w*)$/.exec(shape.entrypoint ?? "")?.[1];
  if (called !== undefined) return called.replaceAll("_", "-");
  problems.push({ line: source.lineOf(path), message: "'flow' is missing: the name of what is deployed." });
  return undefined;
}

function readJobVariables(shape: DeploymentShape, path: Path, reading: Reading): Values {
  const { source, problems } = reading;
  const variables: Values = { ...shape.work_pool?.job_variables };
  for (const key of JOB_KEYS) {
    const value = shape[key];
    if (value === undefined || value === null) continue;
    if (Object.hasOwn(variables, key)) {
      const message = `'${key}' is given twice: here and in 'work_pool.job_variables'.`;
      problems.push({ line: source.lineOfKey([...path, key]), message });
    }
    variables[key] = value;
  }
  const commandPath = shape.command === undefined || shape.command === null
    ? [...path, "work_pool", "job_variables", "command"]
    : [...path, "command"];
  const problem = problemOfCommand(variables.command);
  if (problem !== undefined) problems.push({ line: source.lineOfKey(commandPath), message: problem });
  if (variables.command === undefined && !shape.entrypoint) {
    problems.push({
      line: source.lineOf(path),
      message: `Deployment '${shape.name}' has nothing to run: give it a 'command' or an 'entrypoint'.`,
    });
  }
  return variables;
}

function problemOfCommand(command: unknown): string | undefined {
  if (command === undefined || command === null) return undefined;
  if (typeof command !== "string") return "'command' must be text.";
  try {
    return findShellPlaceholder(command)?.message;
  } catch (error) {
    if (error instanceof CommandError) return error.message;
    throw error;
  }
}

/** A number, or what a prefect.yaml has for it: `{limit, collision_strategy}`. */
function readLimit(shape: DeploymentShape, path: Path, reading: Reading) {
  const { concurrency_limit: value } = shape;
  if (value === undefined || value === null) return { concurrency_limit: null };
  const at = [...path, "concurrency_limit"];
  const { source, problems } = reading;
  const full = typeof value === "object" ? value : { limit: value };
  const limit = checkShape(LimitShape, full, { path: at, source, problems });
  return {
    concurrency_limit: limit?.limit ?? null,
    ...(limit?.collision_strategy
      ? { concurrency_options: { collision_strategy: limit.collision_strategy } }
      : {}),
  };
}
