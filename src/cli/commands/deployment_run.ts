import { formatInstant } from "../../schemas/wire.ts";
import { given } from "../changes.ts";
import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { UsageError } from "../errors.ts";
import { follow, followOptions } from "../follow.ts";
import { parsePairs, parseParameters, parseStart } from "../run_options.ts";
import { printCreated, printNext } from "../screen/created.ts";
import { timeText } from "../screen/times.ts";
import { requireDeployment } from "../targets.ts";

export const run: Run = async (input, context) => {
  const { clock } = context.world.deps;
  const reference = input.optional("DEPLOYMENT") ?? input.text("id");
  if (reference === undefined) throw new UsageError("Name a deployment as FLOW/NAME, or give its --id.");
  const parameters = await parseParameters(input);
  const startAt = parseStart(input, clock.now());
  const jobVariables = parsePairs("job-variable", input.texts("job-variable"));
  const api = connect(context);
  const { title, deployment } = await requireDeployment(api, reference);
  const flowRun = await api.deployments.run(deployment.id, {
    parameters,
    tags: [...input.texts("tag")],
    ...given({ name: input.text("flow-run-name") }),
    state: {
      type: "SCHEDULED",
      state_details: { scheduled_time: formatInstant(startAt ?? clock.now()) },
    },
    ...(Object.keys(jobVariables).length === 0 ? {} : { job_variables: jobVariables }),
  });
  const isWatched = input.isSet("watch");
  const queue = flowRun.work_queue_name === null ? "" : `, queue '${flowRun.work_queue_name}'`;
  printCreated({
    kind: `flow run of '${title}'`,
    value: flowRun,
    properties: [
      ["name", `'${flowRun.name}'`],
      ["id", flowRun.id],
      ["work pool", flowRun.work_pool_name === null ? "None" : `'${flowRun.work_pool_name}'${queue}`],
      ["parameters", JSON.stringify(flowRun.parameters)],
      ["starts", startAt === undefined ? "now" : timeText(context)(flowRun.expected_start_time)],
    ],
    next: [],
  }, context);
  if (isWatched) return await follow(flowRun.id, api, context, followOptions(input));
  if (context.isJson) return;
  printNext([
    ["Follow what it prints:", ["flow-run", "logs", flowRun.name]],
    ["See how it is going:", ["flow-run", "inspect", flowRun.name]],
  ], context);
};
