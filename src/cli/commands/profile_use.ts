import type { Run } from "../command.ts";
import { changeProfiles, requireProfile } from "../profile_changes.ts";

export const run: Run = async (input, context) => {
  const name = input.argument("NAME");
  const { profiles } = await changeProfiles(context, (all) => {
    requireProfile(all, name);
    return { active: name, profiles: all.profiles };
  });
  const server = profiles[name]?.SLUICE_API_URL ?? profiles[name]?.PREFECT_API_URL;
  context.screen.line(`Profile '${name}' is the active one${server === undefined ? "" : `: ${server}`}.`);
};
