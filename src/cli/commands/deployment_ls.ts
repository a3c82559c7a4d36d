import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { printJson } from "../screen/json.ts";
import { ID_COLUMN, printTable, timeColumn } from "../screen/table.ts";
import { timeText } from "../screen/times.ts";
import { nameWithMark } from "../screen/values.ts";
import { listDeployments, type NamedDeployment } from "../targets.ts";

export const run: Run = async (input, context) => {
  const flows = input.texts("flow-name");
  const order = input.isSet("by-created") ? newestFirst : byTitle;
  const deployments = (await listDeployments(connect(context)))
    .filter(({ title }) => flows.length === 0 || flows.includes(title.split("/", 1)[0] ?? ""))
    .sort(order);
  if (context.isJson) return printJson(deployments.map(({ deployment }) => deployment), context);
  const time = timeText(context);
  await printTable({
    title: "Deployments",
    empty: "There are no such deployments.",
    columns: [
      { header: "Name", style: "green", min: 20 },
      { header: "Work pool" },
      { header: "Work queue" },
      { header: "Tags", isExtra: true },
      timeColumn("Updated", { isExtra: true }),
      ID_COLUMN,
    ],
    rows: deployments.map(({ title, deployment }) => [
      nameWithMark(title, deployment.paused),
      deployment.work_pool_name ?? "None",
      deployment.work_queue_name ?? "None",
      deployment.tags.join(", "),
      time(deployment.updated),
      deployment.id,
    ]),
    caption: "(**) denotes a paused deployment",
  }, context.screen);
};

const byTitle = (a: NamedDeployment, b: NamedDeployment): number => a.title < b.title ? -1 : 1;

const newestFirst = (a: NamedDeployment, b: NamedDeployment): number =>
  a.deployment.created > b.deployment.created ? -1 : 1;
