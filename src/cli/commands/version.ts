import { UnreachableError } from "../../client/http.ts";
import { VERSION } from "../../runtime/version.ts";
import type { Run } from "../command.ts";
import { type CommandContext, connect } from "../context.ts";
import { printJson } from "../screen/json.ts";

/** A version is a quick question: a server that does not answer it at once is taken as none. */
const DEADLINE_MS = 2_000;

export const run: Run = async (_input, context) => {
  const server = await serverVersion(context);
  if (context.isJson) return printJson({ version: VERSION, server, api: context.apiUrl }, context);
  context.screen.line(`sluice ${VERSION}`);
  context.screen.line(
    server === null
      ? `No server answers at ${context.apiUrl}`
      : `Server at ${context.apiUrl} speaks API ${server}`,
  );
};

async function serverVersion(context: CommandContext): Promise<string | null> {
  try {
    return await connect(context).serverVersion({ deadlineMs: DEADLINE_MS });
  } catch (error) {
    if (error instanceof UnreachableError) return null;
    throw error;
  }
}
