import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { CliError } from "../errors.ts";
import { requirePool } from "../targets.ts";

export const run: Run = async (input, context) => {
  const api = connect(context);
  const name = input.argument("NAME");
  const { world: { confirm }, screen } = context;
  if (!input.isSet("yes")) {
    await requirePool(api, name, api.workPools.get(name));
    if (confirm === undefined) {
      throw new CliError(`Add --yes to delete work pool '${name}': nobody can be asked here.`);
    }
    if (!confirm(`Delete work pool '${name}' and its queues?`)) throw new CliError("Nothing was deleted.");
  }
  await requirePool(api, name, api.workPools.delete(name));
  screen.line(`Deleted work pool '${name}'.`);
};
