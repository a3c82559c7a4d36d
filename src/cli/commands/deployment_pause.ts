import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { requireDeployment } from "../targets.ts";

export const run: Run = async (input, context) => {
  const api = connect(context);
  const { title, deployment } = await requireDeployment(api, input.argument("DEPLOYMENT"));
  await api.deployments.pause(deployment.id);
  context.screen.line(`Paused deployment '${title}': its schedules make no more runs.`);
};
