import { ApiError, UnreachableError } from "../client/http.ts";
import { parseArguments } from "./commander.ts";
import type { CommandContext } from "./context.ts";
import { CliError, UsageError } from "./errors.ts";
import type { Input } from "./input.ts";
import { DEFAULT_API_URL } from "./defaults.ts";
import { buildScreen } from "./screen/screen.ts";
import type { CliWorld } from "./world.ts";

/**
 * The command line.
 *
 * @returns the exit code: 0 done, 1 refused, not found or not reachable, 2 for a wrong command line
 */
export async function cliMain(args: readonly string[], world: CliWorld): Promise<number> {
  const screen = buildScreen(world);
  let apiUrl = DEFAULT_API_URL;
  try {
    const input = parseArguments(args, {
      program: world.program,
      writeOut: world.writeOut,
      columns: screen.width,
      env: world.env,
    });
    if (input === undefined) return 0;
    apiUrl = input.command.passesThrough ? apiUrl : checkUrl(input.text("api") ?? DEFAULT_API_URL);
    return await runCommand(input, { world, screen, apiUrl, isJson: input.text("output") === "json" });
  } catch (error) {
    world.writeErr(describeError(error, apiUrl, world.program));
    if (args.includes("--debug") && error instanceof Error && error.stack) world.writeErr(error.stack);
    return error instanceof CliError ? error.exitCode : 1;
  }
}

async function runCommand(input: Input, context: CommandContext): Promise<number> {
  const { run } = await input.command.load();
  return await run(input, context) ?? 0;
}

function checkUrl(value: string): string {
  if (/^https?:\/\/[^/]/.test(value) && URL.canParse(value)) return value.replace(/\/+$/, "");
  throw new UsageError(
    `--api (SLUICE_API_URL, PREFECT_API_URL) is a URL like ${DEFAULT_API_URL}, not '${value}'.`,
  );
}

/** One line for the user, whatever went wrong. */
function describeError(error: unknown, apiUrl: string, program: string): string {
  if (error instanceof UnreachableError) {
    return `No server answers at ${apiUrl}. Start one: ${program} server start (or name another by --api).`;
  }
  if (error instanceof CliError || error instanceof ApiError) return error.message.replaceAll("\n", " ");
  const message = error instanceof Error ? error.message : String(error);
  return `Failed: ${message.split("\n")[0]} (--debug shows where)`;
}
