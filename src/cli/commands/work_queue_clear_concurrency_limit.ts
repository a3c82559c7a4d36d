import { changeQueue } from "../changes.ts";
import type { Run } from "../command.ts";

export const run: Run = async (input, context) => {
  const { pool, name } = await changeQueue(input, context, { concurrency_limit: null });
  context.screen.line(`Work queue '${name}' of work pool '${pool}' has no concurrency limit any more.`);
};
