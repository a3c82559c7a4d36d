import { removalOf } from "../changes.ts";
import type { Run } from "../command.ts";
import { connect, requireYes } from "../context.ts";
import { requireDeployment } from "../targets.ts";

export const run: Run = async (input, context) => {
  const api = connect(context);
  const { title, deployment } = await requireDeployment(api, input.argument("DEPLOYMENT"));
  requireYes(`delete deployment '${title}'`, input, context);
  await api.deployments.delete(deployment.id, removalOf(input));
  context.screen.line(`Deleted deployment '${title}'.`);
};
