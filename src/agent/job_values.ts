/** The values that a job is filled with: job variables, parameters, and what lies on the server. */
import {
  CommandError,
  fillPlaceholders,
  type Lookup,
  onlyPlaceholder,
  placeholdersIn,
  valueAt,
} from "../schemas/command.ts";

export type Json = Readonly<Record<string, unknown>>;

/** Where values come from. */
export interface ValueSource {
  /** The pool's `base_job_template`: `{}`, or `job_configuration` and `variables`. */
  template: Json;
  /** `job_variables` of the deployment, then of the run: later ones win, key by key. */
  jobVariables: readonly Json[];
  parameters: Json;
  /** Variables of the server, by name; those that the job refers to and that there are. */
  references: Json;
}

const PARAMETER = /^parameters\.(.+)$/;
const REFERENCE = /^prefect\.variables\.([^.[]+)(.*)$/;
const BLOCK = /^prefect\.blocks\./;

/** The names of the server's variables that the job refers to: `{{ prefect.variables.NAME }}`. */
export function referencedVariables({ template, jobVariables }: Omit<ValueSource, "references">): string[] {
  const text = JSON.stringify([template.job_configuration, ...jobVariables]);
  return [...new Set(placeholdersIn(text).flatMap((name) => REFERENCE.exec(name)?.[1] ?? []))];
}

export class JobValues {
  /** Job variables over the template's defaults. What is null counts as not given. */
  readonly variables: Json;
  readonly #source: ValueSource;

  /** @throws CommandError when the template asks for a variable that nobody gives */
  constructor(source: ValueSource) {
    this.#source = source;
    const merged = Object.assign({}, defaultsOf(source.template), ...source.jobVariables);
    this.variables = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null));
    const required = objectAt(source.template, "variables").required;
    const missing = (Array.isArray(required) ? required.map(String) : [])
      .filter((name) => !Object.hasOwn(this.variables, name));
    if (missing.length > 0) {
      throw new CommandError(
        `The work pool's job template needs ${
          missing.join(", ")
        }: give it as a job variable of the deployment or the run.`,
      );
    }
  }

  /**
   * Job variables by name, parameters as `parameters.NAME`, variables of the server as `prefect.variables.NAME`.
   * Throws a CommandError for what the server should have and has not.
   */
  readonly lookup: Lookup = (name) => {
    const parameter = PARAMETER.exec(name)?.[1];
    if (parameter !== undefined) return valueAt(this.#source.parameters, parameter);
    if (BLOCK.test(name)) {
      throw new CommandError(
        `The job refers to {{ ${name} }}, but there are no blocks here: use a variable.`,
      );
    }
    const [, variable, rest = ""] = REFERENCE.exec(name) ?? [];
    return variable === undefined ? valueAt(this.variables, name) : this.#reference(variable, rest);
  };

  /** A parameter by its bare name, for commands. */
  parameter(name: string): unknown {
    return valueAt(this.#source.parameters, name);
  }

  /**
   * The value for a key of the job: what is exactly one placeholder takes its variable, and placeholders in what it
   * takes are filled once more, so that `env: "{{ env }}"` in the template and `A: "{{ day }}"` in the deployment work
   * together. Values of parameters are never searched.
   */
  fill(value: unknown): unknown {
    return fillPlaceholders(this.takeWhole(value), this.lookup);
  }

  /** The first half of {@link fill}. */
  takeWhole(value: unknown): unknown {
    const name = typeof value === "string" ? onlyPlaceholder(value) : undefined;
    return name === undefined || PARAMETER.test(name) ? value : this.lookup(name);
  }

  #reference(variable: string, rest: string): unknown {
    const { references } = this.#source;
    if (Object.hasOwn(references, variable)) {
      return rest === "" ? references[variable] : valueAt({ it: references[variable] }, `it${rest}`);
    }
    throw new CommandError(
      `The job refers to the variable '${variable}', and there is none: set it, or correct its name.`,
    );
  }
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

export const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The object under `key`; empty when there is none. */
export function objectAt(from: Json, key: string): Json {
  const value = from[key];
  return isObject(value) ? value : {};
}
