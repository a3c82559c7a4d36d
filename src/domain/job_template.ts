/** A work pool's base job template: `job_configuration`, and the schema of the `variables` that fill it. */
type Template = Readonly<Record<string, unknown>>;

/** Variables that `{{ … }}` in a job configuration uses but its variables schema does not declare. */
export function findUndeclaredVariables(template: Template): string[] {
  const used = new Set<string>();
  collect(template["job_configuration"], used);
  const properties = objectAt(variablesOf(template), "properties");
  const isDeclared = (name: string) =>
    Object.hasOwn(properties, name) || Object.hasOwn(properties, name.replace(/[.[].*$/, ""));
  return [...used].filter((name) => !name.startsWith("prefect.") && !isDeclared(name)).sort();
}

const variablesOf = (template: Template): Record<string, unknown> => objectAt(template, "variables");

function objectAt(from: Template, key: string): Record<string, unknown> {
  const value = from[key];
  return isObject(value) ? value : {};
}

function collect(value: unknown, used: Set<string>): void {
  if (typeof value === "string") {
    for (const match of value.matchAll(/\{\{\s*([\w.[\]-]+)\s*\}\}/g)) used.add(match[1]!);
  } else if (Array.isArray(value)) {
    for (const item of value) collect(item, used);
  } else if (isObject(value)) {
    for (const item of Object.values(value)) collect(item, used);
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
