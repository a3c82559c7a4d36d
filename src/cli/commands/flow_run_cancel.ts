import type { Api } from "../../client/api.ts";
import type { FlowRun } from "../../schemas/flow_run.ts";
import { TERMINAL_TYPES } from "../../schemas/records.ts";
import type { Run } from "../command.ts";
import { type CommandContext, connect } from "../context.ts";
import { CliError } from "../errors.ts";
import { commandLine } from "../screen/created.ts";
import { Progress } from "../screen/progress.ts";
import { requireFlowRun } from "../targets.ts";

/** How long an agent may take to answer a cancel before the user is told what is going on. */
const PATIENCE_MS = 5_000;
const POLL_MS = 200;

export const run: Run = async (input, context) => {
  const api = connect(context);
  const flowRun = await requireFlowRun(api, input.argument("RUN"));
  if (isEnded(flowRun)) {
    throw new CliError(`Flow run '${flowRun.name}' has ended already: it is ${flowRun.state_name}.`);
  }
  await propose(api, flowRun, input.isSet("force"));
  const after = await settled(api, flowRun.id, context);
  const { line } = context.screen;
  if (isEnded(after)) line(`Flow run '${after.name}' is ${after.state_name ?? "gone"}.`);
  else {
    const force = commandLine(context.world.program, ["flow-run", "cancel", after.id, "--force"]);
    line(
      `Flow run '${after.name}' is ${after.state_type}, but its process has not ended yet: it keeps its slot.`,
    );
    line(`If its agent is gone, nobody can end it. This frees the slot:  ${force}`);
  }
};

async function propose(api: Api, { id, name }: FlowRun, force: boolean): Promise<void> {
  const state = force
    ? { type: "CANCELLED" as const, message: "Cancelled by force; its process may still exist." }
    : { type: "CANCELLING" as const };
  const { status, details } = await api.flowRuns.setState(id, { state, force });
  if (status !== "ACCEPT" && status !== "REJECT") {
    throw new CliError(`Flow run '${name}' was not cancelled: ${details.reason ?? status}`);
  }
}

async function settled(
  api: Api,
  id: string,
  context: CommandContext,
): Promise<FlowRun> {
  const { clock } = context.world.deps;
  const deadline = clock.monotonic() + PATIENCE_MS;
  using progress = new Progress("Waiting for the agent to end its process", undefined, context);
  for (;;) {
    const flowRun = await api.flowRuns.get(id);
    if (isEnded(flowRun) || clock.monotonic() >= deadline) return flowRun;
    progress.step(0);
    await clock.sleep(POLL_MS);
  }
}

const isEnded = ({ state_type: type }: FlowRun): boolean => type !== null && TERMINAL_TYPES.has(type);
