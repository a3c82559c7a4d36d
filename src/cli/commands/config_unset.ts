import type { Run } from "../command.ts";
import { requireYes } from "../context.ts";
import { CliError } from "../errors.ts";
import { noSuch } from "../nearest.ts";
import { changeSettings, loadProfiles } from "../profile_changes.ts";

export const run: Run = async (input, context) => {
  const names = [...input.many("SETTING")];
  const { settings, name: profile } = await loadProfiles(input, context);
  const missing = names.find((name) => !Object.hasOwn(settings, name));
  if (missing !== undefined) {
    throw new CliError(noSuch(`setting in profile '${profile}' named`, missing, Object.keys(settings)));
  }
  requireYes(`take ${names.join(", ")} out of profile '${profile}'`, input, context);
  await changeSettings(input, context, { unset: names });
  for (const name of names) context.screen.line(`Took ${name} out of profile '${profile}'.`);
};
