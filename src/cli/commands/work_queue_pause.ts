import { changeQueue } from "../changes.ts";
import type { Run } from "../command.ts";

export const run: Run = async (input, context) => {
  const { pool, name } = await changeQueue(input, context, { is_paused: true });
  context.screen.line(`Paused work queue '${name}' of work pool '${pool}'.`);
};
