import { changePool } from "../changes.ts";
import type { Run } from "../command.ts";

export const run: Run = async (input, context) => {
  const name = await changePool(input, context, { is_paused: true });
  context.screen.line(`Paused work pool '${name}'.`);
};
