import type { Run } from "../command.ts";
import { candidates } from "../completion/candidates.ts";

/** One candidate a line, with what it is behind a tab. Says nothing when it cannot help: a shell is no place for errors. */
export const run: Run = async (input, context) => {
  const words = input.rest[0] === "--" ? input.rest.slice(1) : input.rest;
  for (const { text, summary } of await candidates(words, context)) {
    context.screen.line(summary === undefined ? text : `${text}\t${summary}`);
  }
};
