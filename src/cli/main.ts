import { AnswerError, ApiError, UnreachableError } from "../client/http.ts";
import { VERSION } from "../runtime/version.ts";
import { parseArguments } from "./commander.ts";
import type { CommandContext } from "./context.ts";
import { CliError, UsageError } from "./errors.ts";
import type { Input } from "./input.ts";
import { DEFAULT_API_URL } from "./defaults.ts";
import { buildScreen } from "./screen/screen.ts";
import { withSettings } from "./settings.ts";
import { usageLine } from "./usage.ts";
import type { CliWorld } from "./world.ts";

/**
 * The command line.
 *
 * @returns the exit code: 0 done, 1 refused, not found or not reachable, 2 for a wrong command line
 */
export async function cliMain(args: readonly string[], world: CliWorld): Promise<number> {
  let apiUrl = DEFAULT_API_URL;
  try {
    const parsed = parseArguments(args, {
      program: world.program,
      writeOut: world.writeOut,
      columns: (world.isTerminal ? world.columns() : undefined) ?? HELP_WIDTH,
    });
    if (parsed === undefined) return 0;
    const input = await withSettings(parsed, world);
    apiUrl = input.command.passesThrough ? apiUrl : checkUrl(input.text("api") ?? DEFAULT_API_URL);
    return await runCommand(input, {
      world,
      screen: buildScreen(world, !input.isSet("no-pager")),
      apiUrl,
      isJson: input.text("output") === "json",
      isVerbose: input.isSet("verbose"),
    });
  } catch (error) {
    world.writeErr(describeError(error, apiUrl, world.program));
    if (error instanceof UsageError) world.writeErr(usageLine(args, world.program));
    if (args.includes("--debug") && error instanceof Error && error.stack) world.writeErr(error.stack);
    return error instanceof CliError ? error.exitCode : 1;
  }
}

/** Columns of help texts that go to no terminal. */
const HELP_WIDTH = 120;

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
  if (error instanceof ApiError && error.isNoRoute) {
    return `The server at ${apiUrl} does not know this request: it may be older than this program (${VERSION}).`;
  }
  if (error instanceof AnswerError) return `${error.message} Is it a Sluice server that listens there?`;
  if (error instanceof CliError || error instanceof ApiError || isForUser(error)) {
    return inOurWords(error.message.replaceAll("\n", " "));
  }
  const message = error instanceof Error ? error.message : String(error);
  return `Failed: ${message.split("\n")[0]} (--debug shows where)`;
}

/** What the server's refusals say about requests, as options of the command line. */
const inOurWords = (message: string): string =>
  message.replaceAll("?cascade=cancel", "--cascade cancel")
    .replaceAll("?move_to=<pool>/<queue>", "--move-to POOL/QUEUE");

/** Loaded only with commands that read profiles, so its class is not at hand here. */
const isForUser = (error: unknown): error is Error =>
  error instanceof Error && error.name === "ProfilesError";
