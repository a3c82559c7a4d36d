import { placeOf } from "../changes.ts";
import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { printObject } from "../screen/values.ts";
import { requireQueue } from "../targets.ts";

export const run: Run = async (input, context) => {
  const api = connect(context);
  const queue = await requireQueue(api, placeOf(input), ({ pool, name }) => api.workQueues.get(pool, name));
  await printObject("WorkQueue", queue, context);
};
