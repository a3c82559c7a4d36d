import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { printObject } from "../screen/values.ts";
import { requireDeployment } from "../targets.ts";

export const run: Run = async (input, context) => {
  const { deployment } = await requireDeployment(connect(context), input.argument("DEPLOYMENT"));
  await printObject("Deployment", deployment, context);
};
