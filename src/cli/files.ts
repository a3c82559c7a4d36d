import { CliError } from "./errors.ts";

/** The text of a file; of standard input for `-`. @throws CliError */
export async function readText(file: string): Promise<string> {
  try {
    if (file === "-") return await new Response(Deno.stdin.readable).text();
    return await Deno.readTextFile(file);
  } catch (cause) {
    const reason = cause instanceof Deno.errors.NotFound
      ? "there is no such file"
      : cause instanceof Error
      ? cause.message
      : String(cause);
    throw new CliError(`Cannot read ${file}: ${reason}.`, { cause });
  }
}

/** The JSON object in a file. @throws CliError */
export async function readJsonObject(file: string): Promise<Record<string, unknown>> {
  const text = await readText(file);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CliError(`${file} is no JSON: ${cause instanceof Error ? cause.message : cause}.`, { cause });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw new CliError(`${file} holds no JSON object.`);
}
