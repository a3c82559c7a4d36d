import type { Run } from "../command.ts";

/** `--api` may also stand before the command's name. */
export const run: Run = (input, { world }) => {
  const api = input.text("api");
  return world.agentMain(["start", ...(api === undefined ? [] : ["--api", api]), ...input.rest]);
};
