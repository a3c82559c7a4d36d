import { formatInstant } from "../../schemas/wire.ts";
import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { follow } from "../follow.ts";
import { parsePairs, parseParameters, parseStart } from "../run_options.ts";
import { printCreated, printNext } from "../screen/created.ts";
import { relativeTime } from "../screen/times.ts";
import { requireDeployment } from "../targets.ts";

export const run: Run = async (input, context) => {
  const { clock } = context.world.deps;
  const parameters = parseParameters(input);
  const startAt = parseStart(input, clock.now());
  const jobVariables = parsePairs("job-variable", input.texts("job-variable"));
  const api = connect(context);
  const { title, deployment } = await requireDeployment(api, input.argument("DEPLOYMENT"));
  const flowRun = await api.deployments.run(deployment.id, {
    parameters,
    tags: [...input.texts("tag")],
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
      ["starts", startAt === undefined ? "now" : relativeTime(flowRun.expected_start_time, clock.now())],
    ],
    next: [],
  }, context);
  if (isWatched) return await follow(flowRun.id, api, context);
  if (context.isJson) return;
  printNext([
    ["Follow what it prints:", ["flow-run", "logs", flowRun.name]],
    ["See how it is going:", ["flow-run", "inspect", flowRun.name]],
  ], context);
};
