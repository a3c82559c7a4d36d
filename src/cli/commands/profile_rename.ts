import type { Run } from "../command.ts";
import { changeProfiles, requireNoProfile, requireProfile } from "../profile_changes.ts";

export const run: Run = async (input, context) => {
  const [name, newName] = [input.argument("NAME"), input.argument("NEW_NAME")];
  await changeProfiles(context, (all) => {
    requireNoProfile(all, newName);
    const { [name]: _old, ...others } = all.profiles;
    const profiles = { ...others, [newName]: requireProfile(all, name) };
    return { active: all.active === name ? newName : all.active, profiles };
  });
  context.screen.line(`Profile '${name}' is called '${newName}' now.`);
};
