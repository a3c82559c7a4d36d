import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { printObject } from "../screen/values.ts";
import { requirePool } from "../targets.ts";

export const run: Run = async (input, context) => {
  const api = connect(context);
  await printObject("WorkPool", await requirePool(api, input.argument("NAME"), api.workPools.get), context);
};
