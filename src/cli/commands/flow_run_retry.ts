import { TERMINAL_TYPES } from "../../schemas/records.ts";
import { formatInstant } from "../../schemas/wire.ts";
import type { Run } from "../command.ts";
import { connect } from "../context.ts";
import { CliError } from "../errors.ts";
import { printNext } from "../screen/created.ts";
import { requireFlowRun } from "../targets.ts";

export const run: Run = async (input, context) => {
  const api = connect(context);
  const flowRun = await requireFlowRun(api, input.argument("RUN"));
  const { id, name, state_type: type, state_name: state } = flowRun;
  if (type === null || !TERMINAL_TYPES.has(type)) {
    throw new CliError(
      `Flow run '${name}' has not ended yet: it is ${state}. Cancel it first, or wait for its end.`,
    );
  }
  if (flowRun.deployment_id === null) {
    throw new CliError(
      `Flow run '${name}' belongs to no deployment: nothing here knows how to start it again.`,
    );
  }
  const scheduledTime = formatInstant(context.world.deps.clock.now());
  const { status, details } = await api.flowRuns.setState(id, {
    state: { type: "SCHEDULED", name: "AwaitingRetry", state_details: { scheduled_time: scheduledTime } },
    force: true,
  });
  if (status !== "ACCEPT") {
    throw new CliError(`Flow run '${name}' was not scheduled again: ${details.reason ?? status}`);
  }
  context.screen.line(`Flow run '${name}' is scheduled again, for now.`);
  printNext([["Follow it:", ["flow-run", "watch", name]]], context);
};
