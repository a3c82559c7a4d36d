import { type CommandSpec, titleOf } from "./command.ts";
import { findCommand, GROUPS } from "./registry.ts";

/** What follows the command's name: `[OPTIONS] NAME [SHELL]`. */
export function signatureOf({ arguments: taken }: CommandSpec): string {
  const words = taken.map(({ name, arity }) =>
    arity === "optional" ? `[${name}]` : arity === "many" ? `${name}...` : name
  );
  return ["[OPTIONS]", ...words].join(" ");
}

/** One line that shows how the command that was meant is typed, as far as it can be told. */
export function usageLine(args: readonly string[], program: string): string {
  const command = findCommand(args);
  if (command !== undefined) return `Usage: ${program} ${titleOf(command)} ${signatureOf(command)}`;
  const group = args.find((word) => !word.startsWith("-"));
  const words = group !== undefined && Object.hasOwn(GROUPS, group) ? `${group} COMMAND` : "COMMAND";
  return `Usage: ${program} ${words} [OPTIONS]  (${program} --help lists all)`;
}
