import type { Surroundings } from "../runtime/config.ts";
import type { OptionSpec } from "./command.ts";
import { parseValue } from "./commander.ts";
import { UsageError } from "./errors.ts";
import { Input, type OptionValue } from "./input.ts";
import { optionsOf } from "./registry.ts";

/**
 * The input with what was left out taken from the environment, then from the profile, then from the defaults.
 *
 * @throws UsageError when a setting is not allowed; ProfilesError when the profile cannot be read
 */
export async function withSettings(input: Input, around: Surroundings): Promise<Input> {
  if (input.command.passesThrough) return input;
  // Loaded here, because `--help` needs no settings and has to be quick.
  const { findSetting, readActiveProfile } = await import("../runtime/profiles.ts");
  const named = input.text("profile");
  const env = named === undefined ? around.env : { ...around.env, SLUICE_PROFILE: named };
  const { settings } = await readActiveProfile({ ...around, env });
  const fallbacks = optionsOf(input.command).flatMap((spec): [string, OptionValue][] => {
    if (input.has(spec.name)) return [];
    const found = findSetting(spec.env ?? [], env, settings);
    if (found !== undefined) return [[spec.name, parseSetting(spec, found.name, found.value)]];
    return spec.default === undefined || spec.kind === "count"
      ? []
      : [[spec.name, parseValue(spec, spec.default)]];
  });
  return input.with(Object.fromEntries(fallbacks));
}

function parseSetting(spec: OptionSpec, name: string, value: string): OptionValue {
  try {
    return parseValue(spec, value);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`${name} is '${value}'. ${error.message}`, { cause: error });
  }
}
