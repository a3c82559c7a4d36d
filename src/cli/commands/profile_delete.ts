import type { Run } from "../command.ts";
import { requireYes } from "../context.ts";
import { CliError } from "../errors.ts";
import { changeProfiles, loadProfiles, requireProfile } from "../profile_changes.ts";

export const run: Run = async (input, context) => {
  const name = input.argument("NAME");
  const { profiles } = await loadProfiles(input, context);
  requireProfile(profiles, name);
  if (profiles.active === name) {
    throw new CliError(`Profile '${name}' is the active one: use another one first (profile use NAME).`);
  }
  requireYes(`delete profile '${name}'`, input, context);
  await changeProfiles(
    context,
    ({ active, profiles: { [name]: _gone, ...kept } }) => ({ active, profiles: kept }),
  );
  context.screen.line(`Deleted profile '${name}'.`);
};
