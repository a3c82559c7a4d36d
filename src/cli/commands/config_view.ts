import type { Run } from "../command.ts";
import { knownSettings } from "../known_settings.ts";
import { loadProfiles } from "../profile_changes.ts";
import { printJson } from "../screen/json.ts";

/** One line each: what is set, where, and with `--show-defaults` what holds where nothing is. */
export const run: Run = async (input, context) => {
  const { name: profile, settings, env } = await loadProfiles(input, context);
  const known = new Map(knownSettings().map((setting) => [setting.name, setting]));
  const names = [...new Set([...known.keys(), ...Object.keys(settings)])].sort();
  const shown = names.flatMap((name) => {
    const found = env[name]
      ? { value: env[name], source: "env" }
      : settings[name] !== undefined
      ? { value: settings[name], source: "profile" }
      : input.isSet("show-defaults")
      ? { value: known.get(name)?.default ?? "", source: "default" }
      : undefined;
    return found === undefined ? [] : [{ name, ...found, value: hideSecret(name, found.value) }];
  });
  if (context.isJson) return printJson({ profile, settings: shown }, context);
  const { line, style } = context.screen;
  line(`${style.bold("SLUICE_PROFILE")}='${profile}'`);
  for (const { name, value, source } of shown) {
    const from = input.isSet("hide-sources") ? "" : ` ${style.dim(`(from ${source})`)}`;
    line(`${style.cyan(name)}='${value}'${from}`);
  }
};

/** A token on the screen is a token in somebody's photo. */
const hideSecret = (name: string, value: string): string =>
  /TOKEN|KEY|SECRET|PASSWORD|AUTH_STRING/.test(name) && value !== "" ? "********" : value;
