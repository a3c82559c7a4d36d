import type { Run } from "../command.ts";
import { type CommandContext, connect } from "../context.ts";
import { CliError } from "../errors.ts";
import { type Applied, applyManifest, findMissingPools } from "../manifest/apply_manifest.ts";
import { type Manifest, readManifest } from "../manifest/manifest.ts";
import { byLine, formatProblem, type Problem } from "../manifest/problem.ts";
import { printNext } from "../screen/created.ts";
import { printJson } from "../screen/json.ts";
import { ID_COLUMN, printTable } from "../screen/table.ts";

export const run: Run = async (input, context) => {
  const file = input.argument("FILE");
  const manifest = read(file, await readFile(file), context);
  const api = connect(context);
  refuse(file, await findMissingPools(manifest, api), context);
  const applied = await applyManifest(manifest, api);
  for (const note of applied.notes) (context.isJson ? context.screen.note : context.screen.line)(note);
  if (context.isJson) return printJson(applied.deployments.map(({ deployment }) => deployment), context);
  printApplied(file, applied, context);
};

async function readFile(file: string): Promise<string> {
  try {
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

function read(file: string, text: string, context: CommandContext): Manifest {
  const { manifest, problems, warnings } = readManifest(text);
  for (const warning of byLine(warnings)) {
    context.screen.note(`${formatProblem(file, warning)} (warning)`);
  }
  refuse(file, problems, context);
  if (manifest === undefined) throw new CliError(`Cannot read ${file}.`);
  return manifest;
}

/** Says all that is wrong, then ends the command. */
function refuse(file: string, problems: readonly Problem[], { screen }: CommandContext): void {
  if (problems.length === 0) return;
  for (const problem of byLine(problems)) screen.note(formatProblem(file, problem));
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  throw new CliError(`Nothing was applied: ${count} in ${file}.`);
}

function printApplied(file: string, { deployments }: Applied, context: CommandContext): void {
  const { screen } = context;
  const [first] = deployments;
  if (first === undefined) return screen.line(`Applied ${file}; it has no deployments.`);
  printTable({
    title: `Applied ${file.replace(/^.*\//, "")}`,
    columns: [
      { header: "Deployment", style: "green", min: 20 },
      { header: "Work pool" },
      { header: "Work queue" },
      ID_COLUMN,
      { header: "Result" },
    ],
    rows: deployments.map(({ title, deployment, isNew }) => [
      title,
      deployment.work_pool_name ?? "None",
      deployment.work_queue_name ?? "None",
      deployment.id,
      isNew ? "created" : "updated",
    ]),
  }, screen);
  const pool = first.deployment.work_pool_name;
  printNext([
    ["Run one of them and watch it:", ["deployment", "run", first.title, "--watch"]],
    ...(pool === null
      ? []
      : [["An agent has to be there to execute it:", ["agent", "start", "-p", pool]] as const]),
  ], context);
}
