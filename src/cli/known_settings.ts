import { SETTINGS } from "../runtime/config.ts";
import { type Flag, START_FLAGS } from "../agent/flags.ts";
import { COMMANDS, optionsOf } from "./registry.ts";

export interface KnownSetting {
  /** Of the environment variable, which is the setting's in a profile too. */
  name: string;
  /** Empty when there is none, or when it depends. */
  default: string;
}

/** Everything that server, agent and command line read from the environment or a profile. */
export function knownSettings(): KnownSetting[] {
  const flags: readonly Flag[] = START_FLAGS;
  const ofAgent = flags.flatMap((flag) =>
    (flag.env ?? []).map((name) => ({ name, default: flag.default ?? "" }))
  );
  const ofServer = SETTINGS.flatMap((setting) =>
    setting.env.map((name) => ({ name, default: setting.default }))
  );
  const ofCommands = COMMANDS.flatMap(optionsOf).flatMap((option) =>
    (option.env ?? []).map((name) => ({ name, default: option.default ?? "" }))
  );
  const all = new Map([...ofAgent, ...ofServer, ...ofCommands].map((setting) => [setting.name, setting]));
  return [...all.values()].sort((a, b) => a.name < b.name ? -1 : 1);
}
