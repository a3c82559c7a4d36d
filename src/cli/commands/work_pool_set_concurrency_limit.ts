import { parseWholeNumber } from "../commander.ts";
import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { UsageError } from "../errors.ts";
import { requirePool } from "../targets.ts";

export const run: Run = async (input, context) => {
  const api = connect(context);
  const name = input.argument("NAME");
  const text = input.argument("LIMIT");
  const limit = parseWholeNumber(text, 0);
  if (limit === undefined) {
    throw new UsageError(
      `A limit is a whole number of 0 or more, not '${text}'; work-pool clear-concurrency-limit takes it away.`,
    );
  }
  await requirePool(api, name, api.workPools.update(name, { concurrency_limit: limit }));
  const meaning = limit === 0 ? " No run starts until it is raised." : "";
  context.screen.line(`Set the concurrency limit of work pool '${name}' to ${limit}.${meaning}`);
};
