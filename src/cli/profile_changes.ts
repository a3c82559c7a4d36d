import type { Profiles, ProfileSettings } from "../runtime/profiles.ts";
import type { CommandContext } from "./context.ts";
import { CliError } from "./errors.ts";
import type { Input } from "./input.ts";
import { noSuch } from "./nearest.ts";
import type { Env } from "./world.ts";

/** Settings that are written into or taken out of a profile. */
export interface SettingsChange {
  set?: ProfileSettings;
  unset?: readonly string[];
}

/** The profiles, and the one that counts here. */
export interface LoadedProfiles {
  name: string;
  settings: ProfileSettings;
  profiles: Profiles;
  /** The environment in which `--profile` was heeded. */
  env: Env;
}

/** @throws ProfilesError when `--profile` or the environment names none, or the file cannot be read */
export async function loadProfiles(input: Input, { world }: CommandContext): Promise<LoadedProfiles> {
  const { profilesFile, readActiveProfile, readProfiles } = await import("../runtime/profiles.ts");
  const named = input.text("profile");
  const env = named === undefined ? world.env : { ...world.env, SLUICE_PROFILE: named };
  const profiles = await readProfiles(profilesFile(world));
  return { ...await readActiveProfile({ ...world, env }), profiles, env };
}

/** Changes the profiles. @throws ProfilesError, or what `change` throws */
export async function changeProfiles(
  { world }: CommandContext,
  change: (profiles: Profiles) => Profiles,
): Promise<Profiles> {
  const { changeProfiles, profilesFile } = await import("../runtime/profiles.ts");
  return await changeProfiles(profilesFile(world), change);
}

/**
 * Changes the settings of the profile that `--profile` names, else of the active one.
 *
 * @returns the profile's name
 */
export async function changeSettings(
  input: Input,
  context: CommandContext,
  { set = {}, unset = [] }: SettingsChange,
): Promise<string> {
  const { name } = await loadProfiles(input, context);
  await changeProfiles(context, ({ active, profiles }) => {
    const kept = Object.entries(profiles[name] ?? {}).filter(([key]) => !unset.includes(key));
    return { active, profiles: { ...profiles, [name]: { ...Object.fromEntries(kept), ...set } } };
  });
  return name;
}

/** @throws CliError with the nearest names when there is no such profile */
export function requireProfile({ profiles }: Profiles, name: string): ProfileSettings {
  const settings = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (settings !== undefined) return settings;
  throw new CliError(noSuch("profile", name, Object.keys(profiles)));
}

/** @throws CliError when there is one of that name already */
export function requireNoProfile({ profiles }: Profiles, name: string): void {
  if (Object.hasOwn(profiles, name)) throw new CliError(`There is a profile '${name}' already.`);
}
