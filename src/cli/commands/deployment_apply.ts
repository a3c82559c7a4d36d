import type { Run } from "../command.ts";
import { type CommandContext, connect } from "../context.ts";
import { type Applied, applyManifest } from "../manifest/apply_manifest.ts";
import { findDifferences } from "../manifest/differences.ts";
import { readFiles } from "../manifest/read_files.ts";
import { printNext } from "../screen/created.ts";
import { printDifferences } from "../screen/differences.ts";
import { printJson } from "../screen/json.ts";
import { Progress } from "../screen/progress.ts";
import { ID_COLUMN, printTable } from "../screen/table.ts";

export const run: Run = async (input, context) => {
  const files = input.many("FILE");
  const api = connect(context);
  const manifests = await readFiles(files, input.text("pool"), api, context);
  if (input.isSet("dry-run")) {
    const differences = await findDifferences(manifests, api);
    return context.isJson ? printJson(differences, context) : printDifferences(differences, context);
  }
  const applied: Applied = { deployments: [], notes: [] };
  const total = manifests.reduce((sum, { deployments }) => sum + deployments.length, 0);
  using progress = new Progress("Applying deployments", total, context);
  for (const manifest of manifests) {
    const { deployments, notes } = await applyManifest(manifest, api, () => progress.step());
    applied.deployments.push(...deployments);
    applied.notes.push(...notes);
  }
  for (const note of applied.notes) (context.isJson ? context.screen.note : context.screen.line)(note);
  if (context.isJson) return printJson(applied.deployments.map(({ deployment }) => deployment), context);
  await printApplied(files, applied, context);
};

async function printApplied(
  files: readonly string[],
  { deployments }: Applied,
  context: CommandContext,
): Promise<void> {
  const { screen } = context;
  const names = files.map((file) => file.replace(/^.*\//, "")).join(", ");
  const [first] = deployments;
  if (first === undefined) return screen.line(`Applied ${names}; there are no deployments in it.`);
  await printTable({
    title: `Applied ${names}`,
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
