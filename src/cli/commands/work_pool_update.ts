import { changePool, given } from "../changes.ts";
import type { Run } from "../command.ts";
import { UsageError } from "../errors.ts";
import { readJsonObject } from "../files.ts";

export const run: Run = async (input, context) => {
  const template = input.text("base-job-template");
  const change = given({
    description: input.text("description"),
    concurrency_limit: input.number("concurrency-limit"),
    base_job_template: template === undefined ? undefined : await readJsonObject(template),
  });
  if (Object.keys(change).length === 0) {
    throw new UsageError(
      "Nothing to update: give --description, --concurrency-limit or --base-job-template.",
    );
  }
  const name = await changePool(input, context, change);
  context.screen.line(`Updated work pool '${name}': ${Object.keys(change).join(", ").replaceAll("_", " ")}.`);
};
