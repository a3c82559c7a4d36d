import { z } from "zod";
import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { CliError } from "../errors.ts";
import { noSuch } from "../nearest.ts";
import { printJson } from "../screen/json.ts";

/** By package, then by type. */
const WorkerTypes = z.record(
  z.string(),
  z.record(
    z.string(),
    z.object({ type: z.string(), default_base_job_configuration: z.record(z.string(), z.unknown()) }),
  ),
);

export const run: Run = async (input, context) => {
  const type = input.text("type") ?? "prefect-agent";
  const packages = WorkerTypes.parse(await connect(context).workerTypes("aggregate-worker-metadata"));
  const types = Object.values(packages).flatMap((types) => Object.values(types));
  const found = types.find((candidate) => candidate.type === type);
  if (found === undefined) {
    throw new CliError(noSuch("work pool type", type, types.map((candidate) => candidate.type)));
  }
  const template = found.default_base_job_configuration;
  const file = input.text("file");
  if (file === undefined) return printJson(template, context);
  await Deno.writeTextFile(file, `${JSON.stringify(template, null, 2)}\n`);
  context.screen.line(`Wrote the base job template of type '${type}' to ${file}.`);
};
