import { changePool, limitOf } from "../changes.ts";
import type { Run } from "../command.ts";

export const run: Run = async (input, context) => {
  const limit = limitOf(input);
  const name = await changePool(input, context, { concurrency_limit: limit });
  const meaning = limit === 0 ? " No run starts until it is raised." : "";
  context.screen.line(`Set the concurrency limit of work pool '${name}' to ${limit}.${meaning}`);
};
