import { changeQueue, given } from "../changes.ts";
import type { Run } from "../command.ts";
import { UsageError } from "../errors.ts";
import { checkName } from "../names.ts";

export const run: Run = async (input, context) => {
  const newName = input.text("new-name");
  const change = given({
    name: newName === undefined ? undefined : checkName(newName),
    description: input.text("description"),
    priority: input.number("priority"),
    concurrency_limit: input.number("limit"),
  });
  if (Object.keys(change).length === 0) {
    throw new UsageError("Nothing to update: give --new-name, --description, --priority or --limit.");
  }
  const { pool, name } = await changeQueue(input, context, change);
  const what = Object.keys(change).join(", ").replaceAll("_", " ");
  context.screen.line(`Updated work queue '${name}' of work pool '${pool}': ${what}.`);
};
