import type { Run } from "../command.ts";
import { loadProfiles, requireProfile } from "../profile_changes.ts";
import { printJson } from "../screen/json.ts";

export const run: Run = async (input, context) => {
  const { name: active, profiles } = await loadProfiles(input, context);
  const name = input.optional("NAME") ?? active;
  const settings = requireProfile(profiles, name);
  if (context.isJson) return printJson(settings, context);
  const entries = Object.entries(settings);
  if (entries.length === 0) context.screen.line(`Profile '${name}' is empty.`);
  for (const [key, value] of entries) context.screen.line(`${key}='${value}'`);
};
