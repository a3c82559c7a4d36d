/** Variables that `{{ … }}` in a job configuration uses but its variables schema does not declare. */
export function findUndeclaredVariables(template: Record<string, unknown>): string[] {
  const used = new Set<string>();
  collect(template["job_configuration"], used);
  const variables = template["variables"];
  const properties = isObject(variables) && isObject(variables["properties"]) ? variables["properties"] : {};
  return [...used].filter((name) => !name.startsWith("prefect.") && !Object.hasOwn(properties, name)).sort();
}

function collect(value: unknown, used: Set<string>): void {
  if (typeof value === "string") {
    for (const match of value.matchAll(/\{\{\s*([\w.-]+)\s*\}\}/g)) used.add(match[1]!);
  } else if (Array.isArray(value)) {
    for (const item of value) collect(item, used);
  } else if (isObject(value)) {
    for (const item of Object.values(value)) collect(item, used);
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
