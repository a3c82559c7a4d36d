import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { printJson } from "../screen/json.ts";
import { ID_COLUMN, printTable } from "../screen/table.ts";
import { relativeTime } from "../screen/times.ts";
import { nameWithMark } from "../screen/values.ts";
import { listDeployments } from "../targets.ts";

export const run: Run = async (_input, context) => {
  const deployments = (await listDeployments(connect(context))).sort((a, b) => a.title < b.title ? -1 : 1);
  if (context.isJson) return printJson(deployments.map(({ deployment }) => deployment), context);
  const now = context.world.deps.clock.now();
  printTable({
    title: "Deployments",
    columns: [
      { header: "Name", style: "green", min: 20 },
      { header: "Work pool" },
      { header: "Work queue" },
      { header: "Tags" },
      { header: "Updated" },
      ID_COLUMN,
    ],
    rows: deployments.map(({ title, deployment }) => [
      nameWithMark(title, deployment.paused),
      deployment.work_pool_name ?? "None",
      deployment.work_queue_name ?? "None",
      deployment.tags.join(", "),
      relativeTime(deployment.updated, now),
      deployment.id,
    ]),
    caption: "(**) denotes a paused deployment",
  }, context.screen);
};
