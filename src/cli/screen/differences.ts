import type { CommandContext } from "../context.ts";
import type { Difference } from "../manifest/differences.ts";
import { printable } from "./text.ts";

/** What would change, object by object, then field by field. */
export function printDifferences(differences: readonly Difference[], { screen }: CommandContext): void {
  const { line, style } = screen;
  for (const { kind, name, action, changes } of differences) {
    const title = `${kind} '${name}'`;
    if (action === "create") line(style.green(`+ ${title} would be created`));
    else if (action === "none") line(style.dim(`  ${title} stays as it is`));
    else line(style.yellow(`~ ${title} would be updated`));
    for (const [field, { from, to }] of Object.entries(changes)) {
      line(`      ${field}: ${style.red(show(from))} → ${style.green(show(to))}`);
    }
  }
  const count = differences.filter(({ action }) => action !== "none").length;
  line(count === 0 ? "Nothing would change." : "This was a dry run: nothing was changed.");
}

const show = (value: unknown): string =>
  typeof value === "string" ? `'${printable(value)}'` : JSON.stringify(value) ?? "null";
