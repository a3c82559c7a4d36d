/**
 * The user's settings on disk: named profiles, each a set of `SLUICE_…` and `PREFECT_…` settings with the names of
 * their environment variables, and which profile is the active one.
 *
 * One JSON file, `profiles.json` in the config folder of the platform:
 *
 *     { "active": "local", "profiles": { "local": { "SLUICE_API_URL": "http://127.0.0.1:4200/api" } } }
 *
 * A flag wins over the environment, that over the active profile, that over the
 * default. {@link findSetting} keeps that order.
 */
import { z } from "zod";
import type { Surroundings } from "./config.ts";

/** The profiles cannot be read, or what is asked of them is not allowed. `message` is one line for the user. */
export class ProfilesError extends Error {
  override readonly name = "ProfilesError";
}

/** Settings by the name of their environment variable. */
export type ProfileSettings = Readonly<Record<string, string>>;

export interface Profiles {
  /** One of {@link profiles}. */
  readonly active: string;
  /** At least one. */
  readonly profiles: Readonly<Record<string, ProfileSettings>>;
}

/** The profile of a user who has none yet. */
export const DEFAULT_PROFILE = "default";
/** What stands for a user who has set nothing. */
export const NO_PROFILES: Profiles = { active: DEFAULT_PROFILE, profiles: { [DEFAULT_PROFILE]: {} } };

/** Names of settings and profiles that can be written. */
export const SETTING_NAME = /^(SLUICE|PREFECT)_[A-Z0-9_]+$/;
export const PROFILE_NAME = /^[A-Za-z0-9][\w.-]{0,63}$/;

const File = z.object({
  active: z.string(),
  profiles: z.record(z.string().regex(PROFILE_NAME), z.record(z.string().regex(SETTING_NAME), z.string())),
});

/** Where the profiles are: `SLUICE_PROFILES_PATH`, else `profiles.json` in the user's config folder. */
export function profilesFile(around: Surroundings): string {
  const separator = around.os === "windows" ? "\\" : "/";
  return around.env["SLUICE_PROFILES_PATH"] || `${configDirectory(around)}${separator}profiles.json`;
}

/** The config folder of the platform; the same for `deno task` and the binaries. */
export function configDirectory({ env, os }: Surroundings): string {
  const home = env["HOME"] ?? env["USERPROFILE"] ?? ".";
  if (os === "windows") return `${env["APPDATA"] ?? `${home}\\AppData\\Roaming`}\\sluice`;
  return `${env["XDG_CONFIG_HOME"] || `${home}/.config`}/sluice`;
}

/**
 * The profiles in the file; {@link NO_PROFILES} when there is none.
 *
 * @throws ProfilesError when the file cannot be read or is not made of profiles
 */
export async function readProfiles(file: string): Promise<Profiles> {
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return NO_PROFILES;
    throw new ProfilesError(`Cannot read the profiles in ${file}: ${messageOf(error)}.`);
  }
  const parsed = File.safeParse(parseJson(text));
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    const where = path.length === 0 ? "" : ` at ${path.join(".")}`;
    throw new ProfilesError(`${file} holds no profiles${where}: ${message}. Repair it, or remove it.`);
  }
  return requireActive(parsed.data, parsed.data.active, file);
}

/**
 * Reads the profiles, changes them, and puts the result into their place at once: nobody ever reads half a file, and
 * what another process changes at the same time is not lost.
 *
 * @param change returns the new profiles; it may throw to leave everything as it is
 * @throws ProfilesError when the file cannot be read or written, or `change` names what is not allowed
 */
export async function changeProfiles(
  file: string,
  change: (profiles: Profiles) => Profiles,
): Promise<Profiles> {
  using _lock = await lockBeside(file);
  const next = change(await readProfiles(file));
  requireNames(next);
  const fresh = `${file}.new`;
  try {
    // A setting may be a secret one day: the file is its owner's alone.
    await Deno.writeTextFile(fresh, `${JSON.stringify(next, null, 2)}\n`, { mode: 0o600 });
    await Deno.rename(fresh, file);
  } catch (error) {
    throw cannotWrite(file, error);
  }
  return next;
}

/** The profile that counts for this process. */
export interface ActiveProfile {
  name: string;
  settings: ProfileSettings;
}

/**
 * The profile that `SLUICE_PROFILE` names, else the active one.
 *
 * @throws ProfilesError when there is none of that name, or {@link readProfiles} fails
 */
export async function readActiveProfile(around: Surroundings): Promise<ActiveProfile> {
  const file = profilesFile(around);
  const profiles = await readProfiles(file);
  const name = around.env["SLUICE_PROFILE"] || profiles.active;
  return { name, settings: requireActive(profiles, name, file).profiles[name]! };
}

/** Where a setting was found. */
export interface FoundSetting {
  name: string;
  value: string;
  source: "env" | "profile";
}

/**
 * The first of `names` that is set and not empty: all of them are looked for in the environment first, so that
 * `PREFECT_API_URL` in the environment wins over `SLUICE_API_URL` in the profile.
 */
export function findSetting(
  names: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  profile: ProfileSettings,
): FoundSetting | undefined {
  for (const [source, values] of [["env", env], ["profile", profile]] as const) {
    for (const name of names) {
      const value = Object.hasOwn(values, name) ? values[name] : undefined;
      if (value) return { name, value, source };
    }
  }
  return undefined;
}

function requireActive(profiles: Profiles, name: string, file: string): Profiles {
  if (Object.hasOwn(profiles.profiles, name)) return profiles;
  const names = Object.keys(profiles.profiles).map((known) => `'${known}'`).join(", ") || "none";
  throw new ProfilesError(`There is no profile '${name}' in ${file} (there are: ${names}).`);
}

function requireNames({ active, profiles }: Profiles): void {
  if (!Object.hasOwn(profiles, active)) throw new ProfilesError(`There is no profile '${active}'.`);
  for (const [profile, settings] of Object.entries(profiles)) {
    if (!PROFILE_NAME.test(profile)) {
      throw new ProfilesError(
        `'${profile}' is no name of a profile: letters, digits, '.', '_' and '-', starting with one of the first two.`,
      );
    }
    const odd = Object.keys(settings).find((name) => !SETTING_NAME.test(name));
    if (odd !== undefined) {
      throw new ProfilesError(`'${odd}' is no setting: their names start with SLUICE_ or PREFECT_.`);
    }
  }
}

/** Held while the file is changed; ends with the process at the latest. */
async function lockBeside(file: string): Promise<Disposable> {
  try {
    await Deno.mkdir(file.replace(/[/\\]?[^/\\]*$/, "") || ".", { recursive: true });
    const lock = await Deno.open(`${file}.lock`, { write: true, create: true });
    await lock.lock(true);
    return lock;
  } catch (error) {
    throw cannotWrite(file, error);
  }
}

const cannotWrite = (file: string, error: unknown): ProfilesError =>
  new ProfilesError(`Cannot write the profiles in ${file}: ${messageOf(error)}.`);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const messageOf = (error: unknown): string => error instanceof Error ? error.message : String(error);
