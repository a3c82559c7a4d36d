import { allPages } from "../all_pages.ts";
import { removalOf } from "../changes.ts";
import type { Run } from "../command.ts";
import { connect, requireYes } from "../context.ts";
import { requireFlow } from "../targets.ts";

export const run: Run = async (input, context) => {
  const api = connect(context);
  const { id, name } = await requireFlow(api, input.argument("FLOW"));
  const deployments = await allPages((page) =>
    api.deployments.list({ flows: { id: { any_: [id] } }, ...page })
  );
  const count = deployments.length === 1 ? "its deployment" : `its ${deployments.length} deployments`;
  const more = deployments.length === 0 ? "" : `, ${count}`;
  requireYes(`delete flow '${name}'${more} and its runs`, input, context);
  await api.flows.delete(id, removalOf(input));
  context.screen.line(`Deleted flow '${name}'.`);
};
