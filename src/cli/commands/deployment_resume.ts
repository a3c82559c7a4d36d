import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { requireDeployment } from "../targets.ts";

export const run: Run = async (input, context) => {
  const api = connect(context);
  const { title, deployment } = await requireDeployment(api, input.argument("DEPLOYMENT"));
  await api.deployments.resume(deployment.id);
  context.screen.line(`Resumed deployment '${title}': its schedules make runs again.`);
};
