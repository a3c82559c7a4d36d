import type { OptionSpec } from "./command.ts";
import { findCommand, optionsOf } from "./registry.ts";

/**
 * The arguments without what the parser does not know: other spellings of an option become its name, and a `count`
 * without a number gets its default.
 */
export function spelledOut(args: readonly string[]): string[] {
  const command = findCommand(args);
  if (command === undefined || command.passesThrough) return [...args];
  const specs = optionsOf(command);
  return args.map((arg, index) => {
    const spec = specs.find((spec) => isSpelling(arg, spec));
    if (spec === undefined) return arg;
    const isBare = spec.kind === "count" && !/^\d+$/.test(args[index + 1] ?? "");
    return isBare ? `--${spec.name}=${spec.default}` : arg.replace(/^[^=]+/, `--${spec.name}`);
  });
}

const isSpelling = (arg: string, spec: OptionSpec): boolean =>
  spec.aliases?.some((alias) => arg === alias || arg.startsWith(`${alias}=`)) ||
  spec.kind === "count" && (arg === `--${spec.name}` || arg === `-${spec.short}`);
