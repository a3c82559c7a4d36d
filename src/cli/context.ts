import { Api } from "../client/api.ts";
import { CliError } from "./errors.ts";
import type { Input } from "./input.ts";
import type { Screen } from "./screen/screen.ts";
import type { CliWorld } from "./world.ts";

/** What a running command works with. */
export interface CommandContext {
  world: CliWorld;
  screen: Screen;
  /** Base URL of the server, ending in `/api`. */
  apiUrl: string;
  /** Whether the answer is to be JSON: then nothing else goes to standard output. */
  isJson: boolean;
  /** Whether times are exact, and everything is told. */
  isVerbose: boolean;
}

/** The client for the server that the command talks to. */
export function connect({ apiUrl, world }: CommandContext): Api {
  return new Api({ url: apiUrl, ...(world.fetch ? { fetch: world.fetch } : {}) });
}

/**
 * Asks before something is destroyed, unless `--yes` or `--no-prompt` was given.
 *
 * @param deed `delete work pool 'a'`
 * @throws CliError when the answer is no, or nobody can be asked
 */
export function requireYes(deed: string, input: Input, { world }: CommandContext): void {
  if (input.isSet("yes") || input.isSet("no-prompt")) return;
  if (world.confirm === undefined) throw new CliError(`Add --yes to ${deed}: nobody can be asked here.`);
  if (!world.confirm(`${deed.replace(/^./, (first) => first.toUpperCase())}?`)) {
    throw new CliError("Nothing was changed.");
  }
}
