import type { Run } from "../command.ts";
import { changeProfiles, requireNoProfile, requireProfile } from "../profile_changes.ts";
import { printNext } from "../screen/created.ts";

export const run: Run = async (input, context) => {
  const name = input.argument("NAME");
  const from = input.text("from");
  await changeProfiles(context, (all) => {
    requireNoProfile(all, name);
    const settings = from === undefined ? {} : requireProfile(all, from);
    return { active: all.active, profiles: { ...all.profiles, [name]: settings } };
  });
  context.screen.line(`Created profile '${name}'.`);
  printNext([
    ["Use it:", ["profile", "use", name]],
    ["Write a setting into it:", [
      "--profile",
      name,
      "config",
      "set",
      "SLUICE_API_URL=http://127.0.0.1:4200/api",
    ]],
  ], context);
};
