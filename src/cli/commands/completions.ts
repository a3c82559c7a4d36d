import type { Run } from "../command.ts";
import { completionScript } from "../completion/scripts.ts";
import { UsageError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import { SHELLS } from "../registry/program.ts";

export const run: Run = (input, { screen }) => {
  const given = input.argument("SHELL");
  const shell = SHELLS.find((known) => known === given);
  if (shell === undefined) {
    throw new UsageError(`There is no script for '${given}'. Nearest: ${nearest(given, SHELLS).join(", ")}.`);
  }
  screen.line(completionScript(shell));
  return Promise.resolve();
};
