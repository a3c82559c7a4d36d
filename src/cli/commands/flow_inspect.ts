import { allPages } from "../all_pages.ts";
import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { printObject } from "../screen/values.ts";
import { requireFlow } from "../targets.ts";

export const run: Run = async (input, context) => {
  const api = connect(context);
  const flow = await requireFlow(api, input.argument("FLOW"));
  const deployments = await allPages((page) =>
    api.deployments.list({ flows: { id: { any_: [flow.id] } }, ...page })
  );
  const names = deployments.map(({ name }) => `${flow.name}/${name}`).sort();
  await printObject("Flow", { ...flow, deployments: names }, context);
};
