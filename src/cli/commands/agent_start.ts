import type { Run } from "../command.ts";

/** `--api` and `--profile` may also stand before the command's name. */
export const run: Run = (input, { world }) => {
  const api = input.text("api");
  const profile = input.text("profile");
  const env = profile === undefined ? world.env : { ...world.env, SLUICE_PROFILE: profile };
  return world.agentMain(["start", ...(api === undefined ? [] : ["--api", api]), ...input.rest], env);
};
