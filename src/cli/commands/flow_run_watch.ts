import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { follow, followOptions } from "../follow.ts";
import { requireFlowRun } from "../targets.ts";

export const run: Run = async (input, context) => {
  const api = connect(context);
  const { id } = await requireFlowRun(api, input.argument("RUN"));
  return await follow(id, api, context, followOptions(input));
};
