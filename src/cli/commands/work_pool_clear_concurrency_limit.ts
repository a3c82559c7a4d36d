import { changePool } from "../changes.ts";
import type { Run } from "../command.ts";

export const run: Run = async (input, context) => {
  const name = await changePool(input, context, { concurrency_limit: null });
  context.screen.line(`Work pool '${name}' has no concurrency limit any more.`);
};
