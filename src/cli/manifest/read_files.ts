import type { Api } from "../../client/api.ts";
import type { CommandContext } from "../context.ts";
import { CliError } from "../errors.ts";
import { readText } from "../files.ts";
import { ifThere } from "../if_there.ts";
import { findMissingPools } from "./apply_manifest.ts";
import { type Manifest, readManifest, variablesIn } from "./manifest.ts";
import { byLine, formatProblem, type Problem } from "./problem.ts";

/**
 * The manifests in the files, all of them without a problem. Warnings are shown as `file:line: …`.
 *
 * @throws CliError when a file cannot be read, or after all problems of all files were shown in the same way
 */
export async function readFiles(
  files: readonly string[],
  defaultPool: string | undefined,
  api: Api,
  context: CommandContext,
): Promise<Manifest[]> {
  const texts = await Promise.all(files.map(readText));
  const variables = await readVariables([...new Set(texts.flatMap(variablesIn))], api);
  const { env } = context.world;
  const read = texts.map((text) => readManifest(text, { env, variables, defaultPool }));
  const isReadable = read.every(({ problems }) => problems.length === 0);
  const pools = read.flatMap(({ manifest }) => manifest?.pools ?? []).map(({ name }) => name);
  let count = 0;
  for (const [index, { manifest, problems, warnings }] of read.entries()) {
    const file = files[index] ?? "";
    show(warnings, (warning) => `${formatProblem(file, warning)} (warning)`, context);
    // Only a whole set of files tells which pools there will be.
    const missing = isReadable && manifest ? await findMissingPools(manifest, pools, api) : [];
    show([...problems, ...missing], (problem) => formatProblem(file, problem), context);
    count += problems.length + missing.length;
  }
  if (count > 0) {
    const what = count === 1 ? "1 problem" : `${count} problems`;
    throw new CliError(`Nothing was applied: ${what} in ${files.join(", ")}.`);
  }
  return read.flatMap(({ manifest }) => manifest ?? []);
}

function show(
  problems: readonly Problem[],
  text: (problem: Problem) => string,
  { screen }: CommandContext,
): void {
  for (const problem of byLine(problems)) screen.note(text(problem));
}

async function readVariables(names: readonly string[], api: Api): Promise<Record<string, unknown>> {
  const found = await Promise.all(names.map(async (name): Promise<[string, unknown][]> => {
    const variable = await ifThere(api.variables.byName(name));
    return variable === undefined ? [] : [[name, variable.value]];
  }));
  return Object.fromEntries(found.flat());
}
