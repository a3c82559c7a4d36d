import type { Run } from "../command.ts";
import { UsageError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import { changeSettings } from "../profile_changes.ts";
import { knownSettings } from "../known_settings.ts";

export const run: Run = async (input, context) => {
  const { screen } = context;
  const set = Object.fromEntries(
    input.many("SETTING").map((text) => {
      const at = text.indexOf("=");
      if (at < 1) throw new UsageError(`A setting is given as NAME=VALUE, not '${text}'.`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
  const profile = await changeSettings(input, context, { set });
  const known = knownSettings().map(({ name }) => name);
  for (const [name, value] of Object.entries(set)) {
    screen.line(`Set ${name} to '${value}' in profile '${profile}'.`);
    if (!known.includes(name)) {
      screen.note(`Nothing here reads ${name}; it is kept. Nearest: ${nearest(name, known).join(", ")}.`);
    }
    if (context.world.env[name]) {
      screen.note(`${name} is also in the environment, which wins: '${context.world.env[name]}'.`);
    }
  }
};
