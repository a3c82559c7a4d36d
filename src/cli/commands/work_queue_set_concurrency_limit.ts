import { changeQueue, limitOf } from "../changes.ts";
import type { Run } from "../command.ts";

export const run: Run = async (input, context) => {
  const limit = limitOf(input);
  const { pool, name } = await changeQueue(input, context, { concurrency_limit: limit });
  const meaning = limit === 0 ? " No run starts until it is raised." : "";
  context.screen.line(
    `Set the concurrency limit of work queue '${name}' of work pool '${pool}' to ${limit}.${meaning}`,
  );
};
