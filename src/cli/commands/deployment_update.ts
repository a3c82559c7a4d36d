import type { z } from "zod";
import type { Api } from "../../client/api.ts";
import type { DeploymentUpdate } from "../../schemas/deployment.ts";
import { given } from "../changes.ts";
import type { Run } from "../command.ts";
import { type CommandContext, connect } from "../context.ts";
import { UsageError } from "../errors.ts";
import type { Input } from "../input.ts";
import { parsePairs } from "../run_options.ts";
import { type NamedDeployment, requireDeployment, requirePool } from "../targets.ts";

type Change = z.input<typeof DeploymentUpdate>;

export const run: Run = async (input, context) => {
  const api = connect(context);
  if (input.isSet("move-waiting") && input.isSet("leave-waiting")) {
    throw new UsageError("Give --move-waiting or --leave-waiting, not both.");
  }
  const named = await requireDeployment(api, input.argument("DEPLOYMENT"));
  const change = await changeOf(named, input, api);
  if (Object.keys(change).length === 0 && !input.isSet("move-waiting")) {
    throw new UsageError("Nothing to update: give --pool, --work-queue, --param, --tag or another option.");
  }
  const isMoved = await movesWaiting(named, change, input, api, context);
  await api.deployments.update(named.deployment.id, { ...change, sluice: { move_waiting: isMoved } });
  const after = await api.deployments.get(named.deployment.id);
  context.screen.line(`Updated deployment '${named.title}'.`);
  if (change.work_pool_name !== undefined || change.work_queue_name !== undefined) {
    const place = `work pool '${after.work_pool_name}', queue '${after.work_queue_name}'`;
    context.screen.line(`    its runs go to ${place}${isMoved ? ", with those that waited already" : ""}`);
  }
};

async function changeOf({ deployment }: NamedDeployment, input: Input, api: Api): Promise<Change> {
  const pool = input.text("pool");
  const parameters = parsePairs("param", input.texts("param"));
  const variables = parsePairs("job-variable", input.texts("job-variable"));
  const tags = input.texts("tag");
  return given({
    work_pool_name: pool === undefined ? undefined : (await requirePool(api, pool, api.workPools.get)).name,
    work_queue_name: input.text("work-queue"),
    description: input.text("description"),
    version: input.text("version"),
    parameters: isEmpty(parameters) ? undefined : { ...deployment.parameters, ...parameters },
    job_variables: isEmpty(variables) ? undefined : { ...deployment.job_variables, ...variables },
    tags: tags.length === 0 ? undefined : [...tags],
  });
}

const isEmpty = (value: object): boolean => Object.keys(value).length === 0;

/** Runs are counted up to here; more are "200 or more". */
const MOST_COUNTED = 200;

/** Whether what waits already follows the deployment: as the options say, else as the user says, else not. */
async function movesWaiting(
  { title, deployment }: NamedDeployment,
  change: Change,
  input: Input,
  api: Api,
  { world, screen }: CommandContext,
): Promise<boolean> {
  if (input.isSet("move-waiting")) return true;
  const isElsewhere = change.work_pool_name !== undefined || change.work_queue_name !== undefined;
  if (!isElsewhere || input.isSet("leave-waiting")) return false;
  const waiting = await api.flowRuns.list({
    flow_runs: { deployment_id: { any_: [deployment.id] }, state: { type: { any_: ["SCHEDULED"] } } },
    limit: MOST_COUNTED,
  });
  if (waiting.length === 0) return false;
  const count = waiting.length === 1
    ? "1 run"
    : `${waiting.length}${waiting.length === MOST_COUNTED ? " or more" : ""} runs`;
  if (world.confirm === undefined || input.isSet("no-prompt")) {
    screen.note(
      `${count} of '${title}' that wait already stay where they are; --move-waiting takes them along.`,
    );
    return false;
  }
  return world.confirm(`Take ${count} along that wait already in '${deployment.work_pool_name}'?`);
}
