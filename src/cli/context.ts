import { Api } from "../client/api.ts";
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
}

/** The client for the server that the command talks to. */
export function connect({ apiUrl, world }: CommandContext): Api {
  return new Api({ url: apiUrl, ...(world.fetch ? { fetch: world.fetch } : {}) });
}
