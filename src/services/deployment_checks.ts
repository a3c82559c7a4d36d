import { fillValues, mayBeTemplated, TemplateError, variableNames } from "../domain/templated_values.ts";
import { DomainError } from "../errors.ts";
import { readText } from "../kv/large_text.ts";
import type { ServerDeps } from "../runtime/deps.ts";
import { CommandError, findShellPlaceholder } from "../schemas/command.ts";
import type { DeploymentRecord, JsonText, LargeText, WorkPoolRecord } from "../schemas/records.ts";
import { fromJsonText } from "../schemas/wire.ts";
import { UnusableSchemaError } from "./json_schema.ts";
import { findMismatch } from "./parameter_schema.ts";
import type { Variables } from "./variables.ts";

/** What is being done, for the words and the code of a refusal. */
export type Doing = "creating deployment" | "updating deployment" | "creating flow run";

/** What a deployment's parameters and job variables have to fit. */
export class DeploymentChecks {
  readonly #deps: ServerDeps;
  readonly #variables: Variables;

  constructor(deps: ServerDeps, variables: Variables) {
    this.#deps = deps;
    this.#variables = variables;
  }

  /** The parameters with their templated values filled in. @throws DomainError `bad_request` */
  async fillParameters(parameters: JsonText, doing: Doing): Promise<JsonText> {
    if (!mayBeTemplated(parameters)) return parameters;
    const value = fromJsonText(parameters);
    try {
      return JSON.stringify(fillValues(value, await this.#variables.valuesOf(variableNames(value))));
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      throw new DomainError("bad_request", `Error ${doing}: a parameter cannot be made. ${error.message}`, {
        cause: error,
      });
    }
  }

  /** @throws DomainError `invalid` for a new deployment, else `conflict` */
  checkParameters(parameters: JsonText, schema: JsonText, doing: Doing): void {
    if (schema === "{}") return;
    const fault = faultOf(schema, parameters, doing !== "creating flow run");
    if (fault === undefined) return;
    // The reference finds the first one while it reads the body, and the others while it works.
    if (doing === "creating deployment") throw new DomainError("invalid", fault, { field: [] });
    throw new DomainError("conflict", `Error ${doing}: ${fault}`);
  }

  /**
   * The parameters that a run gets, checked where the run or else its deployment wishes it.
   *
   * @throws DomainError `bad_request`, `conflict`
   */
  async runParameters(
    parameters: JsonText,
    deployment: DeploymentRecord,
    wish: { enforce_parameter_schema?: boolean | null | undefined },
  ): Promise<JsonText> {
    const filled = await this.fillParameters(parameters, "creating flow run");
    if (wish.enforce_parameter_schema ?? deployment.enforceParameterSchema) {
      const schema = await readText(this.#deps.kv, deployment.parameterSchema);
      this.checkParameters(filled, schema, "creating flow run");
    }
    return filled;
  }

  /** A run's own job variables over its deployment's. @throws DomainError `invalid` */
  async checkRunVariables(
    pool: WorkPoolRecord | undefined,
    deployment: DeploymentRecord,
    own: { job_variables?: JsonText | null | undefined },
  ): Promise<void> {
    if (!pool || pool.baseJobTemplate === "{}") return;
    const given = [await readText(this.#deps.kv, deployment.jobVariables), own.job_variables ?? "{}"];
    await this.checkJobVariables(pool.baseJobTemplate, given, "creating flow run");
  }

  /**
   * Job variables, those of later texts before those of earlier ones, against those that the pool's template declares. Defaults count where
   * nothing else is given; what a deployment lacks, its runs may bring.
   *
   * @throws DomainError `invalid`
   */
  async checkJobVariables(
    baseJobTemplate: LargeText,
    given: readonly JsonText[],
    doing: Doing,
  ): Promise<void> {
    if (baseJobTemplate === "{}") return;
    const template = objectOf(await readText(this.#deps.kv, baseJobTemplate));
    const { variables } = template;
    if (!isObject(variables)) return;
    const isRun = doing === "creating flow run";
    const values: unknown = Object.assign(isRun ? defaultsOf(variables) : {}, ...given.map(objectOf));
    const fault = faultOf(JSON.stringify(variables), JSON.stringify(values), !isRun);
    if (fault !== undefined) throw new DomainError("invalid", `Error ${doing}: ${fault}`);
  }
}

function faultOf(schema: JsonText, value: JsonText, ignoreRequired: boolean): string | undefined {
  try {
    return findMismatch(schema, value, { ignoreRequired });
  } catch (error) {
    if (error instanceof UnusableSchemaError) return error.message;
    throw error;
  }
}

function defaultsOf({ properties }: Record<string, unknown>): Record<string, unknown> {
  if (!isObject(properties)) return {};
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, property]) => {
      const value = isObject(property) ? property["default"] : undefined;
      return value === undefined || value === null ? [] : [[name, value]];
    }),
  );
}

/** A placeholder inside a shell script would let a parameter's value become code. @throws DomainError `invalid` */
export function checkCommand(jobVariables: JsonText | null | undefined): void {
  const command = jobVariables ? objectOf(jobVariables)["command"] : undefined;
  if (typeof command !== "string") return;
  const field = ["job_variables", "command"];
  try {
    const found = findShellPlaceholder(command);
    if (found) throw new DomainError("invalid", found.message, { field });
  } catch (error) {
    if (error instanceof CommandError) {
      throw new DomainError("invalid", error.message, { cause: error, field });
    }
    throw error;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const objectOf = (text: JsonText): Record<string, unknown> => {
  const value = fromJsonText(text);
  return isObject(value) ? value : {};
};
